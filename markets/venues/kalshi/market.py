"""One Kalshi market to `MarketInfo` and `Quote`. Pure.

Prices are dollar strings of a 1.00 contract, so they are probabilities as they stand; the tick
grid is read from `price_ranges` and never from its label.
"""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from functools import lru_cache

import msgspec

from markets.quotes import EventInfo, MarketInfo, OutcomeInfo, PriceRange, Quote, Status
from markets.venues.kalshi import shapes
from markets.venues.kalshi.numbers import ONE, ZERO, checked, contracts, count, fraction, quoted
from markets.venues.kalshi.page import VENUE, address, name, plain, utc
from markets.venues.payload import BadItem, clean, has_tricks

STATUSES = {
    "initialized": Status.NEW,
    "active": Status.OPEN,
    "inactive": Status.PAUSED,
    "closed": Status.CLOSED,
    "determined": Status.DETERMINED,
    "amended": Status.DETERMINED,
    "disputed": Status.DISPUTED,
    "finalized": Status.SETTLED,
}
RESULTS = {"": "", "yes": "Yes", "no": "No", "scalar": "scalar"}
KINDS = frozenset({"binary", "scalar"})
OUTCOMES = (OutcomeInfo(0, "Yes"), OutcomeInfo(1, "No"))
HUNDREDTH = Decimal("0.01")
#: For payloads without `price_ranges`, which all carry one of these labels or a tick in cents.
GRIDS = {
    "linear_cent": (("0", "1", "0.01"),),
    "deci_cent": (("0", "1", "0.001"),),
    "tapered_deci_cent": (("0", "0.10", "0.001"), ("0.10", "0.90", "0.01"), ("0.90", "1", "0.001")),
}

_RANGES = msgspec.json.Decoder(list[shapes.PriceRangeShape])


def market_info(
    market: shapes.Market, event: EventInfo | None, received_at: datetime, raw: bytes
) -> MarketInfo:
    status = STATUSES.get(market.status)
    if status is None:
        raise BadItem("unknown_enum", "status", sample=market.status)
    result = RESULTS.get(market.result or "")
    if result is None:
        raise BadItem("unknown_enum", "result", sample=str(market.result))
    if market.market_type not in KINDS:
        raise BadItem("unknown_enum", "market_type", sample=market.market_type)
    if market.notional_value_dollars is not None:
        _check_notional(market.notional_value_dollars)
    value = _settlement(market, status)
    if status is Status.SETTLED and not result:
        status = Status.VOIDED
    series = event.series if event is not None else market.event_ticker.partition("-")[0]
    step = _size_step(market)
    tidy = clean if _is_tricky(raw) else str
    subtitle = market.yes_sub_title or market.subtitle or ""
    primary, secondary = market.rules_primary or "", market.rules_secondary or ""
    return MarketInfo(
        venue=VENUE,
        ref=name(market.ticker, "ticker"),
        title=tidy(_title(market, event)),
        status=status,
        outcomes=OUTCOMES,
        price_ranges=_price_ranges(market),
        received_at=received_at,
        event_ref=name(market.event_ticker, "event_ticker"),
        subtitle=tidy(subtitle),
        rules=tidy(f"{primary}\n\n{secondary}" if secondary else primary),
        venue_status=market.status,
        kind=_kind(market),
        result=result,
        settlement_value=value,
        size_step=step,
        min_size=step,
        open_time=utc(market.open_time),
        close_time=utc(market.close_time),
        expected_time=utc(market.expected_expiration_time),
        category=event.category if event is not None else "",
        series=series,
        url=address(series),
        facts=_facts(market, tidy),
        venue_ts=utc(market.updated_time),
    )


def _is_tricky(raw: bytes) -> bool:
    """Whether the texts may need cleaning: JSON escapes control characters, and what reorders
    text is not ASCII, so that most items are told apart by a glance at their bytes."""
    if b"\\" in raw or b"\x7f" in raw:
        return True
    return not raw.isascii() and has_tricks(raw.decode("utf-8", "replace"))


def _check_notional(text: str) -> None:
    if text != "1.0000" and checked(count, text, "notional_value_dollars") != ONE:
        raise BadItem("out_of_range", "notional_value_dollars", sample=text)


def _kind(market: shapes.Market) -> str:
    if market.mve_collection_ticker or market.ticker.startswith("KXMVE"):
        return "combo"
    return market.market_type


def _title(market: shapes.Market, event: EventInfo | None) -> str:
    """The market's own title (deprecated by the venue), or one made of event and side."""
    if market.title:
        return market.title
    side = market.yes_sub_title or market.subtitle or market.ticker
    return f"{event.title}: {side}" if event is not None and event.title else side


def _settlement(market: shapes.Market, status: Status) -> Decimal | None:
    """What YES pays: 1, 0, or for a scalar result the stated value."""
    if market.result == "yes":
        return ONE
    if market.result == "no":
        return ZERO
    if market.result != "scalar":
        return None
    if market.settlement_value_dollars is not None:
        return checked(fraction, market.settlement_value_dollars, "settlement_value_dollars")
    if status is Status.SETTLED:
        raise BadItem("missing", "settlement_value_dollars")
    return None


def _size_step(market: shapes.Market) -> Decimal:
    """0.01 everywhere today; whole contracts where an older payload says or counts so."""
    if market.fractional_trading_enabled is not None:
        return HUNDREDTH if market.fractional_trading_enabled else ONE
    return ONE if market.open_interest_fp is None else HUNDREDTH


def _price_ranges(market: shapes.Market) -> tuple[PriceRange, ...]:
    raw = bytes(market.price_ranges)
    if raw not in (b"", b"null"):
        return _ranges(raw)
    if not _is_old(market):
        raise BadItem("missing", "price_ranges")
    grid = GRIDS.get(market.price_level_structure or "")
    if grid is not None:
        return _grid(grid)
    if market.price_level_structure is None and market.tick_size == 1:
        return _grid(GRIDS["linear_cent"])
    raise BadItem("missing", "price_ranges")


def _is_old(market: shapes.Market) -> bool:
    """A payload of before `price_ranges`: it has what was taken away since, or not yet a shard."""
    old = (market.tick_size, market.yes_bid, market.volume_24h, market.open_interest)
    return any(value is not None for value in old)


@lru_cache(512)
def _grid(rows: tuple[tuple[str, str, str], ...]) -> tuple[PriceRange, ...]:
    try:
        ranges = tuple(PriceRange(fraction(a), fraction(b), fraction(s)) for a, b, s in rows)
    except ValueError as problem:
        raise BadItem("out_of_range", "price_ranges", sample=str(problem)) from None
    if not ranges:
        raise BadItem("missing", "price_ranges")
    if any(r.step == 0 or r.start >= r.end for r in ranges):
        raise BadItem("out_of_range", "price_ranges", sample=str(rows))
    return ranges


@lru_cache(512)
def _ranges(raw: bytes) -> tuple[PriceRange, ...]:
    try:
        rows = _RANGES.decode(raw)
    except (msgspec.DecodeError, UnicodeError):
        sample = raw[:300].decode("utf-8", "replace")
        raise BadItem("retyped", "price_ranges", sample=sample) from None
    return _grid(tuple(sorted((row.start, row.end, row.step) for row in rows)))


_TEXT_FACTS = (
    "yes_sub_title",
    "no_sub_title",
    "early_close_condition",
    "expiration_value",
    "strike_type",
    "price_level_structure",
    "mve_collection_ticker",
)
_PLAIN_FACTS = ("settlement_bounds_type", "settlement_floor_dollars", "settlement_value_dollars")
_TIME_FACTS = (
    "latest_expiration_time",
    "occurrence_datetime",
    "settlement_ts",
    "fee_waiver_expiration_time",
)
_NUMBER_FACTS = ("floor_strike", "cap_strike")
_RAW_FACTS = ("custom_strike", "functional_strike", "mve_selected_legs")
_WHOLE_FACTS = ("settlement_timer_seconds", "exchange_index")
_FLAG_FACTS = ("can_close_early", "is_provisional")


def _facts(market: shapes.Market, tidy: Callable[[str], str]) -> dict[str, str]:
    """Structured terms as text, under the venue's names; what is empty is left out."""
    facts = {n: tidy(v) for n in _TEXT_FACTS if (v := getattr(market, n))}
    facts.update({n: v for n in _PLAIN_FACTS if (v := getattr(market, n))})
    for field in _TIME_FACTS:
        moment = utc(getattr(market, field))
        if moment is not None:
            facts[field] = moment.isoformat()
    for field in _NUMBER_FACTS:
        number = getattr(market, field)
        if number is not None:
            facts[field] = _strike(number, field)
    for field in _RAW_FACTS:
        raw = bytes(getattr(market, field))
        if raw not in (b"", b"null"):
            facts[field] = tidy(plain(raw).decode("utf-8", "replace").strip('"'))
    facts.update({n: str(v) for n in _WHOLE_FACTS if (v := getattr(market, n)) is not None})
    facts.update({n: "true" for n in _FLAG_FACTS if getattr(market, n)})
    if market.rules_secondary:
        facts["rules_primary_chars"] = str(len(market.rules_primary or ""))
    return facts


def _strike(number: Decimal, field: str) -> str:
    if not number.is_finite() or abs(number) > 10**15:
        raise BadItem("out_of_range", field, sample=str(number)[:80])
    return str(number)


def quote(market: shapes.Market, ref: str, received_at: datetime) -> Quote:
    bid_size = contracts(market.yes_bid_size_fp, None, "yes_bid_size_fp")
    ask_size = contracts(market.yes_ask_size_fp, None, "yes_ask_size_fp")
    if bid_size is None and market.yes_bid is None:
        raise BadItem("missing", "yes_bid_size_fp")
    if ask_size is None and market.yes_bid is None:
        raise BadItem("missing", "yes_ask_size_fp")
    bid = checked(quoted, market.yes_bid_dollars, "yes_bid_dollars")
    ask = checked(quoted, market.yes_ask_dollars, "yes_ask_dollars")
    other_bid = checked(quoted, market.no_bid_dollars, "no_bid_dollars")
    other_ask = checked(quoted, market.no_ask_dollars, "no_ask_dollars")
    last = checked(quoted, market.last_price_dollars, "last_price_dollars")
    # A NO bid is a YES ask and the reverse, so an empty side is empty under both its names.
    if bid is None or not (bid_size is None or bid_size):
        bid = bid_size = other_ask = None
    if ask is None or not (ask_size is None or ask_size):
        ask = ask_size = other_bid = None
    volume = contracts(market.volume_24h_fp, market.volume_24h, "volume_24h_fp")
    interest = contracts(market.open_interest_fp, market.open_interest, "open_interest_fp")
    if volume is None:
        raise BadItem("missing", "volume_24h_fp")
    if interest is None:
        raise BadItem("missing", "open_interest_fp")
    return Quote(
        VENUE,
        ref,
        received_at,
        bid,
        ask,
        bid_size,
        ask_size,
        last,
        volume,
        interest,
        other_bid,
        other_ask,
    )
