"""One Kalshi event to `EventInfo`. Pure."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import msgspec

from markets.quotes import EventInfo, FeeInfo
from markets.venues.fitting import fitted_event
from markets.venues.kalshi import shapes
from markets.venues.kalshi.fees import fee
from markets.venues.kalshi.page import VENUE, address, name, note_extras, plain, utc
from markets.venues.payload import Tray, clean, known_fields, read

EVENT = msgspec.json.Decoder(shapes.Event)
FIELDS = known_fields(shapes.Event, shapes.IGNORED_EVENT)


def event_info(
    raw: bytes,
    received_at: datetime,
    tray: Tray[Any],
    tags: Mapping[str, tuple[str, ...]] | None,
) -> EventInfo:
    event = read(EVENT, raw)
    note_extras(tray, raw, FIELDS, "Event")
    info = EventInfo(
        venue=VENUE,
        ref=name(event.event_ticker, "event_ticker"),
        title=clean(event.title),
        received_at=received_at,
        subtitle=clean(event.sub_title or ""),
        category=clean(event.category or ""),
        series=name(event.series_ticker, "series_ticker"),
        exclusive=event.mutually_exclusive,
        exhaustive=None,
        url=address(event.series_ticker),
        sources=tuple(_sources(event)),
        tags=(tags or {}).get(event.series_ticker, ()),
        fee=_override(event),
        facts=_event_facts(event),
        venue_ts=utc(event.last_updated_ts),
    )
    return fitted_event(tray, info)


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
        facts["product_metadata"] = clean(plain(metadata).decode("utf-8", "replace"))
    if event.exchange_index is not None:
        facts["exchange_index"] = str(event.exchange_index)
    return {key: value for key, value in facts.items() if value}


def _override(event: shapes.Event) -> FeeInfo:
    """Two nulls are a statement too: an override that there was holds no more."""
    return fee(
        "event",
        event.event_ticker,
        event.fee_type_override,
        event.fee_multiplier_override,
        None,
    )
