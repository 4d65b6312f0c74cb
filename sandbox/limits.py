"""Rate limits as the venues run them, on wall time."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass
class TokenBucket:
    """`rate` tokens a second up to `capacity` (Kalshi)."""

    rate: float
    capacity: float
    clock: Callable[[], float] = time.monotonic
    level: float = field(init=False)
    at: float = field(init=False)

    def __post_init__(self) -> None:
        self.level, self.at = self.capacity, self.clock()

    def take(self, cost: float) -> bool:
        now = self.clock()
        self.level = min(self.capacity, self.level + (now - self.at) * self.rate)
        self.at = now
        if cost > self.level:
            return False
        self.level -= cost
        return True


@dataclass
class SlidingWindow:
    """At most `limit` requests in any `span` seconds (Polymarket)."""

    limit: int
    span: float = 10.0
    clock: Callable[[], float] = time.monotonic
    times: deque[float] = field(default_factory=deque)

    def take(self) -> float:
        """0 when allowed, else the seconds to wait."""
        now = self.clock()
        while self.times and self.times[0] <= now - self.span:
            self.times.popleft()
        if len(self.times) >= self.limit:
            return max(0.001, self.times[0] + self.span - now)
        self.times.append(now)
        return 0.0
