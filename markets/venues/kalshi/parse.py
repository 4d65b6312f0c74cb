"""Kalshi's market and event payloads to our values. Pure.

Prices are dollar strings of a 1.00 contract, so they are probabilities as they stand; the tick
grid is read from `price_ranges` and never from its label.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

import msgspec
from msgspec import UNSET

from markets.quotes import (
    EventInfo,
    FeeInfo,
    Listing,
    MarketInfo,
    OutcomeInfo,
    Page,
    PriceRange,
    Quote,
    Status,
)
from markets.venues.kalshi import shapes
from markets.venues.kalshi.numbers import ONE, ZERO, checked, contracts, count, fraction, quoted
from markets.venues.payload import (
    BadItem,
    Tray,
    clean,
    has_tricks,
    known_fields,
    peek,
    read,
    read_body,
    unknown_keys,
)

VENUE = "kalshi"
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
NO_EVENTS: Mapping[str, EventInfo] = {}

_MARKET = msgspec.json.Decoder(shapes.Market)
_EVENT = msgspec.json.Decoder(shapes.Event)
_RANGES = msgspec.json.Decoder(list[shapes.PriceRangeShape])
_MARKETS_PAGE = msgspec.json.Decoder(shapes.MarketsPage)
_EVENTS_PAGE = msgspec.json.Decoder(shapes.EventsPage)
_ONE_MARKET = msgspec.json.Decoder(shapes.OneMarket)
_ONE_EVENT = msgspec.json.Decoder(shapes.OneEvent)
_KEYS = msgspec.json.Decoder(dict[str, msgspec.Raw])

MARKET_FIELDS = known_fields(shapes.Market, shapes.IGNORED_MARKET)
EVENT_FIELDS = known_fields(shapes.Event, shapes.IGNORED_EVENT)


# --- pages ---------------------------------------------------------------------------------


def parse_markets(
    body: bytes,
    received_at: datetime,
    endpoint: str = "GET /markets",
    events: Mapping[str, EventInfo] = NO_EVENTS,
    limit: int = 0,
) -> Page[Listing]:
    """A page of markets; `events` lends titles and categories, `limit` is what was asked for."""
    tray: Tray[Listing] = Tray(VENUE, endpoint)
    try:
        page, body = read_body(_MARKETS_PAGE, body)
    except BadItem as bad:
        tray.refuse(bad, raw=body)
        return tray.page()
    _listings(tray, page.markets or (), received_at, events)
    cursor, is_last = turn(tray, page, body, len(page.markets or ()), limit)
    return tray.page(cursor, is_last)


def parse_market(
    body: bytes,
    received_at: datetime,
    endpoint: str = "GET /markets/{ticker}",
    events: Mapping[str, EventInfo] = NO_EVENTS,
) -> Page[Listing]:
    """`GET /markets/{ticker}`."""
    tray: Tray[Listing] = Tray(VENUE, endpoint)
    try:
        page, _ = read_body(_ONE_MARKET, body)
    except BadItem as bad:
        tray.refuse(bad, raw=body)
        return tray.page()
    _listings(tray, (page.market,), received_at, events)
    return tray.page()


def parse_quotes(
    body: bytes, received_at: datetime, endpoint: str = "GET /markets", limit: int = 0
) -> Page[Quote]:
    """The same payload as `parse_markets`, of which only the quotes are wanted."""
    page = parse_markets(body, received_at, endpoint, limit=limit)
    quotes = tuple(listing.quote for listing in page.items if listing.quote is not None)
    return Page(quotes, page.refused, page.extras, page.endpoint, page.cursor, page.is_last)


def parse_events(
    body: bytes,
    received_at: datetime,
    endpoint: str = "GET /events",
    tags: Mapping[str, tuple[str, ...]] | None = None,
    limit: int = 0,
) -> Page[EventInfo]:
    """A page of events; `tags` by series, because events carry none."""
    tray: Tray[EventInfo] = Tray(VENUE, endpoint)
    try:
        page, body = read_body(_EVENTS_PAGE, body)
    except BadItem as bad:
        tray.refuse(bad, raw=body)
        return tray.page()
    seen: set[str] = set()
    for raw in page.events or ():
        _keep(tray, raw, "event_ticker", lambda raw: _event(raw, received_at, tray, tags), seen)
    cursor, is_last = turn(tray, page, body, len(page.events or ()), limit)
    return tray.page(cursor, is_last)


def parse_nested(
    body: bytes, received_at: datetime, endpoint: str = "GET /events", limit: int = 0
) -> Page[Listing]:
    """Events with their markets inside: every listing carries its event."""
    tray: Tray[Listing] = Tray(VENUE, endpoint)
    try:
        page, body = read_body(_EVENTS_PAGE, body)
    except BadItem as bad:
        tray.refuse(bad, raw=body)
        return tray.page()
    for raw in page.events or ():
        _family(tray, raw, (), received_at)
    cursor, is_last = turn(tray, page, body, len(page.events or ()), limit)
    return tray.page(cursor, is_last)


def parse_event(
    body: bytes, received_at: datetime, endpoint: str = "GET /events/{event_ticker}"
) -> Page[Listing]:
    """`GET /events/{event_ticker}` with its markets."""
    tray: Tray[Listing] = Tray(VENUE, endpoint)
    try:
        page, _ = read_body(_ONE_EVENT, body)
    except BadItem as bad:
        tray.refuse(bad, raw=body)
        return tray.page()
    _family(tray, page.event, page.markets or (), received_at)
    return tray.page()


def _family(tray: Tray[Listing], raw: msgspec.Raw, beside: Any, received_at: datetime) -> None:
    """One event and the markets inside it or beside it."""
    try:
        event = _event(bytes(raw), received_at, tray, None)
    except BadItem as bad:
        tray.refuse(bad, bad.ref or peek(raw, "event_ticker"), bytes(raw))
        return
    markets = read(_EVENT, raw).markets or beside
    _listings(tray, markets, received_at, {event.ref: event}, with_event=True)


# --- shared by every parser of this venue ---------------------------------------------------


def turn(tray: Tray[Any], page: Any, body: bytes, found: int, limit: int) -> tuple[str, bool]:
    """The next cursor, and whether the venue said that there is none.

    A cursor that is absent rather than empty counts as the end only on a page that is short and
    has no unknown field beside it: otherwise it may merely have been renamed.
    """
    fields = known_fields(type(page))
    strange = {key for key in _KEYS.decode(body) if key not in fields}
    tray.extras |= {f"{type(page).__name__}.{clean(key)[:100]}" for key in strange}
    if page.cursor is UNSET:
        return "", not strange and (not limit or found < limit)
    return page.cursor or "", not page.cursor


def _keep(
    tray: Tray[Any],
    raw: msgspec.Raw,
    id_field: str,
    build: Callable[[bytes], Any],
    seen: set[str],
) -> None:
    item = bytes(raw)
    try:
        value = build(item)
        if value.ref in seen:
            raise BadItem("duplicate", id_field, ref=value.ref)
    except BadItem as bad:
        tray.refuse(explained(bad, item), bad.ref or peek(item, id_field), item)
    else:
        seen.add(value.ref)
        tray.items.append(value)


def explained(bad: BadItem, raw: bytes) -> BadItem:
    """A better reason where the item belongs to a form we know and do not read."""
    if bad.reason not in ("missing", "retyped"):
        return bad
    try:
        keys = _KEYS.decode(raw)
    except (msgspec.DecodeError, UnicodeError):
        return bad
    if any(key.startswith("_") for key in keys):
        return BadItem("out_of_scope", sample="keys of a client library's own objects")
    if bad.field.endswith("_dollars") and bad.field.removesuffix("_dollars") in keys:
        return BadItem("legacy_cents", bad.field)
    return bad


def name(text: str, field: str) -> str:
    """An id that may go into keys and addresses."""
    if not text or len(text) > 200 or not text.isascii() or not text.isprintable() or " " in text:
        raise BadItem("out_of_range", field, sample=text[:80])
    return text


def utc(moment: datetime | None) -> datetime | None:
    """Aware UTC; year 1, which Kalshi writes for a time it does not have, is None."""
    if moment is None or moment.year <= 1:
        return None
    if moment.tzinfo is UTC:
        return moment
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


# --- markets ---------------------------------------------------------------------------------


def _listings(
    tray: Tray[Listing],
    raws: Any,
    received_at: datetime,
    events: Mapping[str, EventInfo],
    with_event: bool = False,
) -> None:
    seen: set[str] = set()
    last = len(raws) - 1
    for index, raw in enumerate(raws):
        item = bytes(raw)
        try:
            market = read(_MARKET, item)
            if market.ticker in seen:
                raise BadItem("duplicate", "ticker")
            event = events.get(market.event_ticker)
            info = _market(market, event, received_at, item)
            quote = _quote(market, info.ref, received_at)
        except BadItem as bad:
            bad = explained(bad, item)
            tray.refuse(bad, peek(item, "ticker", "_ticker"), item)
            is_changed = bad.reason == "missing"
        else:
            seen.add(info.ref)
            tray.items.append(Listing(info, quote, event if with_event else None))
            is_changed = False
        # A sample of the page tells what is new in all of it; a gap may be a renamed field.
        if is_changed or index in (0, last >> 1, last):
            _note_extras(tray, item, MARKET_FIELDS, "Market")


def _note_extras(tray: Tray[Any], raw: bytes, known: frozenset[str], label: str) -> None:
    try:
        tray.extras.update(f"{label}.{key}" for key in unknown_keys(raw, known))
    except (msgspec.DecodeError, UnicodeError):
        return


def _market(
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
        url=_url(series),
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
    grid = GRIDS.get(market.price_level_structure or "")
    if grid is not None:
        return _grid(grid)
    if market.price_level_structure is None and market.tick_size == 1:
        return _grid(GRIDS["linear_cent"])
    raise BadItem("missing", "price_ranges")


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


@lru_cache(1 << 14)
def _url(series: str) -> str:
    return f"https://kalshi.com/markets/{series.lower()}"


_TEXT_FACTS = (
    "yes_sub_title",
    "no_sub_title",
    "early_close_condition",
    "expiration_value",
    "strike_type",
    "functional_strike",
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
_RAW_FACTS = ("custom_strike", "mve_selected_legs")
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
            facts[field] = tidy(raw.decode("utf-8", "replace"))
    facts.update({n: str(v) for n in _WHOLE_FACTS if (v := getattr(market, n)) is not None})
    facts.update({n: "true" for n in _FLAG_FACTS if getattr(market, n)})
    if market.rules_secondary:
        facts["rules_primary_chars"] = str(len(market.rules_primary or ""))
    return facts


def _strike(number: Decimal, field: str) -> str:
    if not number.is_finite() or abs(number) > 10**15:
        raise BadItem("out_of_range", field, sample=str(number)[:80])
    return str(number)


def _quote(market: shapes.Market, ref: str, received_at: datetime) -> Quote:
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


# --- events ----------------------------------------------------------------------------------


def _event(
    raw: bytes,
    received_at: datetime,
    tray: Tray[Any],
    tags: Mapping[str, tuple[str, ...]] | None,
) -> EventInfo:
    event = read(_EVENT, raw)
    _note_extras(tray, raw, EVENT_FIELDS, "Event")
    return EventInfo(
        venue=VENUE,
        ref=name(event.event_ticker, "event_ticker"),
        title=clean(event.title),
        received_at=received_at,
        subtitle=clean(event.sub_title or ""),
        category=clean(event.category or ""),
        series=name(event.series_ticker, "series_ticker"),
        exclusive=event.mutually_exclusive,
        exhaustive=None,
        url=_url(event.series_ticker),
        sources=tuple(_sources(event)),
        tags=(tags or {}).get(event.series_ticker, ()),
        fee=_override(event),
        facts=_event_facts(event),
        venue_ts=utc(event.last_updated_ts),
    )


def _sources(event: shapes.Event) -> Iterator[str]:
    for source in event.settlement_sources or ():
        text = " ".join(part for part in (source.name, source.url) if part)
        if text:
            yield clean(text)


def _event_facts(event: shapes.Event) -> dict[str, str]:
    facts = {
        "collateral_return_type": event.collateral_return_type,
        "strike_period": event.strike_period,
    }
    strike_date = utc(event.strike_date)
    if strike_date is not None:
        facts["strike_date"] = strike_date.isoformat()
    metadata = bytes(event.product_metadata)
    if metadata not in (b"", b"null"):
        facts["product_metadata"] = clean(metadata.decode("utf-8", "replace"))
    if event.exchange_index is not None:
        facts["exchange_index"] = str(event.exchange_index)
    return {key: value for key, value in facts.items() if value}


def _override(event: shapes.Event) -> FeeInfo | None:
    if event.fee_type_override is None and event.fee_multiplier_override is None:
        return None
    return fee(
        "event",
        event.event_ticker,
        event.fee_type_override,
        event.fee_multiplier_override,
        None,
    )


#: fee_type → the maker's share of the taker fee; `flat` has a table of its own that nobody sends.
MAKER_SHARES = {
    "quadratic": "0",
    "quadratic_with_maker_fees": "0.25",
    "quadratic_with_combo_maker_fees": "0.5",
}
TAKER_RATE = "0.07"


def fee(
    scope: str,
    ref: str,
    fee_type: str | None,
    multiplier: Decimal | None,
    effective_from: datetime | None,
) -> FeeInfo:
    """taker = multiplier x rate x C x P x (1 - P), maker = maker_multiplier x taker.

    A value that an override leaves out (formula `inherit` when the type is) holds as in the
    scope above; formula `unknown` means that nothing may be ordered.
    """
    values: dict[str, str] = {}
    formula = "inherit" if fee_type is None else "unknown"
    if fee_type is not None:
        values["fee_type"] = clean(fee_type)[:60]
        if fee_type in MAKER_SHARES:
            formula = "quadratic"
            values |= {"rate": TAKER_RATE, "maker_multiplier": MAKER_SHARES[fee_type]}
    if multiplier is not None:
        if not multiplier.is_finite() or not 0 <= multiplier <= 100:
            raise BadItem("out_of_range", "fee_multiplier", sample=str(multiplier)[:80])
        values["multiplier"] = str(multiplier)
    return FeeInfo(VENUE, scope, name(ref, "ticker"), formula, values, effective_from)
