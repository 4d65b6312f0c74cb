"""Values → rows: quality checked, categories mapped, what cannot be stored set aside by itself."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any, TypeVar

from django.db.models import F, QuerySet
from django.db.models.functions import Mod

from arbsite import clock
from markets import incidents
from markets.calc.quality import book_flags, quote_flags, top_of_book
from markets.calc.ticks import Grid, grid, grid_of_text
from markets.models import CategoryMap, Market, Outcome
from markets.quotes import (
    CandleInfo,
    EventInfo,
    Listing,
    MarketRef,
    OrderBook,
    Quote,
    Status,
    TradePrint,
)
from markets.runs import Run
from markets.writing import (
    QuoteRow,
    write_books,
    write_candles,
    write_events,
    write_markets,
    write_quotes,
    write_trades,
    write_volumes,
)
from markets.writing.listings import outcome_ids
from markets.writing.salvage import write_salvaging

T = TypeVar("T")
R = TypeVar("R")
LIVE = [Status.NEW, Status.OPEN, Status.PAUSED]
#: Flags that say what a price is, not that something is wrong with it.
PLAIN_FLAGS = {"", "indicative", "not_open", "indicative not_open"}


class Categories:
    """The desk's category for a venue's word; words without a row count as other."""

    def __init__(self) -> None:
        self.words = {
            (row.venue_id, row.venue_category.casefold()): row.category
            for row in CategoryMap.objects.all()
        }
        self.unmapped: Counter[str] = Counter()

    def __call__(self, venue: str, word: str) -> str:
        if not word:
            return "other"
        found = self.words.get((venue, word.casefold()))
        if found is None:
            self.unmapped[word] += 1
        return found or "other"

    def report(self, run: Run) -> None:
        """Tell once, quietly, which words have no mapping."""
        if not self.unmapped:
            return
        run.counts["unmapped_categories"] = len(self.unmapped)
        words = ", ".join(sorted(self.unmapped)[:20])
        incidents.report(
            "category",
            f"{run.venue}: category words without a mapping count as other: {words}",
            tier=incidents.Tier.QUIET,
            venue=run.venue,
        )


@dataclass(frozen=True, slots=True)
class Tracked:
    """A market as the fast jobs need it."""

    outcome_id: int
    ref: MarketRef
    grid: Grid | None
    is_open: bool = True


@dataclass(frozen=True, slots=True)
class Trust:
    """How a venue's times are judged: when a stamp counts as frozen, how far ahead is forgiven."""

    frozen_after: timedelta | None
    ahead: timedelta

    @classmethod
    def of(cls, connector: object) -> "Trust":
        """Five seconds of wall time ahead are forgiven, whatever the speed of our clock."""
        ahead = timedelta(seconds=5.0 * max(1.0, clock.speed()))
        return cls(getattr(connector, "frozen_after", None), ahead)


def chunks(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """The items in lists of at most `size`."""
    batch: list[T] = []
    for item in items:
        batch.append(item)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


def tracked(venue: str, shard: int = 0, shards: int = 1) -> dict[str, Tracked]:
    """Tracked markets of a venue (one shard of them) by the venue's own id."""
    chosen = Market.objects.filter(venue_id=venue, is_tracked=True, status__in=LIVE)
    if shards > 1:
        chosen = chosen.alias(part=Mod(F("pk"), shards)).filter(part=shard)
    return known_markets(chosen)


def known_markets(chosen: QuerySet[Market]) -> dict[str, Tracked]:
    """These markets (of one venue) as the fast jobs need them, by the venue's own id."""
    columns = ("ref", "series", "event__ref", "price_ranges", "status")
    outcomes = Outcome.objects.filter(market__in=chosen).order_by("market_id", "index")
    rows = outcomes.values_list("id", "index", "token", *(f"market__{name}" for name in columns))
    tokens: dict[str, list[str]] = {}
    first: dict[str, tuple[Any, ...]] = {}
    for outcome_id, index, token, ref, *more in rows:
        tokens.setdefault(ref, []).extend([token] if token else [])
        if index == 0:
            first[ref] = (outcome_id, *more)
    return {ref: _known(ref, tuple(tokens[ref]), *row) for ref, row in first.items()}


def _known(
    ref: str,
    tokens: tuple[str, ...],
    outcome_id: int,
    series: str,
    event_ref: str | None,
    ranges: list[list[str]],
    status: str,
) -> Tracked:
    pieces = tuple((start, end, step) for start, end, step in ranges)
    market = MarketRef(ref, tokens, series, event_ref or "")
    its_grid = grid_of_text(pieces) if pieces else None
    return Tracked(outcome_id, market, its_grid, status == Status.OPEN)


def store_events(run: Run, events: Sequence[EventInfo], categories: Categories) -> None:
    """Events to rows, counted on the run."""
    if not events:
        return
    for done in _salvaged(run, "events", events, lambda part: write_events(part, categories)):
        run.counts["events"] += done.seen
        run.counts["events_changed"] += len(done.created) + len(done.changed)


def store_listings(
    run: Run, listings: Sequence[Listing], categories: Categories, trust: Trust
) -> None:
    """Markets (with the events and quotes that came along) to rows, counted on the run."""
    if not listings:
        return
    store_events(run, [listing.event for listing in listings if listing.event], categories)
    markets = [listing.market for listing in listings]
    for done in _salvaged(run, "markets", markets, lambda part: write_markets(part, categories)):
        run.counts["markets"] += done.seen
        run.counts["new"] += len(done.created)
        run.counts["changed"] += len(done.changed)
    _store_listed_quotes(run, listings, trust)


def _store_listed_quotes(run: Run, listings: Sequence[Listing], trust: Trust) -> None:
    quoted = {x.market.key: (x.market, x.quote) for x in listings if x.quote}
    rows: list[QuoteRow] = []
    volumes: dict[int, Decimal | None] = {}
    for key, (outcome_id, is_tracked) in outcome_ids(quoted).items():
        market, quote = quoted[key]
        assert quote is not None
        if quote.is_indicative and is_tracked:  # it has a real book of its own
            volumes[outcome_id] = quote.volume_24h
            continue
        its_grid = grid(market.price_ranges) if market.price_ranges else None
        is_open = market.status == Status.OPEN
        flags = quote_flags(quote, its_grid, trust.frozen_after, trust.ahead, is_open)
        rows.append(QuoteRow(outcome_id, quote, flags))
    _write_quotes(run, rows)
    write_volumes(volumes)


def store_quotes(
    run: Run, quotes: Sequence[Quote], known: dict[str, Tracked], trust: Trust
) -> None:
    """Quotes of known markets to rows; one that belongs to none of them is counted."""
    rows = []
    for market, quote in _joined(run, quotes, known):
        flags = quote_flags(quote, market.grid, trust.frozen_after, trust.ahead, market.is_open)
        rows.append(QuoteRow(market.outcome_id, quote, flags))
    _write_quotes(run, rows)


def store_books(
    run: Run, books: Sequence[OrderBook], known: dict[str, Tracked], trust: Trust
) -> None:
    """Books to rows, and their tops to quotes."""
    kept, tops = [], []
    for market, book in _joined(run, books, known):
        flags = book_flags(book, market.grid, trust.frozen_after, trust.ahead, market.is_open)
        kept.append((market.outcome_id, book, flags))
        tops.append(QuoteRow(market.outcome_id, top_of_book(book), flags))
    for counts in _salvaged(run, "books", kept, write_books, lambda row: row[1].ref):
        run.counts["books"] += counts["books"]
        run.counts["snapshots"] += counts["snapshots"]
    _write_quotes(run, tops)


def store_trades(run: Run, trades: Sequence[TradePrint], known: dict[str, Tracked]) -> None:
    """Trades of known markets to rows, each once."""
    pairs = [(market.outcome_id, trade) for market, trade in _joined(run, trades, known)]
    run.counts["trades"] += len(pairs)
    run.counts["new"] += sum(_salvaged(run, "trades", pairs, write_trades, lambda x: x[1].ref))


def store_candles(run: Run, candles: Sequence[CandleInfo], known: dict[str, Tracked]) -> None:
    """Candles of known markets to rows."""
    pairs = [(market.outcome_id, candle) for market, candle in _joined(run, candles, known)]
    done = _salvaged(run, "candles", pairs, write_candles, lambda x: x[1].ref)
    run.counts["candles"] += sum(done)


def _joined(
    run: Run, values: Sequence[Any], known: dict[str, Tracked]
) -> Iterator[tuple[Tracked, Any]]:
    for value in values:
        market = known.get(value.ref)
        if market is None:
            run.counts["unknown"] += 1
        else:
            run.age(value.received_at)
            yield market, value


def _write_quotes(run: Run, rows: Sequence[QuoteRow]) -> None:
    for row in rows:
        run.age(row.quote.received_at)
    for counts in _salvaged(run, "quotes", rows, write_quotes, lambda row: row.quote.ref):
        run.counts["quotes"] += counts["quotes"]
        run.counts["quotes_changed"] += counts["changed"]
    run.counts["flagged"] += sum(1 for row in rows if row.flags not in PLAIN_FLAGS)


def _salvaged(
    run: Run,
    what: str,
    items: Sequence[T],
    write: Callable[[Sequence[T]], R],
    ref_of: Callable[[T], str] = lambda item: item.ref,  # type: ignore[attr-defined]
) -> list[R]:
    """What each part that could be written gave; the rest is refused, each with its reason."""
    if not items:
        return []
    done, refused = write_salvaging(items, write)
    for item, reason in refused:
        run.set_aside(f"store {what}", ref_of(item), reason)
    return done
