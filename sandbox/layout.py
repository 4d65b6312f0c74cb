"""Which questions exist and who lists them: the world's blocks, each a function of the seed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from sandbox import names
from sandbox.catalogue import Template, strike_code
from sandbox.paths import DAY, hashed, key_of, wander
from sandbox.spec import EASTERN, NUMERIC, Draw, Outcome, Spec, day_of
from sandbox.wording import DAILY, LONG, UPDOWN

KALSHI, POLY, PREDICTIT = 0, 1, 2
VENUES = ("KALSHI", "POLY", "PREDICTIT")


@dataclass(slots=True)
class Listing:
    """One venue's event on a question. Its markets are `first … first + count - 1`."""

    venue: int
    event: int
    first: int
    count: int
    number: int
    inverse: bool = False
    augmented: bool = False
    protocol: str = "v1"
    combo: bool = False


@dataclass(slots=True)
class Placed:
    """A question and the venues that list it (venue, inverse), with its near-twin if any."""

    spec: Spec
    venues: list[tuple[int, bool]]
    near_term: str | None = None
    near: Spec | None = None
    near_venue: int = POLY


def kalshi_event_ticker(spec: Spec) -> tuple[str, str]:
    """(series ticker, event ticker)."""
    t = spec.template.kalshi
    series = t.series.format(**spec.p).upper()
    return series, f"{series}-{t.event_code.format(**spec.p).upper()}"


def weighted(r: Draw, weights: tuple[tuple[Template, int], ...]) -> Template:
    at = r.word() % sum(w for _, w in weights)
    for template, w in weights:
        at -= w
        if at < 0:
            return template
    raise AssertionError("weights are positive")


class Drafts:
    """Draws questions without repeating one; `seen` grows with every block."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.seen: set[str] = set()
        self.misses: dict[str, int] = {}

    def draw(self, r: Draw, weights: tuple[tuple[Template, int], ...], now: float,
             fresh: bool) -> Spec | None:
        """A question not asked before, or None after eight tries."""
        for _ in range(8):
            template = weighted(r, weights)
            if self.misses.get(template.name, 0) > 40:
                continue  # this kind has run out of new questions
            spec = template.draw(r, now, fresh)
            spec.template = template
            if self.claim(spec):
                self.misses[template.name] = 0
                return spec
            self.misses[template.name] = self.misses.get(template.name, 0) + 1
        return None

    def claim(self, spec: Spec, suffix: str = "") -> bool:
        name = kalshi_event_ticker(spec)[1] + suffix
        if name in self.seen:
            return False
        self.seen.add(name)
        return True

    def place(self, r: Draw, spec: Spec) -> Placed:
        """Who lists it: twins, near-twins, inverses and singles, in the shares of the design."""
        t = spec.template
        u = r.unit()
        both = [(KALSHI, False), (POLY, False)]
        placed = Placed(spec, both)
        if u < 0.30:
            if t.inverse_poly and r.unit() < 0.35:
                placed.venues = [(KALSHI, False), (POLY, True)]
        elif u < 0.48 and t.near:
            placed.venues = both if u < 0.36 else [(KALSHI, False)]
            self.add_near(r, placed)
        else:
            placed.venues = [(KALSHI, False)] if r.unit() < 0.5 else [(POLY, False)]
        if t.predictit and r.unit() < 0.35:
            placed.venues = [*placed.venues, (PREDICTIT, False)]
        return placed

    def add_near(self, r: Draw, placed: Placed) -> None:
        spec = placed.spec
        term = r.pick(sorted(spec.template.near))
        near = spec.template.near[term](spec, r)
        if self.claim(near, "" if term == "deadline" else f"|{term}"):
            placed.near_term, placed.near = term, near

    def base(self, origin: float) -> Iterator[Placed]:
        """What was listed before the origin, until questions run out (the caller stops first)."""
        def draw(r: Draw) -> Spec | None:
            past = r.unit()
            if past < 0.015:
                return self.draw(r, DAILY, origin - r.between(100, 190) * DAY, True)
            if past < 0.05:
                return self.draw(r, DAILY, origin - r.between(4, 80) * DAY, True)
            return self.draw(r, LONG, origin, False)
        return self.block(draw, 1)

    def daily(self, origin: float, day: int) -> Iterator[Placed]:
        """What is listed on one day, until questions run out (the caller stops first)."""
        return self.block(lambda r: self.draw(r, DAILY, origin + day * DAY, True), 2, day)

    def block(self, draw: Callable[[Draw], Spec | None], *salt: int) -> Iterator[Placed]:
        self.misses.clear()
        failures = i = 0
        while failures < 200:
            r = Draw(key_of(self.seed, *salt, i))
            i += 1
            spec = draw(r)
            failures = 0 if spec is not None else failures + 1
            if spec is not None:
                yield self.place(r, spec)

    def rolling(self, origin: float, day: int, every: int) -> Iterator[Placed]:
        """Up-or-down questions, one per `every` seconds, listed six periods ahead."""
        for k in range(int(DAY) // every):
            begin = origin + day * DAY + k * every
            yield Placed(updown_spec(begin, every), [(KALSHI, False), (POLY, False)])


def updown_spec(begin: float, every: int) -> Spec:
    """BTC over [begin, begin + every): yes when the path ends no lower than it began."""
    sym, coin, mu, unit_, _ = names.COINS[0]
    end = begin + every
    z0 = float(wander(hashed(coin_key(sym), 0), begin)) * 0.5
    strike = round(mu + z0 * unit_, 2)
    day = day_of(begin)
    clock = [eastern_clock(x) for x in (begin, end)]
    p = {"sym": sym, "coin": coin, "lower": sym.lower(), "strike": f"${strike:,.2f}",
         "strike_v": strike, "span": f"{every // 60}M", "every": f"{every // 60} mins",
         "code": eastern_code(end), "window": f"{eastern_day(begin)}, {clock[0]}-{clock[1]}",
         "until": clock[1], "begin": begin, "d": day}
    up = Outcome("Up", eastern_code(end)[-2:], strike, None, z0)
    return Spec(UPDOWN, p, [up], begin - 6 * every, end, 0.0, 0.5, coin_key(sym))


def coin_key(sym: str) -> int:
    return sum(ord(c) << (8 * i) for i, c in enumerate(sym))


def eastern(ts: float) -> datetime:
    return datetime.fromtimestamp(ts, EASTERN)


def eastern_clock(ts: float) -> str:
    return f"{eastern(ts):%I:%M%p}".lstrip("0")


def eastern_day(ts: float) -> str:
    d = eastern(ts)
    return f"{d:%B} {d.day}"


def eastern_code(ts: float) -> str:
    return f"{eastern(ts):%y%b%d%H%M}".upper()


def outcome_code(spec: Spec, o: Outcome) -> str:
    """The last part of a Kalshi market ticker."""
    if o.code:
        return o.code
    return strike_code(spec.p.get("strike_v")) or "YES"


def numeric_kind(spec: Spec) -> bool:
    return bool(spec.template.kind == NUMERIC or spec.template is UPDOWN)
