"""Collecting with a venue that we control: lifecycle, completeness, quality, shards, gaps."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal as D

import pytest

from arbsite import clock
from markets import ingest
from markets.models import (
    CollectionRun,
    Gap,
    Incident,
    LatestBook,
    LatestQuote,
    Market,
    MarketRevision,
    Quote,
    Venue,
)
from markets.quotes import (
    Level,
    Listing,
    MarketInfo,
    MarketRef,
    OrderBook,
    OutcomeInfo,
    Page,
    PriceRange,
    Refusal,
    Status,
)
from markets.quotes import Quote as QuoteValue
from markets.storing import tracked
from markets.venues.base import VenueError

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


@dataclass
class Venues:
    """A connector whose answers a test sets."""

    slug: str = "kalshi"
    label: str = "Kalshi"
    poll_seconds: int = 0
    listing: list[Page[Listing]] = field(default_factory=list)
    known: dict[str, Listing] = field(default_factory=dict)
    quotes: Page[QuoteValue] = field(default_factory=Page)
    books: Page[OrderBook] = field(default_factory=Page)
    problem: Exception | None = None
    asked: list[str] = field(default_factory=list)
    is_silent: bool = False

    def list_markets(self, changed_since: datetime | None = None) -> Iterator[Page[Listing]]:
        if self.problem:
            raise self.problem
        yield from self.listing

    def fetch_markets(self, refs: Sequence[str]) -> Page[Listing]:
        self.asked += refs
        denied = frozenset() if self.is_silent else frozenset(refs) - self.known.keys()
        return Page(tuple(self.known[r] for r in refs if r in self.known), denied=denied)

    def fetch_quotes(self, refs: Sequence[MarketRef]) -> Page[QuoteValue]:
        if self.problem:
            raise self.problem
        return self.quotes

    def fetch_books(self, refs: Sequence[MarketRef]) -> Page[OrderBook]:
        return self.books


@pytest.fixture
def venue(monkeypatch: pytest.MonkeyPatch) -> Venues:
    made = Venues()
    monkeypatch.setattr(ingest, "get_connector", lambda slug: made)
    clock.settle(NOW)
    return made


def listing(ref: str, status: Status = Status.OPEN, minute: int = 0, **quote: object) -> Listing:
    at = NOW + timedelta(minutes=minute)
    market = MarketInfo(
        venue="kalshi",
        ref=ref,
        title=f"Market {ref}",
        status=status,
        outcomes=(OutcomeInfo(0, "Yes"), OutcomeInfo(1, "No")),
        price_ranges=(PriceRange(D(0), D(1), D("0.01")),),
        received_at=at,
        event_ref="KX",
    )
    values = {"bid": D("0.42"), "ask": D("0.44")} | quote
    return Listing(market, QuoteValue("kalshi", ref, at, **values))  # type: ignore[arg-type]


def pages(*items: Listing, is_last: bool = True) -> list[Page[Listing]]:
    return [Page(items[:1]), Page(items[1:], is_last=is_last)]


def statuses() -> dict[str, str]:
    return dict(Market.objects.values_list("ref", "status"))


def track(*refs: str) -> None:
    Market.objects.filter(ref__in=refs).update(is_tracked=True)


def test_a_walk_stores_markets_and_quotes_and_leaves_its_run(venue: Venues) -> None:
    venue.listing = pages(listing("A"), listing("B"))
    counts = ingest.sync_markets("kalshi")
    assert (counts["markets"], counts["new"], counts["quotes"]) == (2, 2, 2)
    run = CollectionRun.objects.get()
    assert (run.job, run.pages, run.is_complete, run.errors) == ("markets", 2, True, [])
    assert LatestQuote.objects.filter(is_tradable=True).count() == 2


def test_a_market_that_left_a_complete_listing_is_asked_for(venue: Venues) -> None:
    venue.listing = pages(listing("A"), listing("B"), listing("C"))
    ingest.sync_markets("kalshi")
    venue.listing = pages(listing("A", minute=1))
    venue.known = {"B": listing("B", Status.SETTLED, 1)}
    ingest.sync_markets("kalshi")
    assert statuses() == {"A": "open", "B": "settled", "C": "closed"}
    assert sorted(set(venue.asked)) == ["B", "C"]
    changed = MarketRevision.objects.filter(field="status").values_list("market__ref", "new")
    assert sorted(changed) == [("B", "settled"), ("C", "closed")]


@pytest.mark.parametrize("kind", ["truncated", "nameless refusal", "empty", "error"])
def test_a_listing_that_is_not_whole_closes_nothing(venue: Venues, kind: str) -> None:
    venue.listing = pages(listing("A"), listing("B"))
    ingest.sync_markets("kalshi")
    seen = listing("A", minute=1)
    nameless = Refusal("kalshi", "GET /markets", "retyped", field="Market.ticker")
    venue.listing = {
        "truncated": pages(seen, is_last=False),
        "nameless refusal": [Page((seen,), (nameless,), is_last=True)],
        "empty": [Page(is_last=True)],
        "error": pages(seen),
    }[kind]
    if kind == "error":
        venue.problem = VenueError("no answer", endpoint="GET /markets")
    ingest.sync_markets("kalshi")
    assert statuses() == {"A": "open", "B": "open"}
    assert not CollectionRun.objects.order_by("-id")[0].is_complete


def test_a_refused_market_counts_as_seen(venue: Venues) -> None:
    venue.listing = pages(listing("A"), listing("B"))
    ingest.sync_markets("kalshi")
    named = Refusal("kalshi", "GET /markets", "missing", ref="B", field="Market.status")
    venue.listing = [Page((listing("A", minute=1),), (named,), is_last=True)]
    ingest.sync_markets("kalshi")
    assert statuses() == {"A": "open", "B": "open"}
    assert venue.asked == []
    assert Incident.objects.get().field == "Market.status"


def test_ended_markets_are_followed_until_they_are_settled(venue: Venues) -> None:
    venue.listing = pages(listing("A", Status.DETERMINED))
    ingest.sync_markets("kalshi")
    assert venue.asked == ["A"]
    settled = listing("A", Status.SETTLED, 1)
    paid = replace(settled.market, result="Yes", settlement_value=D(1))
    venue.known = {"A": replace(settled, market=paid)}
    venue.listing = [Page(is_last=True)]
    ingest.sync_markets("kalshi")
    market = Market.objects.get()
    assert (market.status, market.result, market.settlement_value) == ("settled", "Yes", D(1))


def test_a_crossed_or_off_tick_price_is_kept_flagged_and_untradable(venue: Venues) -> None:
    venue.listing = pages(listing("A", bid=D("0.50")), listing("B", bid=D("0.415")))
    counts = ingest.sync_markets("kalshi")
    assert counts["flagged"] == 2
    flags = dict(LatestQuote.objects.values_list("outcome__market__ref", "flags"))
    assert flags == {"A": "crossed", "B": "off_tick"}
    assert not LatestQuote.objects.filter(is_tradable=True).exists()


def test_an_indicative_price_never_covers_the_book_of_a_tracked_market(venue: Venues) -> None:
    venue.listing = pages(listing("A"))
    ingest.sync_markets("kalshi")
    track("A")
    rough = listing("A", minute=1)
    assert rough.quote is not None
    cached = replace(rough.quote, bid=D("0.1"), volume_24h=D(77), is_indicative=True)
    venue.listing = [Page((replace(rough, quote=cached),), is_last=True)]
    ingest.sync_markets("kalshi")
    row = LatestQuote.objects.get()
    assert (row.bid, row.volume_24h, row.checked_at) == (D("0.42"), D(77), NOW)


def test_quotes_of_tracked_markets_are_refreshed_and_strangers_counted(venue: Venues) -> None:
    venue.listing = pages(listing("A"), listing("B"))
    ingest.sync_markets("kalshi")
    track("A")
    fresh = QuoteValue("kalshi", "A", NOW + timedelta(seconds=15), D("0.40"), D("0.41"))
    venue.quotes = Page((fresh, replace(fresh, ref="B")), is_last=True)
    counts = ingest.refresh_quotes("kalshi")
    assert (counts["quotes"], counts["quotes_changed"], counts["unknown"]) == (1, 1, 1)
    assert Quote.objects.filter(bid=D("0.40")).count() == 1


def test_shards_divide_the_tracked_markets_between_them(venue: Venues) -> None:
    venue.listing = pages(*(listing(f"M{n}") for n in range(20)))
    ingest.sync_markets("kalshi")
    Market.objects.update(is_tracked=True)
    parts = [set(tracked("kalshi", shard, 3)) for shard in range(3)]
    assert set.union(*parts) == {f"M{n}" for n in range(20)}
    assert sum(map(len, parts)) == 20


def test_books_become_latest_snapshot_and_quote(venue: Venues) -> None:
    venue.listing = pages(listing("A"))
    ingest.sync_markets("kalshi")
    track("A")
    book = OrderBook("kalshi", "A", (Level(D("0.41"), D(5)),), (Level(D("0.43"), D(7)),),
                     NOW + timedelta(seconds=20))  # fmt: skip
    venue.books = Page((book,), is_last=True)
    counts = ingest.refresh_books("kalshi")
    assert (counts["books"], counts["snapshots"]) == (1, 1)
    assert LatestBook.objects.get().asks == [["0.43", "7"]]
    assert LatestQuote.objects.get().ask_size == D(7)


def test_a_venue_that_does_not_answer_leaves_an_error_and_then_a_gap(venue: Venues) -> None:
    venue.listing = pages(listing("A"))
    ingest.sync_markets("kalshi")
    track("A")
    venue.quotes = Page(is_last=True)
    ingest.refresh_quotes("kalshi")
    venue.problem = VenueError("connection refused")
    clock.settle(NOW + timedelta(minutes=1))
    ingest.refresh_quotes("kalshi")
    assert CollectionRun.objects.order_by("-id")[0].errors == ["connection refused"]
    venue.problem = None
    clock.settle(NOW + timedelta(minutes=5))
    ingest.refresh_quotes("kalshi")
    gap = Gap.objects.get()
    assert (gap.started_at, gap.ended_at) == (NOW, NOW + timedelta(minutes=5))
    assert gap.reason == "connection refused"


def test_a_disabled_venue_is_left_alone(venue: Venues) -> None:
    Venue.objects.filter(slug="kalshi").update(is_enabled=False)
    venue.problem = AssertionError("asked")
    assert ingest.sync_markets("kalshi") == {}
    ingest.refresh_quotes("kalshi")


def test_a_word_without_a_mapping_counts_as_other_and_is_told(venue: Venues) -> None:
    odd = listing("A")
    venue.listing = [
        Page((replace(odd, market=replace(odd.market, category="Cheese")),), is_last=True)
    ]
    counts = ingest.sync_markets("kalshi")
    assert counts["unmapped_categories"] == 1
    assert Market.objects.get().category == "other"
    assert "Cheese" in Incident.objects.get(kind="category").text


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("seeded")
def test_a_denied_market_is_closed_outside_any_transaction_of_the_caller(venue: Venues) -> None:
    venue.listing = pages(listing("A"), listing("B"))
    ingest.sync_markets("kalshi")
    venue.listing = pages(listing("A", minute=1))
    counts = ingest.sync_markets("kalshi")
    assert counts["closed"] == 1
    assert statuses() == {"A": "open", "B": "closed"}


def test_a_market_that_was_neither_given_nor_denied_stays_open(venue: Venues) -> None:
    venue.listing = pages(listing("A"), listing("B"))
    ingest.sync_markets("kalshi")
    venue.listing = pages(listing("A", minute=1))
    venue.is_silent = True
    counts = ingest.sync_markets("kalshi")
    assert counts["unanswered"] == 1
    assert statuses() == {"A": "open", "B": "open"}


@pytest.mark.parametrize(
    "poison",
    [
        {"volume_24h": D("1e14")},
        {"bid_size": D("1e14")},
        {"last": D("1e7")},
    ],
)
def test_a_quote_that_cannot_be_stored_costs_no_other(venue: Venues, poison: dict[str, D]) -> None:
    good = [listing(f"M{n}") for n in range(20)]
    bad = listing("BAD")
    assert bad.quote is not None
    venue.listing = pages(*good, replace(bad, quote=replace(bad.quote, **poison)))  # type: ignore[arg-type]
    ingest.sync_markets("kalshi")
    assert LatestQuote.objects.count() == 20
    assert Incident.objects.get(kind="drift").endpoint == "store quotes"


@pytest.mark.parametrize(
    "poison",
    [
        {"series": "x" * 500},
        {"min_size": D("1e7")},
        {"title": " ".join(f"w{n}" for n in range(200_000))},
    ],
)
def test_a_market_that_cannot_be_stored_costs_no_other(
    venue: Venues, poison: dict[str, object]
) -> None:
    good = [listing(f"M{n}") for n in range(20)]
    bad = listing("BAD")
    venue.listing = pages(*good, replace(bad, market=replace(bad.market, **poison)))  # type: ignore[arg-type]
    counts = ingest.sync_markets("kalshi")
    assert counts["markets"] == 20 == Market.objects.count()
    run = CollectionRun.objects.get()
    assert (run.refused, run.errors) == (1, [])


def test_a_paused_market_keeps_its_price_untradable(venue: Venues) -> None:
    venue.listing = pages(listing("A"))
    ingest.sync_markets("kalshi")
    venue.listing = pages(listing("A", Status.PAUSED, 1))
    ingest.sync_markets("kalshi")
    row = LatestQuote.objects.get()
    assert (row.flags, row.is_tradable) == ("not_open", False)


def test_after_an_outage_trades_are_asked_from_where_they_were_last_complete(
    venue: Venues, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[datetime] = []

    def fetch(refs: Sequence[MarketRef], since: datetime) -> Page[object]:
        asked.append(since)
        return Page(is_last=True)

    monkeypatch.setattr(venue, "fetch_trades", fetch, raising=False)
    ingest.refresh_trades("kalshi")
    clock.settle(NOW + timedelta(minutes=45))
    ingest.refresh_trades("kalshi")
    assert asked == [NOW - timedelta(minutes=10), NOW - timedelta(minutes=1)]
