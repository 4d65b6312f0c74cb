"""Polymarket over HTTP: the catalogue from Gamma, books from the CLOB, the tape from Data."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, TypeVar

from arbsite import clock
from markets.quotes import (
    CandleInfo,
    ExchangeStatus,
    Listing,
    MarketRef,
    OrderBook,
    Page,
    Quote,
    Refusal,
    TradePrint,
)
from markets.venues.answers import Answer
from markets.venues.base import VenueError
from markets.venues.fitting import note_text
from markets.venues.http import VenueHttp
from markets.venues.limits import Limit
from markets.venues.payload import clean
from markets.venues.polymarket import books, parse
from markets.venues.polymarket.status import status_of_answers
from markets.venues.spoilt import unspoilt

T = TypeVar("T")

EVENTS_A_PAGE = 100
MARKETS_A_CALL = 50  # condition ids travel in the URL; 50 keep it near 4 KB
TOKENS_A_CALL = 500
CONDITIONS_A_CALL = 20
TRADES_A_PAGE = 1000
HISTORY_WINDOW = timedelta(days=15)
MAX_PAGES = 5000  # 50 times today's catalogue: a walk this long is going in circles
MAX_TRADE_PAGES = 200

#: Requests a second from the published sliding windows of 10 s, and a second's worth saved up.
LIMITS = {
    "events": Limit(50, 50),
    "markets": Limit(30, 30),
    "books": Limit(50, 50),
    "history": Limit(100, 100),
    "trades": Limit(20, 20),
    "read": Limit(150, 150),
}


@dataclass(frozen=True, slots=True)
class Roots:
    """Where the three hosts are; behind one base URL they are folders of it."""

    gamma: str = "https://gamma-api.polymarket.com"
    clob: str = "https://clob.polymarket.com"
    data: str = "https://data-api.polymarket.com"

    @classmethod
    def under(cls, base: str) -> "Roots":
        base = base.rstrip("/")
        return cls(f"{base}/gamma", f"{base}/clob", f"{base}/data")


class Polymarket:
    slug = "polymarket"
    label = "Polymarket"
    poll_seconds = 0

    def __init__(self, http: VenueHttp, roots: Roots | None = None) -> None:
        self.http = http
        self.roots = roots or Roots()

    @classmethod
    def from_settings(cls) -> "Polymarket":
        """The hosts and the shared rate budget of this installation."""
        from django.conf import settings

        base = settings.VENUE_URLS["polymarket"]
        roots = Roots.under(base) if base else Roots()
        return cls(VenueHttp.from_settings(cls.slug, roots.clob, LIMITS), roots)

    def list_markets(self, changed_since: datetime | None = None) -> Iterator[Page[Listing]]:
        """Open events with all their markets, about 100 events a call.

        Gamma cannot be asked what changed: with `changed_since` only events that started since
        then come, which finds new markets and no changes of old ones. A walk that repeats a cursor
        or loses markets it cannot name ends without a last page.
        """
        seen: set[str] = set()
        cursor = ""
        is_whole = True
        for number in range(MAX_PAGES):
            page = self._whole(partial(self._events_page, cursor, changed_since))
            is_whole = is_whole and not any(_hides_markets(refusal) for refusal in page.refused)
            yield replace(page, is_last=page.is_last and is_whole)
            seen.add(cursor)
            cursor = page.cursor
            if not cursor:
                return
            if cursor in seen or number + 1 == MAX_PAGES:
                yield _endless(cursor, parse.EVENTS, is_loop=cursor in seen)
                return

    def _events_page(self, cursor: str, since: datetime | None) -> Page[Listing]:
        params: dict[str, str] = {"limit": str(EVENTS_A_PAGE), "closed": "false"}
        if cursor:
            params["after_cursor"] = cursor
        if since is not None:
            params["start_date_min"] = f"{since.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
        url = f"{self.roots.gamma}/events/keyset"
        answer = self.http.get(url, params, bucket="events", endpoint=parse.EVENTS)
        return parse.parse_events(answer.body, answer.received_at, EVENTS_A_PAGE)

    def fetch_markets(self, refs: Sequence[str]) -> Page[Listing]:
        """These markets, open or closed: Gamma answers each of the two separately.

        An event that comes without its tags says less than we know, so it is left out. The venue
        forgets no market: an answer that leaves one out was cut short, never a denial.
        """
        pages = [
            self._whole(partial(self._markets_page, chunk, closed))
            for chunk in _chunks(refs, MARKETS_A_CALL)
            for closed in ("false", "true")
        ]
        page = _joined(pages, parse.MARKETS)
        items = tuple(map(_without_bare_event, page.items))
        is_whole = page.is_last and {item.market.ref for item in items}.issuperset(refs)
        return replace(page, items=items, is_last=is_whole)

    def _markets_page(self, refs: Sequence[str], closed: str) -> Page[Listing]:
        # A condition id names one market, so half a page holds the whole answer.
        params = [("condition_ids", ref) for ref in refs]
        params += [("limit", str(2 * MARKETS_A_CALL)), ("closed", closed), ("include_tag", "true")]
        url = f"{self.roots.gamma}/markets/keyset"
        answer = self.http.get(url, params, bucket="markets", endpoint=parse.MARKETS)
        return parse.parse_markets(answer.body, answer.received_at, 2 * MARKETS_A_CALL)

    def fetch_quotes(self, refs: Sequence[MarketRef]) -> Page[Quote]:
        """Tops of book from the CLOB; Gamma's prices are cached and never asked for here."""
        return books.quotes_of(self.fetch_books(refs))

    def fetch_books(self, refs: Sequence[MarketRef]) -> Page[OrderBook]:
        """Books of outcome 0's tokens. A token that the venue does not answer for is left out."""
        tokens = {ref.tokens[0]: (ref.ref, 0) for ref in refs if ref.tokens and ref.tokens[0]}
        chunks = _chunks(list(tokens), TOKENS_A_CALL)
        pages = [self._whole(partial(self._books_page, chunk, tokens)) for chunk in chunks]
        page = _joined(pages, books.BOOKS)
        nameless = [ref.ref for ref in refs if not (ref.tokens and ref.tokens[0])]
        lost = tuple(Refusal(self.slug, books.BOOKS, "no_token", ref) for ref in nameless)
        return replace(page, refused=page.refused + lost)

    def _books_page(self, chunk: Sequence[str], tokens: books.Tokens) -> Page[OrderBook]:
        content = [{"token_id": token} for token in chunk]
        url = f"{self.roots.clob}/books"
        answer = self.http.post(url, content, bucket="books", is_read=True, endpoint=books.BOOKS)
        return books.parse_books(answer.body, tokens, answer.received_at)

    def fetch_trades(self, refs: Sequence[MarketRef], since: datetime) -> Page[TradePrint]:
        """The tape since a time: one row per taker, so that volume is counted once."""
        tapes = [
            _sequence(list(self._trade_pages(chunk, since)))
            for chunk in _chunks([ref.ref for ref in refs], CONDITIONS_A_CALL)
        ]
        return _joined(tapes, books.TRADES)

    def _trade_pages(self, refs: Sequence[str], since: datetime) -> Iterator[Page[TradePrint]]:
        params = {
            "condition_id": ",".join(refs),
            "start": str(max(1, int(since.timestamp()))),
            "limit": str(TRADES_A_PAGE),
            "taker_only": "true",
        }
        seen: set[str] = set()
        for number in range(MAX_TRADE_PAGES):
            page = self._whole(partial(self._trades_page, dict(params)))
            yield page
            if not page.cursor:
                return
            if page.cursor in seen or number + 1 == MAX_TRADE_PAGES:
                yield _endless(page.cursor, books.TRADES, is_loop=page.cursor in seen)
                return
            seen.add(page.cursor)
            params["cursor"] = page.cursor

    def _trades_page(self, params: Mapping[str, str]) -> Page[TradePrint]:
        url = f"{self.roots.data}/v2/trades"
        answer = self.http.get(url, params, bucket="trades", endpoint=books.TRADES)
        return books.parse_trades(answer.body, answer.received_at)

    def fetch_candles(
        self, ref: MarketRef, seconds: int, start: datetime, end: datetime
    ) -> Page[CandleInfo]:
        """Candles of outcome 0's mid price, in windows that the venue accepts."""
        if not ref.tokens:
            refusal = Refusal(self.slug, books.HISTORY, "no_token", ref.ref)
            return Page(refused=(refusal,), endpoint=books.HISTORY)
        pages = []
        while start < end:
            until = min(start + HISTORY_WINDOW, end)
            pages.append(self._whole(partial(self._history_page, ref, seconds, start, until)))
            start = until
        return _joined(pages, books.HISTORY)

    def _history_page(
        self, ref: MarketRef, seconds: int, start: datetime, end: datetime
    ) -> Page[CandleInfo]:
        params = {
            "market": ref.tokens[0],
            "startTs": str(int(start.timestamp())),
            "endTs": str(int(end.timestamp())),
            "fidelity": str(max(1, seconds // 60)),
        }
        url = f"{self.roots.clob}/prices-history"
        answer = self.http.get(url, params, bucket="history", endpoint=books.HISTORY)
        return books.parse_history(answer.body, ref.ref, seconds, answer.received_at)

    def exchange_status(self) -> ExchangeStatus:
        """Whether the CLOB answers, trades, and agrees with us about the time."""
        try:
            beat, time = self._ask("ok"), self._ask("time")
        except VenueError as error:
            note = note_text(str(error))
            return ExchangeStatus(self.slug, clock.now(), False, False, note=note)
        return status_of_answers(
            (beat.status, beat.body), (time.status, time.body), time.received_at, clock.speed()
        )

    def _whole(self, ask: Callable[[], Page[T]]) -> Page[T]:
        """A body that was cut off or spoilt on its way is asked for again, and counted."""
        return unspoilt(ask, self.http.counters)

    def _ask(self, word: str) -> Answer:
        url = f"{self.roots.clob}/{word}"
        return self.http.get(url, accept=(425, 503), deadline=10, endpoint=f"GET /{word}")


def _without_bare_event(item: Listing) -> Listing:
    return item if item.event is None or item.event.tags else replace(item, event=None)


def _hides_markets(refusal: Refusal) -> bool:
    """Whether markets we know may be behind this refusal without being named by it."""
    return not refusal.ref


def _endless(cursor: str, endpoint: str, is_loop: bool) -> Page[Any]:
    """What stands in place of the last page of a walk that does not end."""
    reason, sample = "looping_cursor" if is_loop else "page_limit", clean(cursor)[:300]
    refusal = Refusal("polymarket", endpoint, reason, field="next_cursor", sample=sample)
    return Page(refused=(refusal,), endpoint=endpoint)


def _chunks(values: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    return (values[at : at + size] for at in range(0, len(values), size))


def _sequence(pages: Sequence[Page[T]]) -> Page[T]:
    """Page after page of one answer: it is whole if its last page says so."""
    return replace(_joined(pages, ""), is_last=pages[-1].is_last)


def _joined(pages: Sequence[Page[T]], endpoint: str) -> Page[T]:
    """Several answers to one question as one page, whole only if each of them is."""
    return Page(
        items=tuple(item for page in pages for item in page.items),
        refused=tuple(refusal for page in pages for refusal in page.refused),
        extras=frozenset().union(*(page.extras for page in pages)),
        endpoint=endpoint,
        is_last=all(page.is_last for page in pages),
    )
