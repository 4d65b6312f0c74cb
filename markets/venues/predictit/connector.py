"""PredictIt over HTTP: read only. One call brings the whole venue, at most once a minute.

The last body is kept where all processes find it, so that the venue sees one reader.
"""

import threading
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol, TypeVar

import redis

from arbsite import clock
from markets.quotes import ExchangeStatus, FeeInfo, Listing, MarketRef, Page, Quote
from markets.venues.answers import Answer
from markets.venues.base import VenueError
from markets.venues.fitting import note_text
from markets.venues.http import VenueHttp
from markets.venues.limits import Limit, connect
from markets.venues.predictit import parse

T = TypeVar("T")
LONG_AGO = datetime.min.replace(tzinfo=UTC)
ROOT = "https://www.predictit.org/api"
#: The venue makes its data anew every 60 s; asking sooner brings the same bytes.
REFRESH = timedelta(seconds=60)
LONGEST_PAUSE = timedelta(minutes=10)
#: There is no published limit; blocking is reported above one request a second.
LIMITS = {"read": Limit(1, 2)}


class Memory(Protocol):
    """What is needed of Redis."""

    def get(self, name: str, /) -> Any: ...
    def set(self, name: str, value: bytes, /, *, px: int) -> Any: ...


class PredictIt:
    slug = "predictit"
    label = "PredictIt"
    poll_seconds = int(REFRESH.total_seconds())
    #: Every body carries the time it was made, so an old one means that the data stands still.
    frozen_after = parse.STALE_AFTER

    def __init__(self, http: VenueHttp, memory: Memory | None = None) -> None:
        self.http = http
        self.memory = memory
        self._lock = threading.Lock()
        self._page: Page[Listing] | None = None
        self._received_at = LONG_AGO
        self._pause = timedelta(0)
        self._quiet_until = LONG_AGO
        self._stamps: deque[datetime] = deque(maxlen=parse.STALE_POLLS)

    @classmethod
    def from_settings(cls) -> "PredictIt":
        """The host and the shared rate budget of this installation."""
        from django.conf import settings

        base = settings.VENUE_URLS["predictit"]
        root = f"{base.rstrip('/')}/api" if base else ROOT
        http = VenueHttp.from_settings(cls.slug, root, LIMITS)
        return cls(http, connect(settings.REDIS_URL))

    def list_markets(self, changed_since: datetime | None = None) -> Iterator[Page[Listing]]:
        """Everything on one page; the venue cannot be asked what changed."""
        yield self._all()

    def fetch_markets(self, refs: Sequence[str]) -> Page[Listing]:
        """These markets. One that left the listing is left out: the venue forgets closed ones, and
        a whole list without it denies it."""
        page = self._all()
        wanted = set(refs)
        items = tuple(item for item in page.items if item.market.ref in wanted)
        named = {item.market.ref for item in page.items} | {r.ref for r in page.refused}
        denied = frozenset(wanted - named) if page.is_last else frozenset()
        return replace(_of(page, items), denied=denied)

    def fetch_quotes(self, refs: Sequence[MarketRef]) -> Page[Quote]:
        """The quotes of these markets, without sizes."""
        page = self._all()
        wanted = {ref.ref for ref in refs}
        quotes = (item.quote for item in page.items if item.market.ref in wanted)
        return _of(page, tuple(quote for quote in quotes if quote is not None))

    def list_fees(self) -> Iterator[Page[FeeInfo]]:
        """The venue's terms; no address states them."""
        yield Page(items=parse.fees(), endpoint="terms", is_last=True)

    def exchange_status(self) -> ExchangeStatus:
        """Whether the data moves. There is no trading through an interface, and stale data must
        not be taken for prices, so `is_trading` is False while it does not."""
        try:
            self._all()
        except VenueError as error:
            note = note_text(str(error))
            return ExchangeStatus(self.slug, clock.now(), False, False, note=note)
        now = clock.now()
        reason = parse.staleness(self._stamps, now)
        return ExchangeStatus(self.slug, now, True, not reason, note=reason)

    def _all(self) -> Page[Listing]:
        """The last body while it is younger than a minute, or a new one."""
        with self._lock:
            now = clock.now()
            if self._page is None or now - self._received_at >= REFRESH:
                kept = self._kept(now)
                body, self._received_at = kept or self._fetched(now)
                self._page = parse.parse_all(body, self._received_at)
                self._note(self._page)
                if kept is None and self._page.items:
                    self._keep(body)
            return self._page

    def _fetched(self, now: datetime) -> tuple[bytes, datetime]:
        answer = self._ask(now)
        return answer.body, answer.received_at

    def _kept(self, now: datetime) -> tuple[bytes, datetime] | None:
        """The body that another process fetched within the minute."""
        if self.memory is None:
            return None
        try:
            stamp, _, body = (self.memory.get(self._key) or b"").partition(b"\n")
            received_at = datetime.fromisoformat(stamp.decode())
        except (redis.RedisError, ValueError):
            return None
        return (body, received_at) if timedelta(0) <= now - received_at < REFRESH else None

    def _keep(self, body: bytes) -> None:
        if self.memory is None:
            return
        value = self._received_at.isoformat().encode() + b"\n" + body
        with suppress(redis.RedisError):
            self.memory.set(self._key, value, px=int(REFRESH.total_seconds() * 1000))

    @property
    def _key(self) -> str:
        return f"{self.http.buckets.prefix}body:{self.slug}"

    def _ask(self, now: datetime) -> Answer:
        """One call. A venue that blocks or fails is left alone for 1 minute, then 2, 4, 8, 10."""
        if now < self._quiet_until:
            left = (self._quiet_until - now).total_seconds()
            raise VenueError(f"predictit: left alone for {left:.0f} s more", endpoint=parse.ALL)
        try:
            answer = self.http.get("/marketdata/all/", endpoint=parse.ALL, attempts=1)
        except VenueError:
            self._pause = min(self._pause * 2, LONGEST_PAUSE) if self._pause else REFRESH
            self._quiet_until = now + self._pause
            raise
        self._pause = timedelta(0)
        return answer

    def _note(self, page: Page[Listing]) -> None:
        stamps = [item.market.venue_ts for item in page.items if item.market.venue_ts]
        if stamps:
            self._stamps.append(max(stamps))


def _of(page: Page[Listing], items: tuple[T, ...]) -> Page[T]:
    return Page(items, page.refused, page.extras, page.endpoint, is_last=page.is_last)
