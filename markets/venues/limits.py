"""How fast a venue may be asked: one token bucket per venue and purpose, shared through Redis.

A bucket starts from the limit the venue publishes (or states for the account). A 429 halves its
effective rate and pauses it for every process; the rate then grows back by a twentieth of the
ceiling every ten seconds. Without Redis each process keeps its own share and asks Redis again
after some seconds: a lost server slows collection down and never stops it.
"""

import logging
import random
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from markets.venues.base import VenueError

log = logging.getLogger(__name__)

GROWTH = 0.05  # of the ceiling, each GROWTH_SECONDS
GROWTH_SECONDS = 10.0
# Of the ceiling. Each 429 pauses the bucket as well, so that this is no insistence; with much less,
# a few stray refusals a minute starve collection.
LOWEST = 1 / 8
CUT_SECONDS = 1.0  # answers to requests already under way must not cut twice
REDIS_AGAIN_SECONDS = 5.0
DEFAULT_SHARES = 4  # processes assumed to run when Redis cannot say

# One script for every operation, on the server's clock, so that no two processes disagree.
_SCRIPT = (Path(__file__).parent / "bucket.lua").read_text(encoding="ascii")
_CONSTANTS = (GROWTH, GROWTH_SECONDS, LOWEST, CUT_SECONDS)


@dataclass(frozen=True, slots=True)
class Limit:
    """Tokens a second, and how many may be saved up. A venue's own units."""

    rate: float
    capacity: float


class LocalBucket:
    """The same arithmetic inside one process, for when Redis is gone. Times are monotonic."""

    def __init__(self, limit: Limit) -> None:
        self.ceiling = limit.rate
        self.capacity = limit.capacity
        self.rate = limit.rate
        self.tokens = limit.capacity
        self.at = self.grown = time.monotonic()
        self.cut_at = self.paused = 0.0

    def _advance(self) -> float:
        now = time.monotonic()
        self.tokens = min(self.capacity, self.tokens + self.rate * (now - self.at))
        self.at = now
        steps = int((now - self.grown) / GROWTH_SECONDS)
        self.rate = min(self.ceiling, self.rate + self.ceiling * GROWTH * steps)
        self.grown += steps * GROWTH_SECONDS
        return now

    def take(self, cost: float) -> float:
        """Seconds to wait before asking again; 0 when the tokens were taken."""
        now = self._advance()
        cost = min(cost, self.capacity)
        if self.paused > now:
            return self.paused - now
        if self.tokens >= cost:
            self.tokens -= cost
            return 0.0
        return (cost - self.tokens) / self.rate

    def cut(self, pause: float) -> None:
        """The venue said too many: halve the rate and hold still for `pause` seconds."""
        now = self._advance()
        if now - self.cut_at >= CUT_SECONDS:
            self.rate = max(self.rate / 2, self.ceiling * LOWEST)
            self.cut_at = self.grown = now
        self.tokens = min(self.tokens, 0.0)
        self.paused = max(self.paused, now + pause)


class Buckets:
    """The buckets of one venue, as this process sees them."""

    def __init__(
        self,
        slug: str,
        limits: Mapping[str, Limit],
        server: "redis.Redis | None" = None,
        prefix: str = "",
        shares: int = DEFAULT_SHARES,
    ) -> None:
        self.slug = slug
        self.limits = dict(limits)
        self.server = server
        self.prefix = prefix
        self.shares = shares
        self._script = server.register_script(_SCRIPT) if server is not None else None
        self._local: dict[str, LocalBucket] = {}
        self._redis_again = 0.0

    def take(self, bucket: str, cost: float, deadline: float) -> float:
        """Waits until the bucket gives `cost` tokens and returns the seconds waited.

        Raises VenueError when that would pass `deadline` (monotonic).
        """
        started = time.monotonic()
        while True:
            wait = self._ask("take", bucket, cost, 0.0)
            now = time.monotonic()
            if wait <= 0:
                return now - started
            if now + wait > deadline:
                raise VenueError(f"{self.slug}: the {bucket} budget is spent for {wait:.1f} s")
            # Wake early now and then: another process may have been granted a better rate.
            time.sleep(min(wait, 1.0) * random.uniform(1.0, 1.1))

    def cut(self, bucket: str, pause: float) -> None:
        """A 429 came: halve the rate and pause the bucket for every process."""
        self._ask("cut", bucket, 0.0, pause)

    def declare(self, bucket: str, limit: Limit) -> None:
        """The account's own limit takes the place of the published one."""
        self.limits.setdefault(bucket, limit)
        self._local.pop(bucket, None)
        self._ask("declare", bucket, limit.rate, limit.capacity)

    def _ask(self, operation: str, bucket: str, first: float, second: float) -> float:
        if self._script is not None and time.monotonic() >= self._redis_again:
            try:
                return self._ask_redis(operation, bucket, first, second)
            except redis.RedisError as problem:
                log.warning("%s: rate budget without Redis: %s", self.slug, problem)
                self._redis_again = time.monotonic() + REDIS_AGAIN_SECONDS
                self._local.clear()
        return self._ask_here(operation, bucket, first, second)

    def _ask_redis(self, operation: str, bucket: str, first: float, second: float) -> float:
        assert self._script is not None and self.server is not None
        limit = self.limits[bucket]
        args: list[Any] = [
            operation,
            limit.rate,
            limit.capacity,
            first,
            second,
            *_CONSTANTS,
            bucket,
        ]
        answer: Any = self._script(keys=_keys(self.prefix, self.slug, bucket), args=args)
        return float(answer[0])

    def _ask_here(self, operation: str, bucket: str, first: float, second: float) -> float:
        local = self._local.get(bucket)
        if local is None or operation == "declare":
            limit = Limit(first, second) if operation == "declare" else self.limits[bucket]
            local = self._local[bucket] = LocalBucket(
                Limit(limit.rate / self.shares, max(1.0, limit.capacity / self.shares))
            )
        if operation == "take":
            return local.take(first)
        if operation == "cut":
            local.cut(second)
        return 0.0


def _keys(prefix: str, slug: str, bucket: str) -> list[str]:
    """The bucket, and the set of the names of the venue's buckets."""
    return [f"{prefix}bucket:{slug}:{bucket}", f"{prefix}buckets:{slug}"]


@cache
def connect(url: str) -> "redis.Redis":
    """A Redis client that gives up quickly, because a local bucket is always at hand."""
    return redis.Redis.from_url(
        url, socket_timeout=0.5, socket_connect_timeout=0.5, retry=Retry(NoBackoff(), 0)
    )


def budget(
    slug: str, server: "redis.Redis | None" = None, prefix: str = ""
) -> list[dict[str, Any]]:
    """What is left of a venue's rate budget, for pages and doctor.

    One dictionary a bucket: `bucket`, `rate` and `ceiling` in tokens a second, `tokens`,
    `paused_until` (Unix seconds, None when not paused). Empty when Redis is gone.
    """
    if server is None:
        from django.conf import settings

        server, prefix = connect(settings.REDIS_URL), settings.REDIS_PREFIX
    try:
        members: Any = server.smembers(f"{prefix}buckets:{slug}")
        names = sorted(name.decode() for name in members)
        script = server.register_script(_SCRIPT)
        args: list[Any] = ["peek", 0, 0, 0, 0, *_CONSTANTS, ""]
        rows = [(name, script(_keys(prefix, slug, name), args)) for name in names]
        seconds, micros = server.time()
    except redis.RedisError:
        return []
    return [_budget_row(name, row, seconds + micros / 1e6) for name, row in rows if row]


def _budget_row(name: str, row: list[bytes], now: float) -> dict[str, Any]:
    rate, ceiling, tokens, paused = (float(value) for value in row[1:])
    return {
        "bucket": name,
        "rate": rate,
        "ceiling": ceiling,
        "tokens": tokens,
        "paused_until": paused if paused > now else None,
    }
