"""The collecting jobs: a connector asked, its answers stored, each run leaving its row.

Slow metadata (events, markets, fees) and fast prices (quotes, books, trades) are separate jobs.
One bad item, page or venue is set aside and counted; the rest goes on. Every function returns the
run's counts and may run twice, late or not at all without a wrong row. A venue that a person has
switched off is not asked and leaves no run.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from arbsite import clock
from markets.freshness import markets_seconds, quote_seconds
from markets.models import CollectionRun, Market, Venue
from markets.quotes import Listing, Page, Status, canonical
from markets.runs import Run, recording
from markets.storing import (
    LIVE,
    Categories,
    Trust,
    chunks,
    store_books,
    store_events,
    store_listings,
    store_quotes,
    store_trades,
    tracked,
)
from markets.venues import get_connector
from markets.venues.base import Books, Connector, Events, Fees, StatusReports, Trades
from markets.writing import write_fees

CHUNK = 10_000  # markets a transaction
ASK_AGAIN = 500  # markets a call, for those that left the listing
UNPAID = [Status.CLOSED, Status.DETERMINED, Status.DISPUTED]
UNPAID_CAP = 2000
DISCOVERY_BACK = timedelta(minutes=10)  # two intervals: a run may be missed
FIRST_TRADES, MOST_TRADES = timedelta(minutes=10), timedelta(days=1)


def is_enabled(venue: str) -> bool:
    """Whether a person lets us ask this venue."""
    return Venue.objects.filter(slug=venue, is_enabled=True).exists()


# --- slow: events, markets, fees


def sync_events(venue: str) -> dict[str, int]:
    """Every open event of a venue."""
    connector = get_connector(venue)
    if not isinstance(connector, Events) or not is_enabled(venue):
        return {}
    with recording(venue, "events") as run:
        categories = Categories()
        for page in connector.list_events():
            run.see(page)
            store_events(run, page.items, categories)
        categories.report(run)
    return dict(run.counts)


def sync_fees(venue: str) -> dict[str, int]:
    """Fee facts that do not come with the markets."""
    connector = get_connector(venue)
    if not isinstance(connector, Fees) or not is_enabled(venue):
        return {}
    with recording(venue, "fees") as run:
        for page in connector.list_fees():
            run.see(page)
            run.counts["fees"] += len(page.items)
            run.counts["changed"] += write_fees(page.items)
    return dict(run.counts)


def sync_markets(venue: str) -> dict[str, int]:
    """The whole universe of a venue: markets, their quotes, and what became of those that left.

    A market is taken for gone only after a listing that the venue itself called finished, and
    only when the venue, asked for it by its id, denies it.
    """
    if not is_enabled(venue):
        return {}
    connector = get_connector(venue)
    with recording(venue, "markets", every=markets_seconds()) as run:
        seen = _walk(run, connector.list_markets(), connector)
        if run.is_complete:
            _ask_for_absent(run, connector, seen | run.refused_keys)
        _follow_unpaid(run, connector)
    return dict(run.counts)


def discover(venue: str) -> dict[str, int]:
    """Markets that are new or changed since the last run, between two walks of everything."""
    if not is_enabled(venue):
        return {}
    connector = get_connector(venue)
    with recording(venue, "discovery") as run:
        since = clock.now() - DISCOVERY_BACK
        _walk(run, connector.list_markets(changed_since=since), connector)
    return dict(run.counts)


def _walk(run: Run, pages: Iterable[Page[Listing]], connector: Connector) -> set[str]:
    """Store page after page in chunks; returns the keys that were stored."""
    seen: set[str] = set()
    categories, trust = Categories(), Trust.of(connector)

    def listings() -> Iterator[Listing]:
        for page in pages:
            run.see(page)
            yield from page.items

    for batch in chunks(listings(), CHUNK):
        seen.update(listing.market.key for listing in batch)
        store_listings(run, batch, categories, trust)
    categories.report(run)
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
    store_listings(run, page.items, Categories(), Trust.of(connector))
    denied = {canonical(run.venue, ref) for ref in page.denied}
    answered = denied | run.refused_keys | {listing.market.key for listing in page.items}
    run.counts["unanswered"] += sum(canonical(run.venue, ref) not in answered for ref in refs)
    return denied


def _close(keys: Sequence[str], run: Run) -> None:
    """The venue does not know these any more: the last copy stays, marked closed."""
    with transaction.atomic():
        known = Market.objects.filter(key__in=keys, status__in=LIVE)
        for market in known.order_by("key").select_for_update(of=("self",)):
            market.revisions.create(
                field="status", old=market.status, new=Status.CLOSED, received_at=clock.now()
            )
            market.status, market.venue_status, market.content_hash = Status.CLOSED, "gone", ""
            market.save(update_fields=["status", "venue_status", "content_hash"])
            run.counts["closed"] += 1


# --- fast: quotes, books, trades of what is tracked


def refresh_quotes(venue: str, shard: int = 0, shards: int = 1) -> dict[str, int]:
    """Fresh tops of book for one shard of the tracked markets."""
    if not is_enabled(venue):
        return {}
    connector = get_connector(venue)
    name = f"{shard}/{shards}"
    with recording(venue, "quotes", name, every=quote_seconds(venue)) as run:
        known = tracked(venue, shard, shards)
        run.is_complete = True
        if known:
            page = connector.fetch_quotes([x.ref for x in known.values()])
            run.see(page)
            store_quotes(run, page.items, known, Trust.of(connector))
            run.counts["unanswered"] = len(known) - len({quote.ref for quote in page.items})
    return dict(run.counts)


def refresh_books(venue: str, shard: int = 0, shards: int = 1) -> dict[str, int]:
    """Full books of one shard of the tracked markets, each kept as this minute's snapshot."""
    connector = get_connector(venue)
    if not isinstance(connector, Books) or not is_enabled(venue):
        return {}
    with recording(venue, "books", f"{shard}/{shards}", every=60 * clock.speed()) as run:
        run.is_complete = True
        known = tracked(venue, shard, shards)
        for batch in chunks(known.values(), ASK_AGAIN):
            page = connector.fetch_books([x.ref for x in batch])
            was_complete = run.is_complete
            run.see(page)
            run.is_complete = was_complete and page.is_last
            store_books(run, page.items, known, Trust.of(connector))
    return dict(run.counts)


def refresh_trades(venue: str) -> dict[str, int]:
    """Trades of the tracked markets since a little before the last run that saw them all."""
    connector = get_connector(venue)
    if not isinstance(connector, Trades) or not is_enabled(venue):
        return {}
    with recording(venue, "trades", every=300) as run:
        known = tracked(venue)
        page = connector.fetch_trades([x.ref for x in known.values()], _since(venue))
        run.see(page)
        store_trades(run, page.items, known)
    return dict(run.counts)


def _since(venue: str) -> datetime:
    """A minute before the last complete run, however long ago within a day: an outage of ours
    must not cost trades that the venue still serves."""
    done = CollectionRun.objects.filter(venue=venue, job="trades", is_complete=True)
    last = done.order_by("-id").values_list("started_at", flat=True).first()
    if last is None:
        return clock.now() - FIRST_TRADES
    return max(clock.now() - MOST_TRADES, last - timedelta(minutes=1))


def check_venue(venue: str) -> dict[str, Any]:
    """Ask the venue how it is; announced pauses are kept for doctor, the pages and the gate."""
    connector = get_connector(venue)
    if not isinstance(connector, StatusReports) or not is_enabled(venue):
        return {}
    with recording(venue, "status", every=60 * clock.speed()) as run:
        run.is_complete = True
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
