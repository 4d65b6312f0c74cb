"""When a venue that keeps failing is left alone, and how it is tried again. Pure.

CLOSED -(k failures in a window)-> OPEN -(cool-down)-> HALF_OPEN, one probe -> CLOSED, or OPEN
again for twice as long. `now` is wall time.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

CLOSED, OPEN, HALF_OPEN = "closed", "open", "half_open"
FAILURES = 5
WINDOW = timedelta(seconds=60)
COOLDOWN = timedelta(seconds=30)
COOLDOWN_MAX = timedelta(minutes=16)
#: A probe that has said nothing for so long has died with its process.
PROBE = timedelta(seconds=120)


@dataclass(frozen=True, slots=True)
class Breaker:
    """`failures` are the recent ones while closed; `retry_at` is when an open breaker may be
    probed, and when a probe under way counts as lost."""

    state: str = CLOSED
    failures: tuple[datetime, ...] = ()
    cooldown: timedelta = timedelta(0)
    opened_at: datetime | None = None
    retry_at: datetime | None = None


def failed(breaker: Breaker, now: datetime, most: int = FAILURES) -> Breaker:
    """After one more failure. A call that began before the breaker opened changes nothing."""
    if breaker.state == HALF_OPEN:
        return _opened(breaker, now, min(breaker.cooldown * 2, COOLDOWN_MAX))
    if breaker.state == OPEN:
        return breaker
    recent = (*(at for at in breaker.failures if now - at < WINDOW), now)
    if len(recent) < most:
        return replace(breaker, failures=recent)
    return _opened(breaker, now, COOLDOWN)


def succeeded(breaker: Breaker) -> Breaker:
    """After an answer: a probe closes the breaker, any other call leaves it as it is."""
    return Breaker() if breaker.state == HALF_OPEN else breaker


def may_probe(breaker: Breaker, now: datetime) -> bool:
    """Whether the next call would be the probe."""
    return breaker.state != CLOSED and breaker.retry_at is not None and now >= breaker.retry_at


def probing(breaker: Breaker, now: datetime) -> Breaker:
    """While one call finds out whether the venue is back."""
    return replace(breaker, state=HALF_OPEN, retry_at=now + PROBE)


def _opened(breaker: Breaker, now: datetime, cooldown: timedelta) -> Breaker:
    return Breaker(OPEN, (), cooldown, breaker.opened_at or now, now + cooldown)
