"""The kinds of question there are, and how each venue would word them.

A `Template` draws a question (`draw`), can change exactly one of its terms (`near`), and holds
the wording of every venue as format strings over the question's parameters and the outcome `o`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from sandbox import names
from sandbox.paths import DAY
from sandbox.spec import Day, Draw, Outcome, Spec, day_of

Alter = Callable[[Spec, Draw], Spec]


@dataclass(frozen=True)
class KalshiText:
    series: str
    series_title: str
    category: str
    event: str
    event_code: str
    sub_title: str
    yes: str
    rules: str
    more_rules: str = ""
    title: str = ""
    tags: tuple[str, ...] = ()
    source: tuple[str, str] = ("The New York Times", "https://www.nytimes.com")
    frequency: str = "custom"
    strike_type: str | None = None
    fee_type: str = "quadratic"
    fee_multiplier: float = 1
    ticks: str = "linear_cent"


@dataclass(frozen=True)
class PolyText:
    event: str
    question: str
    description: str
    group: str = ""
    tags: tuple[str, ...] = ()
    fee_type: str = "general_fees"
    fee_rate: float = 0.05
    rebate: float = 0.25
    source: str = ""
    outcomes: tuple[str, str] = ("Yes", "No")


@dataclass(frozen=True)
class PredictItText:
    name: str
    short: str
    contract: str = "{o.name}"


@dataclass(frozen=True)
class Template:
    name: str
    category: str
    kind: int
    draw: Callable[[Draw, float, bool], Spec]
    kalshi: KalshiText
    poly: PolyText
    predictit: PredictItText | None = None
    near: dict[str, Alter] = field(default_factory=dict)
    exclusive: bool = False
    poly_single: bool = False  # a two-way contest: one market with two named outcomes
    augmented: bool = False
    inverse_poly: PolyText | None = None
    liquidity: float = 1.0


YES = Outcome("Yes", "")


def altered(spec: Spec, shift: float = 0.0, **changes: Any) -> Spec:
    """The same question with changed parameters and a moved probability (logits)."""
    spec = replace(spec, p={**spec.p, **changes}, shift=spec.shift + shift)
    by = changes.get("by")
    if by is not None:
        spec.close = Day.of(by).at(0)
    return spec


def later_deadline(spec: Spec, r: Draw) -> Spec:
    days = r.pick((31, 61, 92))
    by = Day.of(spec.p["by"] + (day_of(0, days) - day_of(0)))
    return altered(spec, 0.35, by=Day(by.year, by.month, 1) if by.day > 15 else by)


def other_threshold(spec: Spec, r: Draw) -> Spec:
    """Every strike moved by half a step: same words, other numbers."""
    gap = spec.p["step"] * (0.5 if r.unit() < 0.5 else -0.5)
    moved = [shifted_outcome(o, gap, spec.p["unit"]) for o in spec.outcomes]
    return replace(spec, outcomes=moved)


def shifted_outcome(o: Outcome, gap: float, unit_: float) -> Outcome:
    lo = None if o.lo is None else round(o.lo + gap, 4)
    hi = None if o.hi is None else round(o.hi + gap, 4)
    z = gap / unit_
    return strike_outcome(o.name, lo, hi, o.z_lo + z, o.z_hi + z)


def strike_outcome(name: str, lo: float | None, hi: float | None, z_lo: float,
                   z_hi: float) -> Outcome:
    code = f"T{strike_code(lo)}" if hi is None else f"B{strike_code(((lo or 0) + hi) / 2)}"
    if lo is None:
        code = f"T{strike_code(hi)}"
    return Outcome(name, code, lo, hi, z_lo, z_hi, short=number(lo if lo is not None else hi))


def strike_code(x: float | None) -> str:
    return f"{x:.4f}".rstrip("0").rstrip(".") if x is not None else ""


def number(x: float | None) -> str:
    """A strike as people write it: 94,500 or 3.2."""
    if x is None:
        return ""
    return f"{x:,.0f}" if float(x).is_integer() else f"{x:,.4f}".rstrip("0")


def ladder(mu: float, unit_: float, step: float, n: int) -> list[Outcome]:
    """`n` rungs "at or above" around mu, `step` apart, on round numbers."""
    first = round(mu / step) * step - step * (n // 2)
    rungs = [round(first + step * i, 4) for i in range(n)]
    return [strike_outcome("", k, None, (k - mu) / unit_, float("inf")) for k in rungs]


def brackets(mu: float, unit_: float, step: float, n: int) -> list[Outcome]:
    """`n` ranges that cover the line: below, some inner ones of width `step`, above."""
    first = round(mu) - step * (n - 2) // 2
    edges = [first + step * i for i in range(n - 1)]
    out = [strike_outcome("", None, edges[0], -float("inf"), (edges[0] - 0.5 - mu) / unit_)]
    for lo, hi in zip(edges, edges[1:], strict=False):
        z = ((lo - 0.5 - mu) / unit_, (hi - 0.5 - mu) / unit_)
        out.append(strike_outcome("", lo, hi - 1, *z))
    top = edges[-1]
    out.append(strike_outcome("", top, None, (top - 0.5 - mu) / unit_, float("inf")))
    return out


def long_life(r: Draw, now: float, fresh: bool) -> tuple[float, Day]:
    """When it was listed and the first of a month by which it is decided."""
    opened = now + r.unit() * DAY if fresh else now - r.between(10, 200) * DAY
    d = day_of(now, r.pick((25, 45, 70, 130, 220, 400, 780)))
    return opened, Day(d.year, d.month, 1)


def draw_office_exit(r: Draw, now: float, fresh: bool) -> Spec:
    opened, by = long_life(r, now, fresh)
    office, code = r.pick(names.OFFICES)
    if r.unit() < 0.6:
        letters, state = r.pick(tuple(names.STATES.items()))
        office, code = f"Governor of {state}", f"GOV{letters}"
    first, last = r.pick(names.FIRST), r.pick(names.LAST)
    person = f"{first} {last}"
    p = {"person": person, "surname": last, "initials": last[:5] + first[:3],
         "office": office, "code": code, "by": by, "act": "leaves office as",
         "acts": "leave office as"}
    return Spec(None, p, [YES], opened, by.at(0), r.between(-2.2, 0.6))


def draw_bill(r: Draw, now: float, fresh: bool) -> Spec:
    opened, by = long_life(r, now, fresh)
    state = r.pick(tuple(names.STATES.values()))
    number_ = r.whole(1, 990)
    bill = f"{state} {r.pick(names.BILLS)} (HB {number_})"
    code = f"{state[:4]}{state[-2:]}HB{number_}".replace(" ", "")
    p = {"bill": bill, "code": code, "by": by, "step_done": "becomes law",
         "step_do": "become law"}
    return Spec(None, p, [YES], opened, by.at(0), r.between(-2.0, 1.0))


def draw_release(r: Draw, now: float, fresh: bool) -> Spec:
    opened, by = long_life(r, now, fresh)
    artist = f"{r.pick(names.FIRST)} {r.pick(names.LAST)}"
    p = {"artist": artist, "by": by,
         "code": (artist.split()[1][:5] + artist.split()[0][:3]).upper(),
         "work": "a new studio album"}
    return Spec(None, p, [YES], opened, by.at(0), r.between(-1.5, 1.5))


def season(now: float) -> str:
    y = day_of(now).year
    return f"{y}-{(y + 1) % 100:02d}"


def draw_playoffs(r: Draw, now: float, fresh: bool) -> Spec:
    opened, by = long_life(r, now, fresh)
    league = r.pick(("NFL", "NBA", "NHL"))
    code, city, nick = r.pick(names.TEAMS[league])
    p = {"league": league, "team": f"{city} {nick}", "code": code, "season": season(now),
         "sport": names.SPORT_WORDS[league][1], "by": by, "stage": "playoffs"}
    return Spec(None, p, [YES], opened, by.at(0), r.between(-1.8, 1.8))


def draw_touch(r: Draw, now: float, fresh: bool) -> Spec:
    opened, by = long_life(r, now, fresh)
    sym, name, mu, unit_, step = r.pick(names.COINS)
    strike = round(round(mu * r.between(0.75, 1.45) / step) * step, 4)
    p = {"sym": sym, "coin": name, "strike": number(strike), "strike_v": strike, "by": by,
         "step": step, "unit": unit_, "side": "above" if strike > mu else "below",
         "source": "CF Benchmarks"}
    return Spec(None, p, [YES], opened, by.at(0), r.between(-2.0, 0.5))


def near_touch(spec: Spec, r: Draw) -> Spec:
    up = 2 * spec.p["step"]
    strike = round(spec.p["strike_v"] + up, 4)
    return altered(spec, -0.3, strike=number(strike), strike_v=strike)


def draw_updown(r: Draw, now: float, fresh: bool) -> Spec:
    raise NotImplementedError("rolling markets are laid out by world.rolling_specs")


def draw_game(r: Draw, now: float, fresh: bool) -> Spec:
    league = r.pick(("NFL", "NBA", "NBA", "NHL", "NHL", "NCAAF"))
    away, home = r.sample(names.TEAMS[league], 2)
    d = day_of(now, r.whole(1, 2) if fresh else r.whole(0, 13))
    start = d.at(r.pick((13, 16, 19, 20, 22)), r.pick((0, 5, 30)))
    outs = [Outcome(f"{c} {n}", code, short=c) for code, c, n in (away, home)]
    p = {"league": league, "sport": names.SPORT_WORDS[league][0], "d": d, "away": away[1],
         "home": home[1], "away_nick": away[2], "home_nick": home[2], "start": start,
         "code": away[0] + home[0], "void": "the market will resolve to a fair market price",
         "where": "the game"}
    opened = now + r.unit() * DAY * 0.5 if fresh else start - r.between(10, 16) * DAY
    lean = r.between(-1.2, 1.2)
    return Spec(None, p, outs, opened, start + r.between(2.4, 3.4) * 3600, 0.0, 1.0, 0, True,
                [lean / 2, -lean / 2])


def draw_crypto_close(r: Draw, now: float, fresh: bool) -> Spec:
    sym, name, mu, unit_, step = r.pick(names.COINS)
    d = day_of(now, r.whole(1, 2) if fresh else r.pick((0, 1, 2, 3, 5, 8, 12, 20, 40)))
    hour = r.pick((9, 11, 12, 14, 16, 17, 20))
    close = d.at(hour)
    days = max(1.0, (close - now) / DAY)
    p = {"sym": sym, "coin": name, "d": d, "hour": f"{(hour - 1) % 12 + 1}",
         "half": "AM" if hour < 12 else "PM", "hh": f"{hour:02d}", "unit": unit_, "step": step,
         "source": "CF Benchmarks", "cmp": "at or above"}
    outs = ladder(mu, unit_, step * (1 if days < 4 else 2), 4)
    opened = now + r.unit() * DAY * 0.3 if fresh else close - max(9.0, days + 7.5) * DAY
    key = sum(ord(c) << (8 * i) for i, c in enumerate(sym))
    return Spec(None, p, outs, opened, close, 0.0, 0.5, key)


def draw_metric(r: Draw, now: float, fresh: bool) -> Spec:
    series, name, thing, suffix, mu, unit_, step, source = r.pick(names.METRICS)
    d = day_of(now, r.whole(20, 330))
    month = Day(d.year, d.month, 1)
    release = Day.of(month + (day_of(0, 40) - day_of(0)))
    p = {"series": series, "metric": name, "thing": thing, "suffix": suffix, "month": month,
         "release": release, "unit": unit_, "step": step, "source": source, "cmp": "at least"}
    opened = now + r.unit() * DAY if fresh else now - r.between(10, 60) * DAY
    return Spec(None, p, ladder(mu, unit_, step, 4), opened, release.at(8, 30), 0.0, 0.8)


def draw_temp(r: Draw, now: float, fresh: bool) -> Spec:
    code, city, station, mu = r.pick(names.CITIES)
    d = day_of(now, r.whole(1, 2) if fresh else r.whole(0, 9))
    mu = mu + r.whole(-6, 6)
    p = {"city": city, "code": code, "station": station, "d": d, "unit": 2.6, "step": 2}
    opened = now + r.unit() * DAY * 0.4 if fresh else d.at(1) - r.between(9, 12) * DAY
    return Spec(None, p, brackets(mu, 2.6, 2, 5), opened, d.at(23, 59), 0.0, 0.7)


def draw_rain(r: Draw, now: float, fresh: bool) -> Spec:
    code, city, station, _ = r.pick(names.CITIES)
    d = day_of(now, r.whole(5, 150))
    month = Day(d.year, d.month, 1)
    end = Day.of(month + (day_of(0, 31) - day_of(0)))
    p = {"city": city, "code": code, "station": station, "month": month, "unit": 1.2, "step": 1}
    opened = now + r.unit() * DAY if fresh else now - r.between(9, 40) * DAY
    return Spec(None, p, ladder(r.whole(2, 6), 1.2, 1, 3), opened,
                Day(end.year, end.month, 1).at(0), 0.0, 0.9)


def draw_wins(r: Draw, now: float, fresh: bool) -> Spec:
    league = r.pick(("NFL", "NBA", "NHL"))
    code, city, nick = r.pick(names.TEAMS[league])
    mu, step = {"NFL": (9, 1), "NBA": (41, 3), "NHL": (43, 3)}[league]
    opened, by = long_life(r, now, fresh)
    p = {"league": league, "team": f"{city} {nick}", "code": code, "season": season(now),
         "sport": names.SPORT_WORDS[league][0], "unit": step * 1.2, "step": step, "by": by}
    outs = ladder(mu + r.whole(-3, 3), step * 1.2, step, 3)
    return Spec(None, p, outs, opened, by.at(0), 0.0, 0.9)


def draw_box_office(r: Draw, now: float, fresh: bool) -> Spec:
    film = f"{r.pick(names.FILMS)} {r.pick(('', 'II', 'III', 'Returns', 'Forever'))}".strip()
    opened, by = long_life(r, now, fresh)
    p = {"film": film, "code": "".join(w[0] for w in film.split()).upper() + film[-2:].upper(),
         "by": by, "unit": 6, "step": 5}
    return Spec(None, p, ladder(5 * r.whole(4, 16), 6, 5, 3), opened, by.at(0), 0.0, 0.8)


PARTIES = (Outcome("Democratic", "D", short="Democratic"),
           Outcome("Republican", "R", short="Republican"))


def draw_race(r: Draw, now: float, fresh: bool) -> Spec:
    code, state = r.pick(tuple(names.STATES.items()))
    year = day_of(now).year + 2 - day_of(now).year % 2
    if r.unit() < 0.45:
        office, race = "Senate", f"SENATE{code}"
        where = f"the {year} {state} Senate race"
        short = f"{state} Senate"
    elif r.unit() < 0.5:
        office, race = "Governor", f"GOVPARTY{code}"
        where = f"the {year} {state} gubernatorial election"
        short = f"{state} Governor"
    else:
        n = r.whole(1, 30)
        office, race = "House", f"HOUSE{code}{n}"
        where = f"the {year} House election in {state}'s district {n}"
        short = f"{code}-{n} House"
    day1 = Day(year, 11, 1)
    vote = Day(year, 11, 2 + (7 - day1.weekday()) % 7)
    opened = now + r.unit() * DAY if fresh else now - r.between(10, 150) * DAY
    lean = r.between(-2.0, 2.0)
    p = {"race": race, "where": where, "office": office, "year": year, "yy": year % 100,
         "vote": vote, "short": short}
    return Spec(None, p, list(PARTIES), opened, vote.at(23, 0), 0.0, 0.7, 0, False,
                [lean / 2, -lean / 2, -4.0])


def people(r: Draw, n: int) -> list[Outcome]:
    seen: dict[str, Outcome] = {}
    while len(seen) < n:
        first, last = r.pick(names.FIRST), r.pick(names.LAST)
        seen.setdefault(last[:4], Outcome(f"{first} {last}", last[:4].upper(), short=last))
    return list(seen.values())


def draw_nominee(r: Draw, now: float, fresh: bool) -> Spec:
    year = day_of(now).year + r.whole(2, 9)
    party = r.pick(("Democratic", "Republican"))
    code, state = r.pick(tuple(names.STATES.items()))
    office, o_code = r.pick((("Senate", "SENNOM"), ("gubernatorial", "GOVNOM")))
    if r.unit() < 0.15:
        state, code, office, o_code = "U.S.", "US", "presidential", "PRESNOM"
        year += -year % 4
    p = {"party": party, "pcode": party[0], "year": year, "yy": year % 100, "state": state,
         "scode": code, "office": office, "ocode": o_code}
    opened = now + r.unit() * DAY if fresh else now - r.between(10, 150) * DAY
    end = Day(year, 8, 20)
    scores = [r.between(-1.2, 1.6) for _ in range(5)] + [0.2]
    return Spec(None, p, people(r, 5), opened, end.at(23, 0), 0.0, 0.6, 0, False, scores)


def draw_champion(r: Draw, now: float, fresh: bool) -> Spec:
    league = r.pick(tuple(names.TEAMS))
    prize, code = r.pick((("championship", "CHAMP"), ("regular season title", "REG"),
                          ("MVP team", "MVPT")))
    year = day_of(now).year + r.whole(1, 4)
    teams = r.sample(names.TEAMS[league], 7)
    outs = [Outcome(f"{c} {n}", k, short=c) for k, c, n in teams]
    p = {"league": league, "sport": names.SPORT_WORDS[league][1], "prize": prize, "year": year,
         "yy": year % 100, "code": code}
    opened = now + r.unit() * DAY if fresh else now - r.between(10, 90) * DAY
    scores = [r.between(-1.0, 1.2) for _ in range(7)] + [1.6]
    return Spec(None, p, outs, opened, Day(year, 6, 20).at(23, 0), 0.0, 0.6, 0, False, scores)


def draw_award(r: Draw, now: float, fresh: bool) -> Spec:
    prize, series, body = r.pick(names.AWARDS)
    year = day_of(now).year + r.whole(1, 12)
    outs = [Outcome(f, "".join(w[0] for w in f.split()).upper() + f[-1].upper(), short=f)
            for f in r.sample(names.FILMS, 5)]
    p = {"prize": prize, "series": series, "body": body, "year": year, "yy": year % 100}
    opened = now + r.unit() * DAY if fresh else now - r.between(10, 90) * DAY
    scores = [r.between(-1.0, 1.5) for _ in range(5)] + [-0.5]
    return Spec(None, p, outs, opened, Day(year, 3, 14).at(22, 0), 0.0, 0.6, 0, False, scores)


def draw_fed(r: Draw, now: float, fresh: bool) -> Spec:
    d = day_of(now, r.whole(12, 900))
    month = Day(d.year, d.month, 1)
    meeting = Day(d.year, d.month, r.whole(14, 20))
    outs = [Outcome("Hike", "H25", short="Increase"), Outcome("No change", "H0", short="No change"),
            Outcome("Cut 25bps", "C25", short="25 bps decrease"),
            Outcome("Cut >25bps", "C26", short="50+ bps decrease")]
    p = {"month": month, "meeting": meeting}
    opened = now + r.unit() * DAY if fresh else now - r.between(10, 90) * DAY
    return Spec(None, p, outs, opened, meeting.at(14, 0), 0.0, 0.6, 0, True,
                [r.between(-2, 0), r.between(0, 1.5), r.between(-0.5, 1.5), r.between(-2.5, -1)])


