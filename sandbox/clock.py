"""The one clock: CLOCK_ORIGIN + (wall - CLOCK_START) * CLOCK_SPEED, as unix seconds."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime


def parse_time(text: str) -> float:
    """ISO 8601 to unix seconds; a time without an offset is UTC. ValueError when it is neither."""
    moment = datetime.fromisoformat(text.strip())
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def iso(ts: float, digits: int = 0) -> str:
    """Unix seconds as RFC 3339 UTC with `digits` fractional digits (0, 3 or 6)."""
    micro = round(ts * 1e6)
    text = datetime.fromtimestamp(micro // 10**6, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return text + (f".{micro % 10**6:06d}"[: digits + 1] if digits else "") + "Z"


@dataclass(frozen=True)
class Clock:
    """App time. `start` is the wall time at which `origin` held."""

    origin: float = field(default_factory=time.time)
    start: float = field(default_factory=time.time)
    speed: float = 1.0

    def now(self) -> float:
        return self.origin + (time.time() - self.start) * self.speed


@dataclass
class FixedClock:
    """A clock that stands still until somebody sets it (tests, simulation)."""

    at: float

    def now(self) -> float:
        return self.at
