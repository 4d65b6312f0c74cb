"""Connector → values → rows: one function a job, each leaving its `CollectionRun`.

Slow metadata (events, markets, fees) and fast prices (quotes, books, trades) are separate jobs.
One bad item, page or venue is set aside and counted; the rest goes on. Every function returns the
run's counts and may run twice, late or not at all without a wrong row.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar

from django.conf import settings
from django.db.models import F, QuerySet
from django.db.models.functions import Mod

from arbsite import clock
from markets import incidents
from markets.calc.quality import book_flags, quote_flags, top_of_book
from markets.calc.ticks import Grid, grid, grid_of_text
from markets.freshness import quote_seconds
from markets.models import CategoryMap, CollectionRun, Market, Outcome, Venue
from markets.quotes import (
    EventInfo,
    Listing,
    MarketInfo,
    MarketRef,
    OrderBook,
    Page,
    Quote,
    Status,
    canonical,
)
from markets.runs import Run, recording
from markets.venues import get_connector
from markets.venues.base import Books, Connector, Events, Fees, StatusReports, Trades
from markets.writing import (
    QuoteRow,
    write_books,
    write_events,
    write_fees,
    write_markets,
    write_quotes,
    write_trades,
    write_volumes,
)
from markets.writing.listings import outcome_ids

T = TypeVar("T")
CHUNK = 10_000  # markets a transaction
ASK_AGAIN = 500  # markets a call, for those that left the listing
LIVE = [Status.NEW, Status.OPEN, Status.PAUSED]
UNPAID = [Status.CLOSED, Status.DETERMINED, Status.DISPUTED]
UNPAID_CAP = 2000
TRADES_BACK = timedelta(minutes=10)


# --- what the jobs share


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


@dataclass(frozen=True, slots=True)
class Tracked:
    """A tracked market as the fast jobs need it."""

    outcome_id: int
    ref: MarketRef
    grid: Grid | None


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


def _is_enabled(venue: str) -> bool:
    return Venue.objects.filter(slug=venue, is_enabled=True).exists()


def _frozen_after(connector: Connector | None) -> timedelta | None:
    return getattr(connector, "frozen_after", None)


def _ahead() -> timedelta:
    """How far ahead a venue's clock may run: five seconds of wall time, whatever our speed."""
    return timedelta(seconds=max(5.0, 5.0 * clock.speed()))


# --- slow: events, markets, fees


def sync_events(venue: str) -> dict[str, int]:
    """Every open event of a venue."""
    connector = get_connector(venue)
    with recording(venue, "events") as run:
        if isinstance(connector, Events) and _is_enabled(venue):
            categories = Categories()
            for page in connector.list_events():
                run.see(page)
                store_events(run, page.items, categories)
            _count_unmapped(run, categories)
        else:
            run.is_complete = True
    return dict(run.counts)


def sync_fees(venue: str) -> dict[str, int]:
    """Fee facts that do not come with the markets."""
    connector = get_connector(venue)
    with recording(venue, "fees") as run:
        if isinstance(connector, Fees) and _is_enabled(venue):
            for page in connector.list_fees():
                run.see(page)
                run.counts["fees"] += len(page.items)
                run.counts["changed"] += write_fees(page.items)
        else:
            run.is_complete = True
    return dict(run.counts)


def sync_markets(venue: str) -> dict[str, int]:
    """The whole universe of a venue: markets, their quotes, and what became of those that left.

    A market is taken for gone only after a listing that the venue itself called finished, and
    only by asking for it.
    """
    connector = get_connector(venue)
    with recording(venue, "markets", every=settings.MARKETS_SECONDS) as run:
        if not _is_enabled(venue):
            run.is_complete = True
            return {}
        seen = _walk(run, connector.list_markets(), connector)
        if run.is_complete:
            _ask_for_absent(run, connector, seen | run.refused_keys)
        _follow_unpaid(run, connector)
    return dict(run.counts)


def discover(venue: str) -> dict[str, int]:
    """Markets that are new or changed since the last run, between two walks of everything."""
    connector = get_connector(venue)
    with recording(venue, "discovery") as run:
        if _is_enabled(venue):
            since = clock.now() - timedelta(seconds=2 * 300)
            _walk(run, connector.list_markets(changed_since=since), connector)
    return dict(run.counts)


def _walk(run: Run, pages: Iterable[Page[Listing]], connector: Connector) -> set[str]:
    """Store page after page in chunks; returns the keys that were stored."""
    seen: set[str] = set()
    categories = Categories()

    def listings() -> Iterator[Listing]:
        for page in pages:
            run.see(page)
            yield from page.items

    for batch in chunks(listings(), CHUNK):
        seen.update(listing.market.key for listing in batch)
        store_listings(run, batch, categories, connector)
    _count_unmapped(run, categories)
    return seen


def _ask_for_absent(run: Run, connector: Connector, seen: Collection[str]) -> None:
    """Markets we hold for live that a complete listing did not show: ask for each by its id.

    Only one that the venue then denies is closed, and none while the listing held an item that
    was refused without saying which market it was: that may have been the one.
    """
    live = Market.objects.filter(venue_id=run.venue, status__in=LIVE)
    keys = dict(live.values_list("key", "ref").iterator())
    absent = sorted((key, ref) for key, ref in keys.items() if key not in seen)
    run.counts["absent"] = len(absent)
    if not seen and absent:
        run.is_complete = False
        run.errors.append(f"the listing was empty while {len(absent)} markets are held for live")
        return
    may_close = not (run.nameless or run.refused_keys - keys.keys())
    for batch in chunks(absent, ASK_AGAIN):
        denied = _ask(run, connector, [ref for _, ref in batch])
        if may_close:
            _close(sorted(denied), run)
    run.is_complete = not run.nameless


def _follow_unpaid(run: Run, connector: Connector) -> None:
    """Ask after ended markets until they are settled: some each run, in no fixed order."""
    waiting = Market.objects.filter(venue_id=run.venue, status__in=UNPAID)
    refs = list(waiting.order_by("?").values_list("ref", flat=True)[:UNPAID_CAP])
    for batch in chunks(refs, ASK_AGAIN):
        _ask(run, connector, batch)


def _ask(run: Run, connector: Connector, refs: Sequence[str]) -> set[str]:
    """Fetch markets by id and store them; the keys that the venue says it does not know.

    How whole the run's listing was stays as it is; what was neither given nor denied is counted.
    """
    was_complete = run.is_complete
    page = connector.fetch_markets(refs)
    run.see(page)
    run.is_complete = was_complete
    store_listings(run, page.items, Categories(), connector)
    answered = {listing.market.key for listing in page.items}
    silent = {canonical(run.venue, ref) for ref in refs} - answered - run.refused_keys
    if page.is_last and not page.refused:
        return silent
    run.counts["unanswered"] += len(silent)
    return set()


def _close(keys: Sequence[str], run: Run) -> None:
    """The venue does not know these any more: the last copy stays, marked closed."""
    known = Market.objects.filter(key__in=keys, status__in=LIVE)
    for market in known.order_by("key").select_for_update(of=("self",)):
        market.revisions.create(
            field="status", old=market.status, new=Status.CLOSED, received_at=clock.now()
        )
        market.status, market.venue_status, market.content_hash = Status.CLOSED, "gone", ""
        market.save(update_fields=["status", "venue_status", "content_hash"])
        run.counts["closed"] += 1


def store_events(run: Run, events: Sequence[EventInfo], categories: Categories) -> None:
    """Events to rows, counted on the run."""
    written = write_events(events, categories)
    run.counts["events"] += written.seen
    run.counts["events_changed"] += len(written.created) + len(written.changed)


def store_listings(
    run: Run, listings: Sequence[Listing], categories: Categories, connector: Connector | None
) -> None:
    """Markets (with the events and quotes that came along) to rows, counted on the run."""
    if not listings:
        return
    events = [listing.event for listing in listings if listing.event]
    if events:
        store_events(run, events, categories)
    markets = [listing.market for listing in listings]
    written = write_markets(markets, categories)
    run.counts["markets"] += written.seen
    run.counts["new"] += len(written.created)
    run.counts["changed"] += len(written.changed)
    _store_listed_quotes(run, listings, connector)


def _store_listed_quotes(
    run: Run, listings: Sequence[Listing], connector: Connector | None
) -> None:
    quoted = {x.market.key: (x.market, x.quote) for x in listings if x.quote}
    ids = outcome_ids(quoted)
    frozen, ahead = _frozen_after(connector), _ahead()
    rows: list[QuoteRow] = []
    volumes: dict[int, Decimal | None] = {}
    for key, (outcome_id, is_tracked) in ids.items():
        market, quote = quoted[key]
        assert quote is not None
        if quote.is_indicative and is_tracked:  # it has a real book of its own
            volumes[outcome_id] = quote.volume_24h
            continue
        flags = quote_flags(quote, _grid_of(market), frozen, ahead)
        rows.append(QuoteRow(outcome_id, quote, flags))
        run.age(quote.received_at)
    _count_quotes(run, rows)
    write_volumes(volumes)


def _grid_of(market: MarketInfo) -> Grid | None:
    return grid(market.price_ranges) if market.price_ranges else None


def _count_quotes(run: Run, rows: Sequence[QuoteRow]) -> None:
    counts = write_quotes(rows)
    run.counts["quotes"] += counts["quotes"]
    run.counts["quotes_changed"] += counts["changed"]
    run.counts["flagged"] += sum(1 for row in rows if row.flags and row.flags != "indicative")


def _count_unmapped(run: Run, categories: Categories) -> None:
    if categories.unmapped:
        run.counts["unmapped_categories"] = len(categories.unmapped)
        words = ", ".join(sorted(categories.unmapped)[:20])
        incidents.report(
            "category",
            f"{run.venue}: category words without a mapping count as other: {words}",
            tier=incidents.Tier.QUIET,
            venue=run.venue,
        )


# --- fast: quotes, books, trades of what is tracked


def tracked(venue: str, shard: int = 0, shards: int = 1) -> dict[str, Tracked]:
    """Tracked markets of a venue (one shard of them) by the venue's own id."""
    chosen = Market.objects.filter(venue_id=venue, is_tracked=True, status__in=LIVE)
    if shards > 1:
        chosen = chosen.alias(part=Mod(F("pk"), shards)).filter(part=shard)
    return known_markets(chosen)


def known_markets(chosen: QuerySet[Market]) -> dict[str, Tracked]:
    """These markets (of one venue) as the fast jobs need them, by the venue's own id."""
    columns = ("market__ref", "market__series", "market__event__ref", "market__price_ranges")
    outcomes = Outcome.objects.filter(market__in=chosen).order_by("market_id", "index")
    tokens: dict[str, list[str]] = {}
    found: dict[str, Tracked] = {}
    rows = outcomes.values_list("id", "index", "token", *columns)
    for outcome_id, index, token, ref, series, event_ref, ranges in rows:
        tokens.setdefault(ref, []).append(token)
        if index == 0:
            pieces = tuple(tuple(piece) for piece in ranges)
            known = MarketRef(ref, (), series, event_ref or "")
            found[ref] = Tracked(outcome_id, known, grid_of_text(pieces) if pieces else None)
    return {
        ref: Tracked(x.outcome_id, _with_tokens(x.ref, tokens[ref]), x.grid)
        for ref, x in found.items()
    }


def _with_tokens(ref: MarketRef, tokens: Sequence[str]) -> MarketRef:
    return MarketRef(ref.ref, tuple(t for t in tokens if t), ref.series, ref.event_ref)


def refresh_quotes(venue: str, shard: int = 0, shards: int = 1) -> dict[str, int]:
    """Fresh tops of book for one shard of the tracked markets."""
    connector = get_connector(venue)
    name = f"{shard}/{shards}"
    with recording(venue, "quotes", name, every=quote_seconds(venue)) as run:
        known = tracked(venue, shard, shards) if _is_enabled(venue) else {}
        run.is_complete = True
        if known:
            page = connector.fetch_quotes([x.ref for x in known.values()])
            run.see(page)
            store_quotes(run, page.items, known, connector)
            run.counts["unanswered"] = len(known) - len({quote.ref for quote in page.items})
    return dict(run.counts)


def store_quotes(
    run: Run, quotes: Sequence[Quote], known: dict[str, Tracked], connector: Connector | None
) -> None:
    """Quotes of tracked markets to rows; one that belongs to no market we know is counted."""
    frozen, ahead = _frozen_after(connector), _ahead()
    rows = []
    for quote in quotes:
        market = known.get(quote.ref)
        if market is None:
            run.counts["unknown"] += 1
            continue
        flags = quote_flags(quote, market.grid, frozen, ahead)
        rows.append(QuoteRow(market.outcome_id, quote, flags))
        run.age(quote.received_at)
    _count_quotes(run, rows)


def refresh_books(venue: str, shard: int = 0, shards: int = 1) -> dict[str, int]:
    """Full books of one shard of the tracked markets, each kept as this minute's snapshot."""
    connector = get_connector(venue)
    with recording(venue, "books", f"{shard}/{shards}", every=60) as run:
        run.is_complete = True
        if isinstance(connector, Books) and _is_enabled(venue):
            known = tracked(venue, shard, shards)
            for batch in chunks(known.values(), ASK_AGAIN):
                page = connector.fetch_books([x.ref for x in batch])
                run.see(page)
                run.is_complete = page.is_last
                store_books(run, page.items, known, connector)
    return dict(run.counts)


def store_books(
    run: Run, books: Sequence[OrderBook], known: dict[str, Tracked], connector: Connector | None
) -> None:
    """Books to rows, and their tops to quotes."""
    frozen, ahead = _frozen_after(connector), _ahead()
    kept, tops = [], []
    for book in books:
        market = known.get(book.ref)
        if market is None:
            run.counts["unknown"] += 1
            continue
        flags = book_flags(book, market.grid, frozen, ahead)
        kept.append((market.outcome_id, book, flags))
        tops.append(QuoteRow(market.outcome_id, top_of_book(book), flags))
        run.age(book.received_at)
    counts = write_books(kept)
    run.counts["books"] += counts["books"]
    run.counts["snapshots"] += counts["snapshots"]
    _count_quotes(run, tops)


def refresh_trades(venue: str) -> dict[str, int]:
    """Trades of the tracked markets since a little before the last run."""
    connector = get_connector(venue)
    with recording(venue, "trades", every=300) as run:
        run.is_complete = True
        if isinstance(connector, Trades) and _is_enabled(venue):
            known = tracked(venue)
            page = connector.fetch_trades([x.ref for x in known.values()], _since(venue))
            run.see(page)
            run.is_complete = page.is_last
            pairs = [(known[t.ref].outcome_id, t) for t in page.items if t.ref in known]
            run.counts["trades"] = len(pairs)
            run.counts["new"] = write_trades(pairs)
    return dict(run.counts)


def _since(venue: str) -> datetime:
    """A minute before the last run that saw all there was, at most TRADES_BACK ago."""
    done = CollectionRun.objects.filter(venue=venue, job="trades", is_complete=True)
    last = done.order_by("-id").values_list("started_at", flat=True).first()
    horizon = clock.now() - TRADES_BACK
    return max(horizon, last - timedelta(minutes=1)) if last else horizon


def check_venue(venue: str) -> dict[str, Any]:
    """Ask the venue how it is; announced pauses are kept on the run for doctor and the gate."""
    connector = get_connector(venue)
    with recording(venue, "status", every=60) as run:
        run.is_complete = True
        if isinstance(connector, StatusReports):
            status = connector.exchange_status()
            run.counts.update(is_up=int(status.is_up), is_trading=int(status.is_trading))
            Venue.objects.filter(slug=venue).update(
                is_up=status.is_up,
                is_trading=status.is_trading,
                resumes_at=status.resumes_at,
                pauses=[
                    {"start": w.start.isoformat(), "end": w.end.isoformat(), "reason": w.reason}
                    for w in status.windows
                ],
                status_note=status.note[:300],
                status_at=status.received_at,
            )
    return dict(run.counts)
