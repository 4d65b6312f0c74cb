"""What the CLOB's answers to `/ok` and `/time` say about trading. Pure."""

from datetime import datetime, timedelta

import msgspec

from markets.quotes import ExchangeStatus
from markets.venues.fitting import note_text
from markets.venues.payload import BadItem, epoch, read
from markets.venues.polymarket.shapes import RefusalShape
from markets.venues.polymarket.terms import VENUE

#: Beyond this the venue's clock and ours disagree enough to be said.
SKEW = timedelta(seconds=5)
RESTARTING = 425
OFF_MODES = {
    "post_only_mode": "post-only: no order may take",
    "cancel_only_mode": "cancel-only",
    "trading_disabled": "trading is disabled",
}

_ERROR = msgspec.json.Decoder(RefusalShape)
_TIME = msgspec.json.Decoder(int | str)

Answered = tuple[int, bytes]


def status_of_answers(
    beat: Answered, time: Answered, received_at: datetime, speed: float = 1
) -> ExchangeStatus:
    """425 means that the matching engine restarts, 503 that it takes no orders that trade.

    Otherwise it trades; a clock that is off by more than `SKEW` is noted. `speed` is that of our
    clock: where a second of ours is a minute, so is every delay on the way.
    """
    for status, body in (beat, time):
        if status >= 400:
            return _off(status, body, received_at)
    return ExchangeStatus(VENUE, received_at, True, True, note=_skew(time[1], received_at, speed))


def _off(status: int, body: bytes, received_at: datetime) -> ExchangeStatus:
    try:
        shape = read(_ERROR, body)
    except BadItem:
        shape = RefusalShape()
    note = "the matching engine restarts" if status == RESTARTING else ""
    note = note or OFF_MODES.get(shape.code) or shape.error or f"status {status}"
    wait = shape.retry_after_seconds
    resumes_at = received_at + timedelta(seconds=min(wait, 86400)) if wait and wait > 0 else None
    return ExchangeStatus(VENUE, received_at, True, False, resumes_at, note=note_text(note))


def _skew(body: bytes, received_at: datetime, speed: float) -> str:
    try:
        says = epoch(read(_TIME, body), "time")
    except BadItem:
        return "the venue's time could not be read"
    ahead = says - received_at if says else timedelta(0)
    if abs(ahead) <= SKEW * max(1.0, speed):
        return ""
    return f"the venue's clock is {ahead.total_seconds():+.0f} s from ours"
