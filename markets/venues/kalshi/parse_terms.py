"""Kalshi's fees, hours, status and account limits to our values. Pure."""

from collections.abc import Iterable, Iterator
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from markets.quotes import ExchangeStatus, FeeInfo, Page, Window
from markets.venues.fitting import note_text
from markets.venues.kalshi import shapes
from markets.venues.kalshi.fees import MAKER_SHARES, fee
from markets.venues.kalshi.page import VENUE, turn, utc
from markets.venues.payload import (
    SPOILT,
    BadItem,
    Tray,
    bad_item,
    clean,
    known_fields,
    peek,
    read,
    read_body,
    unknown_keys,
)

NEW_YORK = ZoneInfo("America/New_York")
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
HORIZON_DAYS = 8
Span = tuple[datetime, datetime]

_SERIES_PAGE = msgspec.json.Decoder(shapes.SeriesPage)
_SERIES = msgspec.json.Decoder(shapes.Series)
_CHANGES_PAGE = msgspec.json.Decoder(shapes.SeriesFeeChangesPage)
_CHANGE = msgspec.json.Decoder(shapes.SeriesFeeChange)
_EVENT_CHANGES_PAGE = msgspec.json.Decoder(shapes.EventFeeChangesPage)
_EVENT_CHANGE = msgspec.json.Decoder(shapes.EventFeeChange)
_STATE = msgspec.json.Decoder(shapes.ExchangeState)
_SCHEDULE = msgspec.json.Decoder(shapes.ScheduleAnswer)
_CUTOFF = msgspec.json.Decoder(shapes.Cutoff)
_LIMITS = msgspec.json.Decoder(shapes.AccountLimits)
SERIES_FIELDS = known_fields(shapes.Series, shapes.IGNORED_SERIES)


# --- fees ------------------------------------------------------------------------------------


def parse_series(body: bytes, endpoint: str = "GET /series") -> Page[shapes.Series]:
    """Every series, for its tags and sources as well as its fee."""
    tray: Tray[shapes.Series] = Tray(VENUE, endpoint)
    try:
        page, _ = read_body(_SERIES_PAGE, body)
    except BadItem as bad:
        tray.refuse(bad, raw=body)
        return tray.page()
    for raw in page.series or ():
        item = bytes(raw)
        try:
            tray.items.append(read(_SERIES, item))
        except SPOILT as problem:
            tray.refuse(bad_item(problem), peek(item, "ticker"), item)
            continue
        tray.extras.update(f"Series.{key}" for key in unknown_keys(item, SERIES_FIELDS))
    return tray.page(is_last=True)


def series_fees(series: Page[shapes.Series]) -> Page[FeeInfo]:
    """What each series charges now."""
    tray: Tray[FeeInfo] = Tray(VENUE, series.endpoint)
    for one in series.items:
        _add_fee(tray, "series", one.ticker, one.fee_type, one.fee_multiplier, None)
    refused = (*series.refused, *tray.refused)
    return Page(tuple(tray.items), refused, series.extras, series.endpoint)


def parse_series_fee_changes(
    body: bytes, endpoint: str = "GET /series/fee_changes"
) -> Page[FeeInfo]:
    """Past and announced changes, each with the time it takes effect."""
    tray: Tray[FeeInfo] = Tray(VENUE, endpoint)
    try:
        page, _ = read_body(_CHANGES_PAGE, body)
    except BadItem as bad:
        tray.refuse(bad, raw=body)
        return tray.page()
    for item, change in _each(tray, page.series_fee_change_arr, _CHANGE, "series_ticker"):
        values = (change.fee_type, change.fee_multiplier, utc(change.scheduled_ts))
        _add_fee(tray, "series", change.series_ticker, *values, raw=item)
    return tray.page(is_last=True)


def parse_event_fee_changes(
    body: bytes, endpoint: str = "GET /events/fee_changes", limit: int = 0
) -> Page[FeeInfo]:
    """Overrides of single events; an override that ends leaves a fee that inherits everything."""
    tray: Tray[FeeInfo] = Tray(VENUE, endpoint)
    try:
        page, body = read_body(_EVENT_CHANGES_PAGE, body)
    except BadItem as bad:
        tray.refuse(bad, raw=body)
        return tray.page()
    for item, change in _each(tray, page.event_fee_changes, _EVENT_CHANGE, "event_ticker"):
        values = (change.fee_type_override, change.fee_multiplier_override)
        since = utc(change.scheduled_ts)
        _add_fee(tray, "event", change.event_ticker, *values, since, raw=item)
    cursor, is_last = turn(tray, page, body, len(page.event_fee_changes or ()), limit)
    return tray.page(cursor, is_last)


def _each(
    tray: Tray[Any], raws: Iterable[msgspec.Raw] | None, decoder: Any, id_field: str
) -> Iterator[tuple[bytes, Any]]:
    for raw in raws or ():
        item = bytes(raw)
        try:
            value = read(decoder, item)
        except SPOILT as problem:
            tray.refuse(bad_item(problem), peek(item, id_field), item)
        else:
            yield item, value


def _add_fee(
    tray: Tray[FeeInfo],
    scope: str,
    ref: str,
    fee_type: str | None,
    multiplier: Any,
    since: datetime | None,
    raw: bytes = b"",
) -> None:
    """A word we do not know is both an unknown fee, which stops orders, and an incident."""
    try:
        tray.items.append(fee(scope, ref, fee_type, multiplier, since))
    except SPOILT as problem:
        tray.refuse(bad_item(problem), ref, raw)
    if fee_type is not None and fee_type not in MAKER_SHARES and fee_type != "flat":
        tray.refuse(BadItem("unknown_enum", "fee_type", sample=fee_type), ref, raw)


# --- status and hours ------------------------------------------------------------------------


def parse_status(body: bytes, received_at: datetime, windows: Iterable[Window]) -> ExchangeStatus:
    """`GET /exchange/status`; raises BadItem when the body is not a status."""
    state, _ = read_body(_STATE, body)
    down = [
        f"shard {shard.exchange_index} ({clean(shard.description or '')}) is not trading"
        for shard in state.exchange_index_statuses or ()
        if not (shard.exchange_active and shard.trading_active)
    ]
    return ExchangeStatus(
        venue=VENUE,
        received_at=received_at,
        is_up=state.exchange_active,
        is_trading=state.exchange_active and state.trading_active,
        resumes_at=utc(state.exchange_estimated_resume_time),
        windows=tuple(windows),
        note=note_text("; ".join(down)),
    )


def parse_schedule(body: bytes, now: datetime, days: int = HORIZON_DAYS) -> tuple[Window, ...]:
    """The hours of the coming days in which trading is off; raises BadItem for another body.

    Sessions are in New York time, so the hours in UTC move with daylight saving. A day that has no
    list of sessions is one that the venue does not speak of; an empty list is a day without any.
    """
    answer, _ = read_body(_SCHEDULE, body)
    schedule = answer.schedule
    until = now + timedelta(days=days)
    windows = [
        Window(begin, end, "maintenance")
        for window in schedule.maintenance_windows or ()
        if (begin := utc(window.start_datetime)) and (end := utc(window.end_datetime))
    ]
    today = now.astimezone(NEW_YORK).date()
    for offset in range(-1, days + 1):
        day = today + timedelta(days=offset)
        spans = _spans(schedule.standard_hours, day)
        if spans is not None:
            spans += _spans(schedule.standard_hours, day - timedelta(days=1)) or []
            windows += [Window(a, b, "weekly pause") for a, b in _closed(day, spans)]
    return tuple(_merged(w for w in windows if w.end > now and w.start < until))


def _week_of(weeks: Iterable[shapes.Week], day: date) -> shapes.Week | None:
    noon = datetime.combine(day, time(12), NEW_YORK)
    for week in weeks:
        start, end = utc(week.start_time), utc(week.end_time)
        if (start is None or start <= noon) and (end is None or noon < end):
            return week
    return None


def _spans(weeks: Iterable[shapes.Week], day: date) -> list[Span] | None:
    """The sessions that begin on this day; None where the venue does not speak of it."""
    week = _week_of(weeks, day)
    sessions = getattr(week, DAYS[day.weekday()]) if week is not None else None
    if sessions is None:
        return None
    return [_span(day, session) for session in sessions]


def _span(day: date, session: shapes.Session) -> Span:
    """A session that closes no later than it opens closes on the next day."""
    begin, end = _moment(day, session.open_time), _moment(day, session.close_time)
    if session.close_time == "24:00" or end <= begin:
        end = _moment(day + timedelta(days=1), session.close_time)
    return begin, end


def _closed(day: date, spans: Iterable[Span]) -> Iterator[Span]:
    """The parts of a New York day outside these sessions, in UTC."""
    at = _moment(day, "00:00")
    midnight = _moment(day + timedelta(days=1), "00:00")
    for begin, end in sorted(spans):
        if begin > at:
            yield at, begin
        at = max(at, end)
    if at < midnight:
        yield at, midnight


def _moment(day: date, text: str) -> datetime:
    try:
        clock = time.fromisoformat("00:00" if text == "24:00" else text)
        if clock.tzinfo is not None:
            raise ValueError(text)
    except ValueError:
        raise BadItem("retyped", "schedule.standard_hours", sample=text[:80]) from None
    local = datetime.combine(day, clock, NEW_YORK)
    moment = utc(local)
    assert moment is not None
    return moment


def _merged(windows: Iterable[Window]) -> list[Window]:
    """In order of time, with pauses that touch made one."""
    merged: list[Window] = []
    for window in sorted(windows, key=lambda w: (w.reason, w.start)):
        last = merged[-1] if merged else None
        if last and last.reason == window.reason and window.start <= last.end:
            merged[-1] = Window(last.start, max(last.end, window.end), last.reason)
        else:
            merged.append(window)
    return sorted(merged, key=lambda w: w.start)


# --- what the connector needs for itself ------------------------------------------------------


def parse_cutoff(body: bytes) -> shapes.Cutoff:
    """`GET /historical/cutoff`; raises BadItem."""
    cutoff: shapes.Cutoff = read(_CUTOFF, body)
    settled, trades = utc(cutoff.market_settled_ts), utc(cutoff.trades_created_ts)
    if settled is None or trades is None:
        raise BadItem("out_of_range", "market_settled_ts")
    return shapes.Cutoff(settled, trades)


def parse_limits(body: bytes) -> shapes.AccountLimits:
    """`GET /account/limits`; raises BadItem."""
    limits: shapes.AccountLimits = read(_LIMITS, body)
    if not (limits.read.refill_rate > 0 and limits.read.bucket_capacity > 0):
        raise BadItem("out_of_range", "read.refill_rate")
    return limits
