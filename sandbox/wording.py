"""The templates: every kind of question in the words of each venue."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sandbox import catalogue as c
from sandbox.catalogue import KalshiText, PolyText, PredictItText, Template, altered
from sandbox.paths import DAY
from sandbox.spec import BINARY, EXCLUSIVE, NUMERIC, Day, Draw, Spec, day_of

BLS = ("Bureau of Labor Statistics", "https://www.bls.gov")
CF = ("CF Benchmarks", "https://www.cfbenchmarks.com")
NWS = ("National Weather Service", "https://www.weather.gov")
LEAGUE = ("ESPN", "https://www.espn.com")
FED = ("Federal Reserve", "https://www.federalreserve.gov")
POLITICS: dict[str, Any] = {"fee_type": "politics_fees", "fee_rate": 0.04}
SPORTS: dict[str, Any] = {"fee_type": "sports_fees_v2", "fee_rate": 0.05, "rebate": 0.15}
CRYPTO: dict[str, Any] = {"fee_type": "crypto_fees_v2", "fee_rate": 0.07, "rebate": 0.2}
WEATHER: dict[str, Any] = {"fee_type": "weather_fees", "fee_rate": 0.05}
ECON: dict[str, Any] = {"fee_type": "economics_fees", "fee_rate": 0.05}
CULTURE: dict[str, Any] = {"fee_type": "culture_fees", "fee_rate": 0.05}


def set_to(shift: float, **changes: object) -> c.Alter:
    """An alteration that replaces parameters by fixed values."""
    return lambda spec, r: altered(spec, shift, **changes)


def first_half(spec: Spec, r: Draw) -> Spec:
    """Half the game: the same favourite, less of one."""
    spec = altered(spec, where="the first half")
    return replace(spec, scores=[0.6 * s for s in spec.scores])


def next_day(spec: Spec, r: Draw) -> Spec:
    d = Day.of(spec.p["d"] + (day_of(0, 1) - day_of(0)))
    return replace(spec, p={**spec.p, "d": d}, close=spec.close + DAY, shift=spec.shift + 0.3)


def next_meeting(spec: Spec, r: Draw) -> Spec:
    moved = day_of(0, 42) - day_of(0)
    meeting = Day.of(spec.p["meeting"] + moved)
    month = Day(meeting.year, meeting.month, 1)
    return replace(spec, p={**spec.p, "meeting": meeting, "month": month}, close=meeting.at(14))


def next_cycle(spec: Spec, r: Draw) -> Spec:
    year = spec.p["year"] + 2
    where = spec.p["where"].replace(str(spec.p["year"]), str(year))
    return altered(spec, 0.2, year=year, yy=year % 100, where=where)


OFFICE_EXIT = Template(
    "office_exit", "politics", BINARY, c.draw_office_exit,
    KalshiText(
        "KX{code}OUT", "{office} out?", "Politics", "Will {person} leave office before {by.short}?",
        "{by.code}-{initials}", "Before {by.short}", "Before {by.short}",
        "If {person} {act} {office} before {by.short}, then the market resolves to Yes.",
        "An announcement alone is not sufficient unless the market says so.",
        "Will {person} leave office before {by.short}?", ("US Elections",)),
    PolyText(
        "{person} out as {office} by {by.eve.long}?", "{person} out as {office} by {by.eve.words}?",
        "This market will resolve to \"Yes\" if {person} {act} {office} by {by.eve.long}, 11:59 PM "
        "ET. Otherwise, this market will resolve to \"No\". The primary resolution source is a "
        "consensus of credible reporting.", tags=("Politics",), **POLITICS),
    PredictItText("Will {person} leave office as {office} by {by.eve.numeric}?",
                  "{surname} out by {by.eve.numeric}?", "{person} out"),
    {"deadline": c.later_deadline,
     "stage": set_to(0.4, act="announces that they will leave office as",
                     acts="announce that they will leave office as")},
    inverse_poly=PolyText(
        "{person} still {office} through {by.eve.long}?",
        "Will {person} remain {office} through {by.eve.words}?",
        "This market will resolve to \"Yes\" if {person} holds the office of {office} continuously "
        "until {by.eve.long}, 11:59 PM ET. If {person} {act} {office} before then, this market "
        "will resolve to \"No\".", tags=("Politics",), **POLITICS))

BILL = Template(
    "bill", "politics", BINARY, c.draw_bill,
    KalshiText(
        "KXBILL", "Bills", "Politics", "{bill} {step_done} before {by.short}?",
        "{code}-{by.code}", "Before {by.short}", "Before {by.short}",
        "If the {bill} {step_done} after Issuance and before {by.short}, then the market resolves "
        "to Yes.", source=("Congress.gov", "https://www.congress.gov"), tags=("Congress",)),
    PolyText(
        "Will the {bill} {step_do} by {by.eve.long}?", "{bill}: {step_do} by {by.eve.words}?",
        "This market will resolve to \"Yes\" if the {bill} {step_done} by {by.eve.long}, 11:59 PM "
        "ET. Otherwise it will resolve to \"No\".", tags=("Politics", "Congress"), **POLITICS),
    PredictItText("Will the {bill} {step_do} by {by.eve.numeric}?", "{bill} by {by.eve.numeric}?",
                  "{bill}"),
    {"deadline": c.later_deadline,
     "stage": set_to(0.5, step_done="passes the Senate", step_do="pass the Senate")},
    liquidity=0.6)

RELEASE = Template(
    "release", "culture", BINARY, c.draw_release,
    KalshiText(
        "KXALBUM", "Album release", "Entertainment", "{artist} releases {work} before {by.short}?",
        "{code}-{by.code}", "Before {by.short}", "Before {by.short}",
        "If {artist} releases {work} before {by.short}, then the market resolves to Yes.",
        source=("Spotify", "https://www.spotify.com"), tags=("Music",), ticks="deci_cent"),
    PolyText(
        "Will {artist} release {work} by {by.eve.long}?", "New {artist} album by {by.eve.words}?",
        "This market will resolve to \"Yes\" if {artist} officially releases {work} by "
        "{by.eve.long}, 11:59 PM ET.", tags=("Culture", "Music"), **CULTURE),
    None, {"deadline": c.later_deadline, "entity": set_to(0.8, work="a new single")},
    liquidity=0.4)

PLAYOFFS = Template(
    "playoffs", "sports", BINARY, c.draw_playoffs,
    KalshiText(
        "KX{league}PLAYOFF", "{sport} Playoffs", "Sports",
        "Will the {team} make the {sport} {stage}?", "{by.code}-{code}", "{season} season",
        "{team}", "If the {team} qualify for the {season} {sport} {stage}, then the market "
        "resolves to Yes.", source=LEAGUE, tags=("{league}",)),
    PolyText(
        "{league}: {team} to make the {stage}?",
        "Will the {team} make the {season} {league} {stage}?",
        "This market will resolve to \"Yes\" if the {team} qualify for the {stage} of the {season} "
        "{league} season. A play-in appearance alone does not count.",
        tags=("Sports", "{league}"), **SPORTS),
    None, {"stage": set_to(-0.9, stage="conference finals")}, liquidity=0.5)

TOUCH = Template(
    "touch", "crypto", BINARY, c.draw_touch,
    KalshiText(
        "KX{sym}MAXMIN", "{coin} extremes", "Crypto", "{coin} {side} ${strike} before {by.short}?",
        "{by.code}-{strike_v}", "{side} ${strike}", "{side} ${strike}",
        "If the {source} {coin} real-time index is ever {side} {strike} dollars between Issuance "
        "and {by.short}, then the market resolves to Yes.", source=CF, tags=("{sym}",),
        strike_type="custom"),
    PolyText(
        "What price will {coin} hit by {by.eve.long}?", "Will {coin} hit ${strike} by "
        "{by.eve.words}?",
        "This market will immediately resolve to \"Yes\" if the {source} price of {coin} is at any "
        "time {side} ${strike} before {by.eve.long}, 11:59 PM ET.", "${strike}",
        ("Crypto", "{coin}"), source="https://www.cfbenchmarks.com", **CRYPTO),
    None, {"deadline": c.later_deadline, "threshold": c.near_touch,
           "source": set_to(0.02, source="Binance 1-minute candle")}, liquidity=1.2)

GAME = Template(
    "game", "sports", EXCLUSIVE, c.draw_game,
    KalshiText(
        "KX{league}GAME", "{sport} game", "Sports", "{away} at {home}", "{d.code}{code}",
        "{away} vs {home} ({d.short})", "{o.short}",
        "If {o.short} wins {where} of {away} vs {home}, a {sport} game originally scheduled for "
        "{d.short}, then the market resolves to Yes.",
        "If the game is postponed by more than two weeks or cancelled, {void}.",
        "{away} at {home} Winner?", ("{league}",), LEAGUE,
        fee_type="quadratic_with_maker_fees"),
    PolyText(
        "{away_nick} vs. {home_nick}", "{away_nick} vs. {home_nick}",
        "In the upcoming {league} game, scheduled for {d.words}: If the {away_nick} win {where}, "
        "the market will resolve to \"{away_nick}\". If the {home_nick} win {where}, the market "
        "will resolve to \"{home_nick}\". If the game is postponed, this market will remain open "
        "until the game has been completed. If it is cancelled, it will resolve 50-50.",
        tags=("Sports", "Games", "{league}"), outcomes=("{away_nick}", "{home_nick}"), **SPORTS),
    None, {"period": first_half}, exclusive=True, poly_single=True, liquidity=2.5)

UPDOWN = Template(
    "updown", "crypto", BINARY, c.draw_updown,
    KalshiText(
        "KX{sym}{span}", "{coin} price up or down", "Crypto", "{coin} price up in next {every}?",
        "{code}", "{window}", "Price to beat: {strike}",
        "If the average of the sixty seconds of CF Benchmarks' {sym} index before {until} EST is "
        "at least the opening average of {strike}, then the market resolves to Yes.",
        source=CF, tags=("{sym}", "15 min"), frequency="fifteen_min",
        strike_type="greater_or_equal"),
    PolyText(
        "{coin} Up or Down - {window} ET", "{coin} Up or Down - {window} ET",
        "This market will resolve to \"Up\" if the {coin} price at the end of the time range is "
        "greater than or equal to the price at its beginning. Otherwise, it will resolve to "
        "\"Down\". The resolution source is the Chainlink {sym}/USD data stream.",
        tags=("Crypto", "{coin}", "Up or Down"),
        source="https://data.chain.link/streams/{lower}-usd", outcomes=("Up", "Down"), **CRYPTO),
    None, {}, liquidity=2.0)

CRYPTO_CLOSE = Template(
    "crypto_close", "crypto", NUMERIC, c.draw_crypto_close,
    KalshiText(
        "KX{sym}D", "{coin} price at a time", "Crypto",
        "{coin} price on {d.short} at {hour} {half} EST?", "{d.code}{hh}",
        "On {d.short} at {hour} {half} EST", "${o.short} or above",
        "If the {source} {sym} index at {hour} {half} EST on {d.short} is {cmp} {o.short}, then "
        "the market resolves to Yes.", source=CF, tags=("{sym}",), frequency="daily",
        strike_type="greater_or_equal", ticks="tapered_deci_cent"),
    PolyText(
        "{coin} above ___ on {d.words}, {hour} {half} ET?",
        "Will the price of {coin} be {cmp} ${o.short} on {d.words}, {hour} {half} ET?",
        "This market will resolve to \"Yes\" if the {source} {sym} index price at {hour} {half} ET "
        "on {d.long} is {cmp} ${o.short}. Otherwise it will resolve to \"No\".", "${o.short}",
        ("Crypto", "{coin}"), source="https://www.cfbenchmarks.com", **CRYPTO),
    None, {"threshold": c.other_threshold, "comparator": set_to(0.0, cmp="strictly above"),
           "source": set_to(0.03, source="Binance"), "deadline": next_day}, liquidity=1.6)

METRIC = Template(
    "metric", "economics", NUMERIC, c.draw_metric,
    KalshiText(
        "{series}", "{metric}", "Economics", "{metric} in {month.month_year}?",
        "{month.month_code}", "In {month.month_year}", "{o.short}{suffix} or more",
        "If {thing} for {month.month_year} is {cmp} {o.short}{suffix}, then the market resolves "
        "to Yes.", "The first release counts; later revisions do not.", source=BLS,
        tags=("Inflation", "Growth"), frequency="monthly", strike_type="greater_or_equal",
        fee_type="quadratic_with_maker_fees"),
    PolyText(
        "{metric}: {month.month_year}", "Will {thing} be {cmp} {o.short}{suffix} in "
        "{month.month_year}?",
        "This market will resolve to \"Yes\" if {thing} for {month.month_year}, as first released "
        "by the {source}, is {cmp} {o.short}{suffix}.", "≥{o.short}{suffix}", ("Economy",), **ECON),
    None, {"threshold": c.other_threshold, "comparator": set_to(0.0, cmp="more than")})

TEMP = Template(
    "temp", "weather", NUMERIC, c.draw_temp,
    KalshiText(
        "KXHIGH{code}", "Highest temperature in {city}", "Climate and Weather",
        "Highest temperature in {city} on {d.short}?", "{d.code}", "On {d.short}", "{range_k}",
        "If the highest temperature recorded at {station}, {city} for {d.long} as reported by the "
        "National Weather Service's Climatological Report (Daily) is {range_r}, then the market "
        "resolves to Yes.", source=NWS, tags=("Daily temperature",), frequency="daily",
        strike_type="between"),
    PolyText(
        "Highest temperature in {city} on {d.words}?",
        "Will the highest temperature in {city} be {range_p} on {d.words}?",
        "This market will resolve to the range that contains the highest temperature recorded at "
        "{station} in {city} on {d.long}, according to the National Weather Service daily climate "
        "report, in whole degrees Fahrenheit.", "{range_g}", ("Weather",),
        source="https://www.weather.gov", **WEATHER),
    None, {"station": set_to(0.25, station="the city's secondary airport"), "deadline": next_day},
    exclusive=True, liquidity=0.7)

RAIN = Template(
    "rain", "weather", NUMERIC, c.draw_rain,
    KalshiText(
        "KXRAIN{code}M", "Rain in {city}", "Climate and Weather",
        "Rain in {city} in {month.month_year}?", "{month.month_code}", "In {month.month_year}",
        "{o.short} inches or more",
        "If total precipitation in {city} in {month.month_year} is at least {o.short} inches "
        "according to the National Weather Service, then the market resolves to Yes.",
        source=NWS, tags=("Precipitation",), frequency="monthly", strike_type="greater_or_equal",
        ticks="deci_cent"),
    PolyText(
        "Precipitation in {city} in {month.month_year}?",
        "{city}: {o.short} or more inches of rain in {month.month_year}?",
        "This market will resolve to \"Yes\" if monthly precipitation in {city} for "
        "{month.month_year} is {o.short} inches or more per the National Weather Service.",
        "≥{o.short}\"", ("Weather",), source="https://www.weather.gov", **WEATHER),
    None, {"threshold": c.other_threshold}, liquidity=0.3)

WINS = Template(
    "wins", "sports", NUMERIC, c.draw_wins,
    KalshiText(
        "KX{league}WINS", "{league} win totals", "Sports", "{team}: {season} regular season wins?",
        "{by.code}{code}", "{season} season", "At least {o.short} wins",
        "If the {team} win at least {o.short} {season} regular season {sport} games, then the "
        "market resolves to Yes.", source=LEAGUE, tags=("{league}",), frequency="annual",
        strike_type="greater_or_equal"),
    PolyText(
        "{team} {season} win total", "Will the {team} win {o.short} or more games in {season}?",
        "This market will resolve to \"Yes\" if the {team} finish the {season} {league} regular "
        "season with {o.short} or more wins.", "{o.short}+", ("Sports", "{league}"), **SPORTS),
    None, {"threshold": c.other_threshold}, liquidity=0.4)

BOX_OFFICE = Template(
    "box_office", "culture", NUMERIC, c.draw_box_office,
    KalshiText(
        "KXBOXOFFICE", "Opening weekend", "Entertainment", "\"{film}\" opening weekend?",
        "{code}{by.code}", "Domestic opening weekend", "${o.short} million or more",
        "If \"{film}\" grosses at least ${o.short} million domestically on its opening weekend "
        "before {by.short}, then the market resolves to Yes.",
        source=("The Numbers", "https://www.the-numbers.com"), tags=("Movies",),
        strike_type="greater_or_equal"),
    PolyText(
        "\"{film}\" Opening Weekend Box Office",
        "Will \"{film}\" gross at least ${o.short}m on its opening weekend?",
        "This market will resolve to \"Yes\" if the 3-day domestic opening of \"{film}\", released "
        "before {by.long}, is ${o.short} million or more according to The Numbers.",
        ">${o.short}m", ("Culture", "Movies"), source="https://www.the-numbers.com", **CULTURE),
    None, {"threshold": c.other_threshold}, liquidity=0.4)

RACE = Template(
    "race", "politics", EXCLUSIVE, c.draw_race,
    KalshiText(
        "{race}", "{short}", "Elections", "Which party will win {where}?", "{yy:02d}",
        "In {year}", "{o.name} Party",
        "If a representative of the {o.name} party is sworn in as the winner of {where}, then the "
        "market resolves to Yes.", tags=("US Elections", "{office}")),
    PolyText(
        "Winner of {where}", "Will the {o.short}s win {where}?",
        "This market will resolve according to the party of the candidate who wins {where}. It "
        "resolves when the Associated Press, Fox News and NBC have all called the race.",
        "{o.name}", ("Politics", "Elections"), **POLITICS),
    PredictItText("Which party will win {where}?", "{short} {year}?"),
    {"deadline": next_cycle}, exclusive=True, liquidity=0.8)

NOMINEE = Template(
    "nominee", "politics", EXCLUSIVE, c.draw_nominee,
    KalshiText(
        "KX{ocode}{pcode}{scode}", "{state} {party} {office} nominee", "Elections",
        "{year} {state} {party} {office} nominee?", "{yy:02d}", "In {year}", "{o.name}",
        "If {o.name} wins the {year} {party} nomination for the {state} {office} race, then the "
        "market resolves to Yes.", tags=("Primaries",), ticks="deci_cent"),
    PolyText(
        "{party} nominee for {state} {office} race {year}",
        "Will {o.name} be the {year} {party} nominee in the {state} {office} race?",
        "This market will resolve to \"Yes\" if {o.name} wins and accepts the {year} {party} "
        "nomination for the {state} {office} race. Replacement of the nominee before election day "
        "does not change the resolution.", "{o.name}", ("Politics", "Elections", "Primaries"),
        **POLITICS),
    PredictItText("Who will win the {year} {party} {office} nomination ({state})?",
                  "{state} {party} nominee {year}?"),
    {}, exclusive=True, augmented=True)

CHAMPION = Template(
    "champion", "sports", EXCLUSIVE, c.draw_champion,
    KalshiText(
        "KX{league}{code}", "{sport} {prize}", "Sports", "{year} {sport} {prize}?", "{yy:02d}",
        "{year}", "{o.name}",
        "If the {o.name} win the {year} {sport} {prize}, then the market resolves to Yes.",
        source=LEAGUE, tags=("{league}",), frequency="annual", ticks="tapered_deci_cent"),
    PolyText(
        "{league} {prize} {year}", "Will the {o.name} win the {year} {league} {prize}?",
        "This market will resolve to \"Yes\" if the {o.name} win the {year} {league} {prize}. If "
        "they are eliminated, this market will resolve to \"No\".", "{o.name}",
        ("Sports", "{league}"), **SPORTS),
    None, {}, exclusive=True, liquidity=1.2)

AWARD = Template(
    "award", "culture", EXCLUSIVE, c.draw_award,
    KalshiText(
        "{series}", "{prize}", "Entertainment", "{body} {year}: {prize}?", "{yy:02d}",
        "{year} ceremony", "{o.name}",
        "If {o.name} wins {prize} at the {year} {body}, then the market resolves to Yes.",
        tags=("Awards",), frequency="annual"),
    PolyText(
        "{body} {year}: {prize} winner", "Will \"{o.name}\" win {prize} at the {year} {body}?",
        "This market will resolve to \"Yes\" if \"{o.name}\" is awarded {prize} at the {year} "
        "{body}. In case of a tie it resolves in favour of the name first in alphabetical order.",
        "{o.name}", ("Culture", "Awards"), **CULTURE),
    None, {}, exclusive=True, liquidity=0.5)

FED_DECISION = Template(
    "fed", "economics", EXCLUSIVE, c.draw_fed,
    KalshiText(
        "KXFEDDECISION", "Fed decision", "Economics",
        "Fed decision in {month.month_year}?", "{month.month_code}",
        "{meeting.short} meeting", "{o.name}",
        "If the Federal Reserve's decision at its {meeting.short} meeting is \"{o.name}\", then "
        "the market resolves to Yes.", source=FED, tags=("Fed",),
        fee_type="quadratic_with_maker_fees"),
    PolyText(
        "Fed decision in {month.month_year}?",
        "Fed: {o.short} after {month.month_year} meeting?",
        "The FED interest rates are defined in this market by the upper bound of the target range. "
        "This market resolves to the change decided at the meeting that ends {meeting.long}.",
        "{o.short}", ("Economy", "Fed"), **ECON),
    None, {"deadline": next_meeting}, exclusive=True, liquidity=2.0)

COMBO = Template(
    "combo", "sports", BINARY, c.draw_updown,
    KalshiText(
        "KXMVESPORTSMULTIGAMEEXTENDED", "Combo", "Exotics", "{legs}", "{code}", "", "{legs}",
        "If every leg of this combo resolves to Yes ({legs}), then the market resolves to Yes.",
        source=LEAGUE, fee_type="quadratic_with_combo_maker_fees",
        ticks="center_deci_edge_centi_cent"),
    PolyText("", "", ""), liquidity=0.2)

# Template and its weight among new events: long-lived ones, then those listed day by day.
LONG = ((OFFICE_EXIT, 10), (BILL, 6), (RELEASE, 6), (PLAYOFFS, 5), (TOUCH, 7), (GAME, 16),
        (CRYPTO_CLOSE, 8), (METRIC, 6), (TEMP, 9), (RAIN, 4), (WINS, 5), (BOX_OFFICE, 4),
        (RACE, 12), (NOMINEE, 7), (CHAMPION, 3), (AWARD, 4), (FED_DECISION, 3))
DAILY = ((GAME, 5), (TEMP, 4), (CRYPTO_CLOSE, 4), (BILL, 1), (OFFICE_EXIT, 1))
