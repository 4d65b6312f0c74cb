"""Kalshi's pages of markets and events to our values. Pure."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import msgspec

from markets.quotes import EventInfo, Listing, Page, Quote
from markets.venues.fitting import fitted_market
from markets.venues.kalshi import shapes
from markets.venues.kalshi.event import EVENT, event_info
from markets.venues.kalshi.market import market_info, quote
from markets.venues.kalshi.page import VENUE, explained, note_extras, turn
from markets.venues.payload import (
    SPOILT,
    BadItem,
    Tray,
    bad_item,
    known_fields,
    peek,
    read,
    read_body,
)

MARKET_FIELDS = known_fields(shapes.Market, shapes.IGNORED_MARKET)

_MARKET = msgspec.json.Decoder(shapes.Market)
_MARKETS_PAGE = msgspec.json.Decoder(shapes.MarketsPage)
_EVENTS_PAGE = msgspec.json.Decoder(shapes.EventsPage)
_ONE_MARKET = msgspec.json.Decoder(shapes.OneMarket)
_ONE_EVENT = msgspec.json.Decoder(shapes.OneEvent)


def parse_markets(
    body: bytes,
    received_at: datetime,
    endpoint: str = "GET /markets",
    limit: int = 0,
) -> Page[Listing]:
    """A page of markets; `limit` is what was asked for.

    What a market takes from its event (category, series) is joined where it is stored: lent here,
    it would depend on which process had read the event.
    """
    tray: Tray[Listing] = Tray(VENUE, endpoint)
    try:
        page, body = read_body(_MARKETS_PAGE, body)
    except BadItem as bad:
        tray.refuse(bad, raw=body)
        return tray.page()
    _listings(tray, page.markets or (), received_at)
    cursor, is_last = turn(tray, page, body, len(page.markets or ()), limit)
    return tray.page(cursor, is_last)


def parse_market(
    body: bytes, received_at: datetime, endpoint: str = "GET /markets/{ticker}"
) -> Page[Listing]:
    """`GET /markets/{ticker}`."""
    tray: Tray[Listing] = Tray(VENUE, endpoint)
    try:
        page, _ = read_body(_ONE_MARKET, body)
    except BadItem as bad:
        tray.refuse(bad, raw=body)
        return tray.page()
    _listings(tray, (page.market,), received_at)
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
        _keep(tray, raw, "event_ticker", lambda raw: event_info(raw, received_at, tray, tags), seen)
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
        event = event_info(bytes(raw), received_at, tray, None)
    except SPOILT as problem:
        bad = bad_item(problem)
        tray.refuse(bad, bad.ref or peek(raw, "event_ticker"), bytes(raw))
        return
    markets = read(EVENT, raw).markets or beside
    _listings(tray, markets, received_at, event)


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
    except SPOILT as problem:
        bad = bad_item(problem)
        tray.refuse(explained(bad, item), bad.ref or peek(item, id_field), item)
    else:
        seen.add(value.ref)
        tray.items.append(value)


def _listings(
    tray: Tray[Listing], raws: Any, received_at: datetime, event: EventInfo | None = None
) -> None:
    seen: set[str] = set()
    last = len(raws) - 1
    for index, raw in enumerate(raws):
        item = bytes(raw)
        try:
            market = read(_MARKET, item)
            if market.ticker in seen:
                raise BadItem("duplicate", "ticker")
            info = fitted_market(tray, market_info(market, event, received_at, item))
            top = quote(market, info.ref, received_at)
        except SPOILT as problem:
            bad = explained(bad_item(problem), item)
            tray.refuse(bad, peek(item, "ticker", "_ticker"), item)
            is_changed = bad.reason == "missing"
        else:
            seen.add(info.ref)
            tray.items.append(Listing(info, top, event))
            is_changed = False
        # A sample of the page tells what is new in all of it; a gap may be a renamed field.
        if is_changed or index in (0, last >> 1, last):
            note_extras(tray, item, MARKET_FIELDS, "Market")
