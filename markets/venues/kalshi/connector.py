"""Kalshi over HTTP: which requests answer which question.

Without a key everything here is public. With one, requests are signed and the account's own
limits take the place of the published ones.
"""

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar
from urllib.parse import quote

from arbsite import clock
from markets.quotes import (
    CandleInfo,
    EventInfo,
    ExchangeStatus,
    FeeInfo,
    Listing,
    MarketRef,
    OrderBook,
    Page,
    Quote,
    TradePrint,
    Window,
)
from markets.venues.answers import Answer
from markets.venues.base import VenueError
from markets.venues.fitting import note_text
from markets.venues.http import VenueHttp
from markets.venues.kalshi import parse, parse_tape, parse_terms, shapes
from markets.venues.kalshi.auth import API_PATH, Signer, load_signer
from markets.venues.kalshi.paging import Params, batched, batches, joined, passes, walk
from markets.venues.limits import Limit
from markets.venues.payload import BadItem
from markets.venues.spoilt import unspoilt

T = TypeVar("T")

HOST = "https://external-api.kalshi.com"
COST = 10  # tokens a request unless /account/endpoint_costs says otherwise
#: The Basic tier: 200 tokens a second, two seconds of which may be saved up.
LIMITS = {"read": Limit(200, 400), "write": Limit(100, 100)}
LIMITS_AGAIN_SECONDS = 3600.0
CUTOFF_AGAIN_SECONDS = 3600.0
SCHEDULE_AGAIN_SECONDS = 3600.0
TAGS_AGAIN_SECONDS = 3600.0
MARKETS_LIMIT = 1000
EVENTS_LIMIT = 200
TRADES_LIMIT = 1000
FEES_LIMIT = 1000
TICKERS = 100  # a request: the documented most for books, and a bearable address for listings
MOST_PAGES = 2000
MOST_TRADE_PAGES = 50
TRADES_EACH = 5  # above so many markets the feed of all trades is cheaper
MOST_CANDLES = 5000
MOST_SINGLE = 50  # markets asked for one by one before we say that we do not know
PERIODS = {60: 1, 3600: 60, 86400: 1440}
#: A market that moves on while we read is met in a later pass; `paused` is asked twice because a
#: market may go there and come back.
MARKET_PASSES = ("paused", "unopened", "open", "paused", "closed")
EVENT_PASSES = ("unopened", "open", "closed")


class Kalshi:
    slug = "kalshi"
    label = "Kalshi"
    poll_seconds = 0

    def __init__(self, http: VenueHttp, signer: Signer | None = None) -> None:
        self.http = http
        self._signer = signer
        self._limits_again = 0.0
        self._remembered: dict[str, tuple[float, Any]] = {}

    @classmethod
    def from_settings(cls) -> "Kalshi":
        """With the base URL, key and Redis of the settings; no request is made yet."""
        from django.conf import settings

        signer = load_signer(settings.KALSHI_KEY_ID, settings.KALSHI_KEY_FILE)
        return cls.at(settings.VENUE_URLS["kalshi"], signer, VenueHttp.from_settings)

    @classmethod
    def at(
        cls, url: str, signer: Signer | None = None, build: Callable[..., VenueHttp] = VenueHttp
    ) -> "Kalshi":
        """At `url` (the host's root, with or without /trade-api/v2), or the real host if empty."""
        root = (url or HOST).rstrip("/").removesuffix(API_PATH)
        sign = _signing(signer) if signer is not None else None
        return cls(build("kalshi", root + API_PATH, LIMITS, sign=sign), signer)

    # --- listings

    def list_markets(self, changed_since: datetime | None = None) -> Iterator[Page[Listing]]:
        """Every market that is not yet settled, combos left out; or all changed since.

        `changed_since` compares the venue's own update times, which prices do not move.
        """

        def read(answer: Answer) -> Page[Listing]:
            received_at, endpoint = answer.received_at, answer.endpoint
            return parse.parse_markets(answer.body, received_at, endpoint, MARKETS_LIMIT)

        common: Params = {"limit": MARKETS_LIMIT, "mve_filter": "exclude"}
        listings: list[Params] = [common | {"status": status} for status in MARKET_PASSES]
        if changed_since is not None:
            listings = [common | {"min_updated_ts": _seconds(changed_since)}]
        return passes(self._asking("/markets", read), listings, _listing_ref, MOST_PAGES)

    def fetch_markets(self, refs: Sequence[str]) -> Page[Listing]:
        """These markets whatever their status, from the historical tier where they moved there.

        An absent one is asked for by its own name, the first fifty of them, since a listing that
        merely leaves a market out may have been cut short: only that makes it denied.
        """

        def read(answer: Answer) -> Page[Listing]:
            return parse.parse_markets(
                answer.body, answer.received_at, answer.endpoint, MARKETS_LIMIT
            )

        page = self._by_tickers("/markets", refs, read)
        if absent := _absent(refs, page):
            page = joined([page, self._by_tickers("/historical/markets", absent, read)])
        if absent := _absent(refs, page):
            singles = [self._alone(ref) for ref in absent[:MOST_SINGLE]]
            page = joined([page, *singles])
        is_whole = page.is_last and page.denied.issuperset(_absent(refs, page))
        return replace(page, is_last=is_whole)

    def _alone(self, ref: str) -> Page[Listing]:
        """One market by its own name, from either tier."""
        page = self._single("/markets/{ticker}", ref)
        return self._single("/historical/markets/{ticker}", ref) if page.denied else page

    def _single(self, path: str, ref: str) -> Page[Listing]:
        endpoint = f"GET {path}"

        def read(answer: Answer) -> Page[Listing]:
            return parse.parse_market(answer.body, answer.received_at, endpoint)

        try:
            page = self._read(path.replace("{ticker}", _quoted(ref)), None, read, endpoint)
        except VenueError as error:
            # A page of HTML is no word of the venue, whatever its status.
            if error.status != 404 or not error.permanent:
                raise
            return Page(endpoint=endpoint, is_last=True, denied=frozenset({ref}))
        return replace(page, is_last=not page.refused)

    def fetch_quotes(self, refs: Sequence[MarketRef]) -> Page[Quote]:
        """Tops of book from the listing: as many markets a token as the batch of books gives,
        in a fraction of its bytes, with last price, volume and open interest."""

        def read(answer: Answer) -> Page[Quote]:
            return parse.parse_quotes(
                answer.body, answer.received_at, answer.endpoint, MARKETS_LIMIT
            )

        return self._by_tickers("/markets", [ref.ref for ref in refs], read)

    def list_events(self, changed_since: datetime | None = None) -> Iterator[Page[EventInfo]]:
        """Every event that is not yet settled, or all changed since; combos are listed apart."""
        tags = self._remember("tags", TAGS_AGAIN_SECONDS, self._read_tags)

        def read(answer: Answer) -> Page[EventInfo]:
            received_at, endpoint = answer.received_at, answer.endpoint
            return parse.parse_events(answer.body, received_at, endpoint, tags, EVENTS_LIMIT)

        common: Params = {"limit": EVENTS_LIMIT, "with_nested_markets": "false"}
        listings: list[Params] = [common | {"status": status} for status in EVENT_PASSES]
        if changed_since is not None:
            listings = [common | {"min_updated_ts": _seconds(changed_since)}]
        return passes(self._asking("/events", read), listings, _event_ref, MOST_PAGES)

    # --- books, trades, candles

    def fetch_books(self, refs: Sequence[MarketRef]) -> Page[OrderBook]:
        """Full depth, a hundred markets a request."""
        asked = [[("tickers", ref.ref) for ref in part] for part in batches(refs, TICKERS)]
        return batched(asked, self._books, "GET /markets/orderbooks")

    def _books(self, tickers: list[tuple[str, str]]) -> Page[OrderBook]:
        """One batch; where the venue denies a market in it, the halves, so that it alone fails."""

        def read(answer: Answer) -> Page[OrderBook]:
            return parse_tape.parse_books(answer.body, answer.received_at, answer.endpoint)

        try:
            return self._read("/markets/orderbooks", tickers, read)
        except VenueError as error:
            if error.status != 404:
                raise
        if len(tickers) == 1:
            return Page(endpoint="GET /markets/orderbooks", is_last=True)
        half = len(tickers) // 2
        return joined([self._books(tickers[:half]), self._books(tickers[half:])])

    def fetch_trades(self, refs: Sequence[MarketRef], since: datetime) -> Page[TradePrint]:
        """Trades of these markets since a time, from the historical tier as far as needed."""
        wanted = {ref.ref for ref in refs}
        if not wanted:
            return Page(endpoint="GET /markets/trades", is_last=True)
        params: Params = {"limit": TRADES_LIMIT, "min_ts": _seconds(since)}
        tickers: Iterable[str | None] = sorted(wanted) if len(wanted) <= TRADES_EACH else (None,)
        pages = []
        for ticker in tickers:
            own = params | ({"ticker": ticker} if ticker else {})
            pages += self._trades("/markets/trades", own)
        cutoff = self._cutoff().trades_created_ts
        if since < cutoff:
            for ticker in sorted(wanted):
                old = params | {"ticker": ticker, "max_ts": _seconds(cutoff) + 1}
                pages += self._trades("/historical/trades", old)
        page = joined(pages)
        kept = {t.trade_id: t for t in page.items if t.ref in wanted and t.traded_at >= since}
        return replace(page, items=tuple(kept.values()))

    def _trades(self, path: str, params: Params) -> list[Page[TradePrint]]:
        def read(answer: Answer) -> Page[TradePrint]:
            body, received_at = answer.body, answer.received_at
            return parse_tape.parse_trades(body, received_at, answer.endpoint, TRADES_LIMIT)

        pages = list(walk(self._asking(path, read), params, _trade_ref, MOST_TRADE_PAGES))
        # Of a walk only its end says whether it was whole.
        whole = pages[-1].is_last
        return [replace(page, is_last=whole) for page in pages]

    def fetch_candles(
        self, ref: MarketRef, seconds: int, start: datetime, end: datetime
    ) -> Page[CandleInfo]:
        """Candles of a minute, an hour or a day that start within [start, end)."""
        if seconds not in PERIODS:
            allowed = ", ".join(map(str, PERIODS))
            raise VenueError(f"Kalshi has no candles of {seconds} s, only {allowed}", True)
        series, ticker = _quoted(ref.series or ref.ref.partition("-")[0]), _quoted(ref.ref)
        live = f"/series/{series}/markets/{ticker}/candlesticks"
        endpoint = "GET /series/{series}/markets/{ticker}/candlesticks"
        page = self._candles(live, endpoint, ref.ref, seconds, start, end)
        if not page.items and start < self._cutoff().market_settled_ts:
            old = f"/historical/markets/{ticker}/candlesticks"
            endpoint = "GET /historical/markets/{ticker}/candlesticks"
            page = self._candles(old, endpoint, ref.ref, seconds, start, end)
        items = tuple(candle for candle in page.items if start <= candle.start < end)
        return replace(page, items=items)

    def _candles(
        self, path: str, endpoint: str, ticker: str, seconds: int, start: datetime, end: datetime
    ) -> Page[CandleInfo]:
        def read(answer: Answer) -> Page[CandleInfo]:
            body, received_at = answer.body, answer.received_at
            return parse_tape.parse_candles(body, ticker, seconds, received_at, endpoint)

        pages = []
        first, last = _seconds(start), _seconds(end)
        for begin in range(first, last + 1, MOST_CANDLES * seconds):
            params = {
                "start_ts": begin,
                # A candle is named by its end, so the last one lies a period further on.
                "end_ts": min(begin + MOST_CANDLES * seconds, last + seconds),
                "period_interval": PERIODS[seconds],
            }
            try:
                pages.append(self._read(path, params, read, endpoint=endpoint))
            except VenueError as error:
                if error.status != 404:
                    raise
                return Page(endpoint=endpoint, is_last=True)
        page = joined(pages)
        return replace(page, items=tuple({c.start: c for c in page.items}.values()))

    # --- status, fees, limits

    def exchange_status(self) -> ExchangeStatus:
        """Open or not now; an unreadable schedule costs the announced windows, not the status."""
        answer = self._get("/exchange/status", accept=(500, 503, 504))
        note = ""
        windows: tuple[Window, ...] = ()
        try:
            body = self._remember("schedule", SCHEDULE_AGAIN_SECONDS, self._schedule)
            windows = parse_terms.parse_schedule(body, answer.received_at)
        except (VenueError, BadItem) as problem:
            note = f"hours unknown: {problem}"
        try:
            status = parse_terms.parse_status(answer.body, answer.received_at, windows)
        except BadItem as bad:
            raise _unreadable(bad, answer.endpoint) from None
        note = note_text("; ".join(part for part in (status.note, note) if part))
        return replace(status, note=note)

    def _schedule(self) -> bytes:
        """A schedule that can be read: only such a one is worth remembering."""
        answer = self._get("/exchange/schedule")
        parse_terms.parse_schedule(answer.body, answer.received_at)
        return answer.body

    def list_fees(self) -> Iterator[Page[FeeInfo]]:
        """Fees of every series, their dated changes, and overrides of single events."""
        whole = True
        changes: Page[FeeInfo] = self._read(
            "/series/fee_changes",
            {"show_historical": "true"},
            lambda a: parse_terms.parse_series_fee_changes(a.body, a.endpoint),
        )
        for page in (parse_terms.series_fees(self._read_series()), changes):
            whole = whole and not any(refusal.ref == "" for refusal in page.refused)
            yield replace(page, is_last=False)

        def read(answer: Answer) -> Page[FeeInfo]:
            return parse_terms.parse_event_fee_changes(answer.body, answer.endpoint, FEES_LIMIT)

        params: Params = {"limit": FEES_LIMIT}
        ask = self._asking("/events/fee_changes", read)
        for page in walk(ask, params, _fee_ref, MOST_PAGES):
            yield replace(page, is_last=page.is_last and whole)

    def _read_series(self) -> Page[shapes.Series]:
        return self._read("/series", {}, lambda a: parse_terms.parse_series(a.body, a.endpoint))

    def _read_tags(self) -> dict[str, tuple[str, ...]]:
        """Tags by series. A page that cannot be read is an error: without them events would be
        stored as if they had none."""
        page = self._read_series()
        if not page.items and page.refused:
            refusal = page.refused[0]
            raise VenueError(f"kalshi GET /series: {refusal.reason} {refusal.field}".strip())
        return {one.ticker: tuple(one.tags or ()) for one in page.items}

    def read_limits(self) -> shapes.AccountLimits | None:
        """The account's own limits, which then hold for every process; None without a key."""
        if self._signer is None:
            return None
        self._limits_again = time.monotonic() + LIMITS_AGAIN_SECONDS
        answer = self.http.get("/account/limits", cost=COST)
        try:
            limits = parse_terms.parse_limits(answer.body)
        except BadItem as bad:
            raise _unreadable(bad, answer.endpoint) from None
        for bucket in ("read", "write"):
            budget: shapes.Budget = getattr(limits, bucket)
            self.http.buckets.declare(bucket, Limit(budget.refill_rate, budget.bucket_capacity))
        return limits

    # --- how it is asked

    def _get(
        self, path: str, params: Any = None, accept: Collection[int] = (), endpoint: str = ""
    ) -> Answer:
        if self._signer is not None and time.monotonic() >= self._limits_again:
            with suppress(VenueError):  # the published limits hold until the next attempt
                self.read_limits()
        return self.http.get(path, params or None, cost=COST, accept=accept, endpoint=endpoint)

    def _read(
        self,
        path: str,
        params: Any,
        read: Callable[[Answer], Page[T]],
        endpoint: str = "",
    ) -> Page[T]:
        """One page; a body that was cut off on its way is asked for again."""
        return unspoilt(
            lambda: read(self._get(path, params, endpoint=endpoint)), self.http.counters
        )

    def _asking(self, path: str, read: Callable[[Answer], Page[T]]) -> Callable[[Params], Page[T]]:
        return lambda params: self._read(path, params, read)

    def _by_tickers(
        self, path: str, refs: Sequence[str], read: Callable[[Answer], Page[T]]
    ) -> Page[T]:
        """A listing of these markets; a path the venue does not have lists none."""

        def ask(batch: Sequence[str]) -> Page[T]:
            params = {"tickers": ",".join(batch), "limit": MARKETS_LIMIT}
            try:
                return self._read(path, params, read)
            except VenueError as error:
                if error.status != 404:
                    raise
                return Page(endpoint=f"GET {path}", is_last=True)

        return batched(list(batches(refs, TICKERS)), ask, f"GET {path}")

    def _cutoff(self) -> shapes.Cutoff:
        cutoff: shapes.Cutoff = self._remember("cutoff", CUTOFF_AGAIN_SECONDS, self._read_cutoff)
        return cutoff

    def _read_cutoff(self) -> shapes.Cutoff:
        answer = self._get("/historical/cutoff")
        try:
            return parse_terms.parse_cutoff(answer.body)
        except BadItem as bad:
            raise _unreadable(bad, answer.endpoint) from None

    def _remember(self, name: str, seconds: float, ask: Callable[[], Any]) -> Any:
        """The answer of `ask` for so many wall seconds."""
        until, value = self._remembered.get(name, (0.0, None))
        if time.monotonic() >= until:
            value = ask()
            self._remembered[name] = (time.monotonic() + seconds, value)
        return value


def _signing(signer: Signer) -> Callable[[str, str], Mapping[str, str]]:
    def sign(method: str, path: str) -> Mapping[str, str]:
        timestamp_ms = int(clock.wall_now().timestamp() * 1000)
        return signer.headers(timestamp_ms, method, API_PATH + path)

    return sign


def _seconds(moment: datetime) -> int:
    return int(moment.timestamp())


def _quoted(ref: str) -> str:
    """An id as one part of a path, whatever it holds."""
    return quote(ref, safe="")


def _absent(refs: Sequence[str], page: Page[Listing]) -> list[str]:
    known = {item.market.ref for item in page.items} | {r.ref for r in page.refused}
    return [ref for ref in refs if ref not in known]


def _unreadable(bad: BadItem, endpoint: str) -> VenueError:
    return VenueError(f"kalshi {endpoint}: {bad}", endpoint=endpoint)


def _listing_ref(listing: Listing) -> str:
    return listing.market.ref


def _event_ref(event: EventInfo) -> str:
    return event.ref


def _trade_ref(trade: TradePrint) -> str:
    return trade.trade_id


def _fee_ref(fee: FeeInfo) -> str:
    return f"{fee.scope_ref} {fee.effective_from}"
