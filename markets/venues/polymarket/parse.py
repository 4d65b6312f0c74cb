"""Polymarket's catalogue (Gamma) into our values. Pure; books and tapes are in `books.py`.

Gamma's prices are cached for up to 300 seconds, so its quotes are marked indicative.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import TypeVar

import msgspec
from msgspec import Raw

from markets.quotes import (
    EventInfo,
    FeeInfo,
    Listing,
    MarketInfo,
    OutcomeInfo,
    Page,
    PriceRange,
    Quote,
)
from markets.venues.fitting import fitted_event, fitted_market
from markets.venues.payload import (
    HUGE,
    SPOILT,
    BadItem,
    Tray,
    amount,
    bad_item,
    clean,
    exact,
    fields_of,
    has_tricks,
    moment,
    peek,
    price,
    read,
    read_body,
    unknown_keys,
    volume,
)
from markets.venues.polymarket.shapes import (
    EVENT_FIELDS,
    MARKET_FIELDS,
    EventsEnvelope,
    EventShape,
    FullEventShape,
    MarketsEnvelope,
    MarketShape,
    TagShape,
)
from markets.venues.polymarket.terms import (
    ONE,
    VENUE,
    ZERO,
    category_of,
    fee_of,
    outcome_of,
    status_of,
    status_words,
    texts,
)

V = TypeVar("V")
Taker = Callable[[Tray[Listing], list[Raw], datetime], None]

EVENTS = "GET /events/keyset"
MARKETS = "GET /markets/keyset"
SIZE_STEP = Decimal("0.01")
#: One object in so many is looked through for fields never seen: news comes on all of them, and
#: looking costs a fifth of the parsing.
NEWS_EVERY = 8
SITE = "https://polymarket.com"

#: Its bytes in hex: 32, or 31 of version v2.
_CONDITION = re.compile(r"0x[0-9a-fA-F]{62,64}").fullmatch
#: One part of an address, as long as names may be.
_SLUG = re.compile(r"[^\x00-\x20/?#\x7f-\xa0\u2000-\u206f]{1,280}").fullmatch

_EVENTS = msgspec.json.Decoder(EventsEnvelope)
_MARKETS = msgspec.json.Decoder(MarketsEnvelope)
_EVENT = msgspec.json.Decoder(FullEventShape)
_MARKET = msgspec.json.Decoder(MarketShape)
_RAWS = msgspec.json.Decoder(list[Raw])
_ENVELOPE = frozenset({"events", "markets", "next_cursor"})


def parse_events(
    body: bytes, received_at: datetime, limit: int | None = None, endpoint: str = EVENTS
) -> Page[Listing]:
    """A page of events with their markets. `limit` is what we asked for.

    A full page without a cursor is not believed to be the last one: that is also what a renamed
    cursor looks like.
    """
    tray: Tray[Listing] = Tray(VENUE, endpoint)
    try:
        envelope, body = read_body(_EVENTS, body)
    except BadItem as bad:
        tray.refuse(bad, raw=body)
        return tray.page()
    _take_events(tray, envelope.events, received_at)
    return _finish(tray, body, envelope.next_cursor, len(envelope.events), limit)


def parse_markets(
    body: bytes, received_at: datetime, limit: int | None = None, endpoint: str = MARKETS
) -> Page[Listing]:
    """A page of single markets, each with the event it nests, if any."""
    tray: Tray[Listing] = Tray(VENUE, endpoint)
    try:
        envelope, body = read_body(_MARKETS, body)
    except BadItem as bad:
        tray.refuse(bad, raw=body)
        return tray.page()
    _take_markets(tray, envelope.markets, received_at)
    return _finish(tray, body, envelope.next_cursor, len(envelope.markets), limit)


def parse_event_list(body: bytes, received_at: datetime, endpoint: str) -> Page[Listing]:
    """The old `/events`: a bare array, without a word on what follows."""
    return _bare(body, received_at, endpoint, _take_events)


def parse_market_list(body: bytes, received_at: datetime, endpoint: str) -> Page[Listing]:
    """The old `/markets`: a bare array."""
    return _bare(body, received_at, endpoint, _take_markets)


def _bare(body: bytes, received_at: datetime, endpoint: str, take: Taker) -> Page[Listing]:
    tray: Tray[Listing] = Tray(VENUE, endpoint)
    try:
        take(tray, read_body(_RAWS, body)[0], received_at)
    except BadItem as bad:
        tray.refuse(bad, raw=body)
    return tray.page()


def _finish(
    tray: Tray[Listing], body: bytes, cursor: str | None, count: int, limit: int | None
) -> Page[Listing]:
    strange = unknown_keys(body, _ENVELOPE)
    tray.extras |= strange
    is_short = limit is None or count < limit
    return tray.page(cursor or "", is_last=not cursor and is_short and not strange)


def _take_events(tray: Tray[Listing], raws: Iterable[Raw], received_at: datetime) -> None:
    for index, raw in enumerate(raws):
        try:
            shape = read(_EVENT, raw)
            event = fitted_event(tray, _event(shape, received_at))
        except SPOILT as problem:
            _refuse_event(tray, raw, bad_item(problem))
            continue
        if index % NEWS_EVERY == 0:
            tray.extras |= {f"event.{key}" for key in unknown_keys(raw, EVENT_FIELDS)}
        for market in shape.markets:
            _take_market(tray, market, received_at, event, shape)


def _take_markets(tray: Tray[Listing], raws: Iterable[Raw], received_at: datetime) -> None:
    for raw in raws:
        _take_market(tray, raw, received_at, None, None)


def _refuse_event(tray: Tray[Listing], raw: Raw, bad: BadItem) -> None:
    """Every market of an event that does not fit is set aside by its own name, where it has one."""
    place = BadItem(bad.reason, f"event.{bad.field.removeprefix('event.')}", bad.sample)
    try:
        markets = _RAWS.decode(fields_of(raw)["markets"])
    except (msgspec.DecodeError, KeyError, UnicodeError, RecursionError):
        tray.refuse(place, raw=raw)
        return
    for market in markets:
        tray.refuse(place, _name(market), raw)


def _take_market(
    tray: Tray[Listing],
    raw: Raw,
    received_at: datetime,
    event: EventInfo | None,
    event_shape: EventShape | None,
) -> None:
    try:
        shape = read(_MARKET, raw)
        if event is None and shape.events:
            event_shape = shape.events[0]
            event = fitted_event(tray, _event(event_shape, received_at, shape.tags))
        market = fitted_market(tray, _market(tray, shape, event, event_shape, received_at))
        if market.ref in tray.seen:
            raise BadItem("duplicate", "conditionId")
    except SPOILT as problem:
        tray.refuse(bad_item(problem), _name(raw), raw)
        return
    tray.seen.add(market.ref)
    quote = _part(tray, market.ref, lambda: _quote(shape, received_at))
    if len(tray.items) % NEWS_EVERY == 0:
        tray.extras |= unknown_keys(raw, MARKET_FIELDS)
    tray.items.append(Listing(market, quote, event))


def _name(raw: Raw) -> str:
    """What to call a market that is set aside; without a condition id, Gamma's own number."""
    number = peek(raw, "id")
    return peek(raw, "conditionId") or (f"gamma:{number}" if number else "")


def _part(tray: Tray[Listing], ref: str, make: Callable[[], V]) -> V | None:
    """A part of a market that may be set aside without the market."""
    try:
        return make()
    except SPOILT as problem:
        tray.refuse(bad_item(problem), ref)
        return None


def _event(
    shape: EventShape, received_at: datetime, tags: Sequence[TagShape] | None = None
) -> EventInfo:
    """`tags` are the market's own, for an event that is nested in it: that one has none."""
    slugs = tuple(clean(tag.slug) for tag in shape.tags or tags or ())
    source = clean(shape.resolution_source or "")
    if not shape.id:
        raise BadItem("missing", "event.id")
    return EventInfo(
        venue=VENUE,
        ref=shape.id,
        title=clean(shape.title),
        received_at=received_at,
        category=category_of(slugs),
        series=clean(shape.series[0].slug) if shape.series else "",
        # A neg-risk event pays at most one YES and may pay none.
        exclusive=True if shape.neg_risk else None,
        close_time=moment(shape.end_date, "event.endDate"),
        url=_address("event", shape.slug),
        sources=(source,) if source else (),
        tags=slugs,
        facts=_facts(
            negRisk=shape.neg_risk,
            enableNegRisk=shape.enable_neg_risk,
            negRiskAugmented=shape.neg_risk_augmented,
            negRiskMarketID=shape.neg_risk_market_id,
            startTime=shape.start_time,
            eventDate=shape.event_date,
            gameId=shape.game_id,
        ),
        venue_ts=moment(shape.updated_at, "event.updatedAt"),
    )


def _facts(**values: str | int | bool | Decimal | None) -> dict[str, str]:
    """Terms as text, without the empty ones; true and false in lower case."""
    return {
        name: clean(str(value)) if not isinstance(value, bool) else str(value).lower()
        for name, value in values.items()
        if value is not None and value != ""
    }


def _market(
    tray: Tray[Listing],
    shape: MarketShape,
    event: EventInfo | None,
    event_shape: EventShape | None,
    received_at: datetime,
) -> MarketInfo:
    if not shape.condition_id:
        raise BadItem("no_condition_id", "conditionId")
    if not _CONDITION(shape.condition_id):
        raise BadItem("out_of_range", "conditionId", sample=shape.condition_id)
    labels = texts(shape.outcomes, "outcomes")
    result, settled = outcome_of(shape, labels)
    _check_needed(shape)
    _note_tricks(tray, shape)
    return MarketInfo(
        venue=VENUE,
        ref=shape.condition_id,
        title=clean(shape.question),
        status=status_of(shape, settled),
        outcomes=_outcomes(shape, labels),
        price_ranges=_price_ranges(shape.order_price_min_tick_size),
        received_at=received_at,
        event_ref=event.ref if event else "",
        subtitle=clean(shape.group_item_title or ""),
        rules=clean(shape.description),
        venue_status=status_words(shape),
        kind="scalar" if shape.market_type == "scalar" else "binary",
        result=clean(result),
        settlement_value=settled,
        size_step=SIZE_STEP,
        min_size=amount(shape.order_min_size, "orderMinSize") or SIZE_STEP,
        open_time=moment(shape.start_date, "startDate"),
        # `endDate` is no cut-off: trading goes on past it while orders are accepted.
        close_time=moment(shape.closed_time, "closedTime"),
        expected_time=moment(shape.end_date, "endDate"),
        category=_category(shape, event),
        series=event.series if event else "",
        url=_url(shape, event_shape),
        fee=_fee(tray, shape),
        facts=_market_facts(shape, event_shape),
        venue_ts=moment(shape.updated_at, "updatedAt"),
    )


def _fee(tray: Tray[Listing], shape: MarketShape) -> FeeInfo | None:
    """A fee that cannot be read is unknown from now on: the one before must not stay in force."""
    try:
        return fee_of(shape)
    except SPOILT as problem:
        tray.refuse(bad_item(problem), shape.condition_id)
        return FeeInfo(VENUE, "market", shape.condition_id, "unknown", {})


def _check_needed(shape: MarketShape) -> None:
    """A market that may still trade needs more than one that has ended."""
    if shape.closed or shape.archived:
        return
    for name, value in (
        ("enableOrderBook", shape.enable_order_book),
        ("acceptingOrders", shape.accepting_orders),
        ("orderPriceMinTickSize", shape.order_price_min_tick_size),
        ("orderMinSize", shape.order_min_size),
    ):
        if value is None:
            raise BadItem("missing", name)


def _note_tricks(tray: Tray[Listing], shape: MarketShape) -> None:
    """Hidden characters are taken out of what is shown, and counted."""
    for name, text in (("question", shape.question), ("description", shape.description)):
        if has_tricks(text):
            tray.refuse(BadItem("cleaned", name, sample=text), shape.condition_id)


def _outcomes(shape: MarketShape, labels: Sequence[str]) -> tuple[OutcomeInfo, ...]:
    """Labels with their tokens: v2 markets name them in `positionIds`, all others in
    `clobTokenIds`, even where both are present."""
    if len(labels) != 2:
        raise BadItem("not_binary", "outcomes", sample=shape.outcomes)
    tokens = _tokens(shape)
    if tokens and len(tokens) != 2:
        raise BadItem("not_binary", "tokens", sample=str(tokens))
    first, second = tokens or ("", "")
    return (OutcomeInfo(0, clean(labels[0]), first), OutcomeInfo(1, clean(labels[1]), second))


def _tokens(shape: MarketShape) -> list[str]:
    version = shape.version or "v1"
    if version == "v2":
        name, tokens = "positionIds", shape.position_ids or []
    elif version == "v1":
        text = shape.clob_token_ids
        name, tokens = "clobTokenIds", texts(text, "clobTokenIds") if text else []
    else:
        raise BadItem("unknown_enum", "version", sample=version)
    if not tokens and shape.active and not shape.closed:
        raise BadItem("missing", name)
    if not all(token.isascii() and token.isdigit() for token in tokens):
        raise BadItem("retyped", name, sample=str(tokens))
    return tokens


def _price_ranges(tick: Decimal | None) -> tuple[PriceRange, ...]:
    if tick is None:
        return ()
    if not (tick.is_finite() and 0 < tick < 1):
        raise BadItem("out_of_range", "orderPriceMinTickSize", sample=str(tick)[:80])
    return _grid(exact(tick, "orderPriceMinTickSize"))


@lru_cache(256)
def _grid(tick: Decimal) -> tuple[PriceRange, ...]:
    return (PriceRange(ZERO, ONE, tick),)


def _category(shape: MarketShape, event: EventInfo | None) -> str:
    if event is not None and event.category:
        return event.category
    words = [clean(tag.slug) for tag in shape.tags or ()]
    return category_of(words) or clean(shape.category or "")


def _url(shape: MarketShape, event: EventShape | None) -> str:
    if event is None:
        return _address("market", shape.slug)
    return _address("event", event.slug, shape.slug)


def _address(*parts: str) -> str:
    """A page of the venue, or empty where a part of its address is none."""
    return "/".join((SITE, *parts)) if all(map(_SLUG, parts)) else ""


def _market_facts(shape: MarketShape, event: EventShape | None) -> Mapping[str, str]:
    return _facts(
        negRisk=shape.neg_risk,
        negRiskMarketID=shape.neg_risk_market_id,
        negRiskOther=shape.neg_risk_other or None,
        negRiskAugmented=event.neg_risk_augmented if event else None,
        groupItemTitle=shape.group_item_title,
        groupItemThreshold=shape.group_item_threshold,
        resolutionSource=shape.resolution_source,
        sportsMarketType=shape.sports_market_type,
        line=_line(shape.line),
        gameId=shape.game_id or (event.game_id if event else None),
        gameStartTime=shape.game_start_time,
        startTime=shape.event_start_time or (event.start_time if event else None),
        eventDate=event.event_date if event else None,
        feeType=shape.fee_type,
        secondsDelay=shape.seconds_delay or None,
        customLiveness=shape.custom_liveness or None,
        questionID=shape.question_id,
        version=shape.version or "v1",
        lowerBound=shape.lower_bound,
        upperBound=shape.upper_bound,
    )


def _line(value: Decimal | None) -> Decimal | None:
    """A handicap or total, of either sign."""
    if value is None or (value.is_finite() and abs(value) < HUGE):
        return value
    raise BadItem("out_of_range", "line", sample=str(value)[:80])


def _quote(shape: MarketShape, received_at: datetime) -> Quote:
    """Gamma's cached top of book of outcome 0. It writes an empty side as 0 or 1."""
    bid = price(shape.best_bid, "bestBid")
    ask = price(shape.best_ask, "bestAsk")
    return Quote(
        venue=VENUE,
        ref=shape.condition_id,
        received_at=received_at,
        bid=bid if bid else None,
        ask=ask if ask and ask < 1 else None,
        last=price(shape.last_trade_price, "lastTradePrice") or None,
        volume_24h=volume(shape.volume_24hr, "volume24hr"),
        venue_ts=moment(shape.updated_at, "updatedAt"),
        is_indicative=True,
    )
