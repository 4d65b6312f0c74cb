"""Recorded responses → the same values → the same rows as live collecting leaves.

The clock stands at the recording's own time meanwhile, so that ages, fees and partitions are those
of its date.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from arbsite import clock
from markets.models import Market
from markets.quotes import (
    CandleInfo,
    EventInfo,
    FeeInfo,
    Listing,
    OrderBook,
    Page,
    TradePrint,
    canonical,
)
from markets.recorded import RecordedFile, read_folder
from markets.runs import Run, recording
from markets.storing import (
    Categories,
    Trust,
    chunks,
    known_markets,
    store_books,
    store_candles,
    store_events,
    store_listings,
    store_trades,
)
from markets.venues import VENUES
from markets.writing import write_fees

CHUNK = 5000


@dataclass
class Loaded:
    """What a folder held: per venue what was stored, per file what became of it."""

    files: list[RecordedFile] = field(default_factory=list)
    counts: dict[str, Counter[str]] = field(default_factory=dict)
    as_of: datetime | None = None

    def as_json(self) -> dict[str, Any]:
        """The keys of `sync --json`."""
        return {
            "venues": {
                slug: {name: counts[name] for name in ("markets", "events", "refused")}
                for slug, counts in sorted(self.counts.items())
            },
            "files": [
                {name: value for name, value in asdict(file).items() if name != "as_of"}
                for file in self.files
            ],
        }


def load_folder(path: Path, as_of: datetime | None = None) -> Iterator[Loaded]:
    """Store every recorded file under `path`; yields the state after each, for a progress line.

    `as_of` overrides the times that the recordings state themselves.
    """
    loaded = Loaded()
    categories = Categories()
    try:
        for file, pages in read_folder(path, as_of):
            loaded.files.append(file)
            if file.as_of and pages:
                loaded.as_of = max(file.as_of, loaded.as_of or file.as_of)
                clock.settle(loaded.as_of)
            _load_pages(loaded, file, pages, categories)
            yield loaded
    finally:
        clock.settle(None)
    _count_stored(loaded)
    yield loaded


def _load_pages(
    loaded: Loaded, file: RecordedFile, pages: list[Page[Any]], categories: Categories
) -> None:
    """One run a venue: a file may hold bodies of two."""
    for venue in file.venue.split():
        mine = [page for page in pages if _venue_of(page) == venue]
        if venue not in VENUES or not mine:
            continue
        with recording(venue, "recorded", file.file[-20:]) as run:
            for page in mine:
                run.see(page)
                _store(run, page.items, categories)
            run.is_complete = True
        loaded.counts.setdefault(venue, Counter())["refused"] += run.refused


def _venue_of(page: Page[Any]) -> str:
    if page.refused:
        return page.refused[0].venue
    first = page.items[0] if page.items else None
    return first.market.venue if isinstance(first, Listing) else getattr(first, "venue", "")


def _store(run: Run, items: tuple[Any, ...], categories: Categories) -> None:
    """Every kind of value to its table, those that others point at first."""

    def of(kind: type) -> list[Any]:
        return [item for item in items if isinstance(item, kind)]

    trust = Trust.of(None)  # a recording stands still: that its stamps do says nothing
    store_events(run, of(EventInfo), categories)
    for batch in chunks(of(Listing), CHUNK):
        store_listings(run, batch, categories, trust)
    write_fees(of(FeeInfo))
    refs = {x.ref for kind in (OrderBook, TradePrint, CandleInfo) for x in of(kind)}
    keys = [canonical(run.venue, ref) for ref in refs]
    known = known_markets(Market.objects.filter(key__in=keys))
    store_books(run, of(OrderBook), known, trust)
    store_trades(run, of(TradePrint), known)
    store_candles(run, of(CandleInfo), known)


def _count_stored(loaded: Loaded) -> None:
    for venue, counts in loaded.counts.items():
        markets = Market.objects.filter(venue_id=venue)
        counts["markets"] = markets.count()
        counts["events"] = markets.exclude(event=None).values("event").distinct().count()
