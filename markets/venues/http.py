"""One HTTP client per venue and process: limited, retried where that is safe, counted.

Reads are retried with exponential back-off and full jitter; anything else is sent once, because
an unanswered order must be asked about, never sent again. Every failure leaves as `VenueError`.
"""

import os
import random
import threading
import time
from collections.abc import Callable, Collection, Mapping
from typing import Any, Protocol

import httpx
import msgspec

from arbsite import clock
from markets.venues.answers import Answer, Failure, check, date_of, read_body, transport_failure
from markets.venues.base import VenueError
from markets.venues.counters import Counters
from markets.venues.limits import Buckets, Limit, connect

USER_AGENT = "arbsite/0.1 (self-hosted prediction market desk)"
MAX_CONNECTIONS = 10
DEADLINE_SECONDS = 60.0
ATTEMPTS = 5
LIMITED_ATTEMPTS = 20  # a 429 costs the venue little, and the bucket slows us down
BACKOFF_SECONDS = 0.5
BACKOFF_MAX_SECONDS = 15.0
LIMITED_PAUSE_SECONDS = 1.0  # where a 429 does not say how long

Params = Any  # a mapping, or (name, value) pairs where a name comes more than once


class BreakerGate(Protocol):
    """What VenueHttp asks before a call and tells after it."""

    def before(self) -> None: ...
    def success(self) -> None: ...
    def failure(self, kind: str) -> None: ...


class NoBreaker:
    """Always closed: for tests and one-off questions."""

    def before(self) -> None:
        return

    def success(self) -> None:
        return

    def failure(self, kind: str) -> None:
        return


class VenueHttp:
    """`sign(method, path)` gives fresh headers for each attempt; `limits` names the buckets."""

    def __init__(
        self,
        slug: str,
        base_url: str,
        limits: Mapping[str, Limit],
        *,
        server: Any = None,
        prefix: str = "",
        breaker: BreakerGate | None = None,
        sign: Callable[[str, str], Mapping[str, str]] | None = None,
        deadline: float = DEADLINE_SECONDS,
        shares: int = 4,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self.slug = slug
        self.base_url = base_url.rstrip("/")
        self.buckets = Buckets(slug, limits, server, prefix, shares)
        self.breaker = breaker or NoBreaker()
        self.counters = Counters()
        self._sign = sign
        self._deadline = deadline
        self._transport = transport
        self._client: httpx.Client | None = None
        self._owner = 0
        self._lock = threading.Lock()

    @classmethod
    def from_settings(
        cls, slug: str, base_url: str, limits: Mapping[str, Limit], **options: Any
    ) -> "VenueHttp":
        """With the shared Redis of the settings and the venue's data breaker."""
        from django.conf import settings

        from markets.breaker import VenueBreaker

        options.setdefault("breaker", VenueBreaker(slug))
        options.setdefault("shares", getattr(settings, "RATE_SHARES", 4))
        return cls(
            slug,
            base_url,
            limits,
            server=connect(settings.REDIS_URL),
            prefix=settings.REDIS_PREFIX,
            **options,
        )

    def get(self, path: str, params: Params | None = None, **options: Any) -> Answer:
        """GET, retried. Options as in `request`."""
        return self.request("GET", path, params=params, **options)

    def post(self, path: str, content: Any, *, is_read: bool = False, **options: Any) -> Answer:
        """POST of a JSON value (or ready bytes). Declare `is_read` where it changes nothing."""
        return self.request("POST", path, content=content, is_read=is_read, **options)

    def request(
        self,
        method: str,
        path: str,
        *,
        params: Params | None = None,
        content: Any = None,
        bucket: str = "read",
        cost: float = 1,
        headers: Mapping[str, str] | None = None,
        is_read: bool = True,
        accept: Collection[int] = (),
        endpoint: str = "",
        deadline: float | None = None,
        attempts: int = LIMITED_ATTEMPTS,
    ) -> Answer:
        """One answer or VenueError.

        `path` is relative to the base or a whole URL; `accept` lists error statuses whose JSON
        body is an answer; `endpoint` names the call where its path holds an id; `deadline` is
        wall seconds for everything: waiting for budget, attempts and pauses; `attempts` the most
        requests that are made, for a venue that takes retries ill.
        """
        endpoint = endpoint or f"{method} {_path_of(path)}"
        until = time.monotonic() + (self._deadline if deadline is None else deadline)
        attempt = 0
        while True:
            self._wait(bucket, cost, until, attempt)
            try:
                self.counters.sent(is_retry=attempt > 0)
                answer = self._attempt(
                    method, path, params, content, headers, accept, endpoint, until, is_read
                )
            except Failure as failure:
                pause = self._after(failure, attempt, bucket)
                may = is_read and attempt + 1 < attempts
                if not (may and self._may_retry(failure, attempt, pause, until)):
                    raise self._give_up(failure, endpoint) from None
                time.sleep(pause)
                attempt += 1
            else:
                self.breaker.success()
                return answer

    def _wait(self, bucket: str, cost: float, until: float, attempt: int) -> None:
        """Until the budget and the breaker let the attempt go; VenueError when they do not.

        The breaker is asked last, because whoever it lets probe must tell it how that went.
        """
        try:
            self.buckets.take(bucket, cost, until)
        except VenueError:
            self.counters.failed("budget")
            if attempt:
                self.breaker.failure("budget")
            raise
        if not attempt:
            self.breaker.before()

    def _after(self, failure: Failure, attempt: int, bucket: str) -> float:
        """Counts the failure, slows the bucket if asked to; seconds to wait before a retry."""
        self.counters.failed(failure.kind)
        if failure.kind == "limited":
            self.buckets.cut(bucket, failure.pause or LIMITED_PAUSE_SECONDS)
        if failure.pause is not None:
            return failure.pause * random.uniform(1.0, 1.1)
        ceiling = min(BACKOFF_MAX_SECONDS, BACKOFF_SECONDS * 2**attempt)
        return random.uniform(0, ceiling)

    def _may_retry(self, failure: Failure, attempt: int, pause: float, until: float) -> bool:
        most = LIMITED_ATTEMPTS if failure.kind == "limited" else ATTEMPTS
        in_time = time.monotonic() + pause < until
        return failure.retry and attempt + 1 < most and in_time

    def _give_up(self, failure: Failure, endpoint: str) -> VenueError:
        if failure.is_fault:
            self.breaker.failure(failure.kind)
        else:
            self.breaker.success()  # a refusal is an answer
        permanent = not failure.retry and not failure.is_fault
        message = f"{self.slug} {endpoint}: {failure}"
        return VenueError(message, permanent, failure.status, endpoint)

    def drain_counters(self) -> dict[str, Any]:
        """Figures since the last call: see `Counters.drain`."""
        return self.counters.drain()

    def close(self) -> None:
        """Closes the connections; the next call opens new ones."""
        with self._lock:
            if self._client is not None:
                self._client.close()
            self._client = None

    def _http(self) -> httpx.Client:
        # A forked worker must not share its parent's sockets.
        with self._lock:
            if self._client is None or self._owner != os.getpid():
                self._owner = os.getpid()
                self._client = httpx.Client(
                    headers={"User-Agent": USER_AGENT, "Accept": "application/json"},
                    limits=httpx.Limits(
                        max_connections=MAX_CONNECTIONS, max_keepalive_connections=MAX_CONNECTIONS
                    ),
                    transport=self._transport,
                    follow_redirects=False,
                    trust_env=True,
                )
            return self._client

    def _attempt(
        self,
        method: str,
        path: str,
        params: Params | None,
        content: Any,
        headers: Mapping[str, str] | None,
        accept: Collection[int],
        endpoint: str,
        until: float,
        is_read: bool,
    ) -> Answer:
        started = time.monotonic()
        left = max(0.1, until - started)
        sent = dict(headers or {})
        if self._sign is not None:
            sent.update(self._sign(method, path))
        if content is not None and not isinstance(content, bytes):
            content = msgspec.json.encode(content)
            sent.setdefault("Content-Type", "application/json")
        url = path if path.startswith("http") else self.base_url + path
        timeout = httpx.Timeout(min(15.0, left), connect=min(5.0, left))
        try:
            with self._http().stream(
                method,
                url,
                params=params,
                content=content,
                headers=sent,
                timeout=timeout,
            ) as response:
                body = read_body(response, until)
        except (httpx.HTTPError, httpx.InvalidURL) as problem:
            raise transport_failure(problem) from None
        seconds = time.monotonic() - started
        self.counters.answered(seconds, len(body))
        check(response, body, accept, is_read)
        dated = date_of(response.headers.get("date", ""))
        return Answer(response.status_code, body, clock.now(), endpoint, seconds, dated)


def _path_of(path: str) -> str:
    return httpx.URL(path).path if path.startswith("http") else path.partition("?")[0]
