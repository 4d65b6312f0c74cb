"""Candles: the ones most in need first, and a market that fails does not cost the others."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal as D

import pytest

from arbsite import clock
from markets import history
from markets.models import Candle, CollectionRun, Market, Outcome
from markets.quotes import CandleInfo, MarketRef, Page, Quote
from markets.venues.base import VenueError
from markets.writing import QuoteRow, write_markets, write_quotes
from tests.markets.test_ingest import listing

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


class Venue:
    """Gives one candle an hour for whatever is asked, but nothing for the markets in `broken`."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, int, datetime]] = []
        self.broken: set[str] = set()

    def fetch_candles(
        self, ref: MarketRef, seconds: int, start: datetime, end: datetime
    ) -> Page[CandleInfo]:
        self.asked.append((ref.ref, seconds, start))
        if ref.ref in self.broken:
            raise VenueError("no such market", permanent=True)
        step = timedelta(seconds=seconds)
        last = end - step
        return Page((CandleInfo("kalshi", ref.ref, last, seconds, end, close=D("0.4")),))


@pytest.fixture
def venue(monkeypatch: pytest.MonkeyPatch) -> Venue:
    clock.settle(NOW)
    made = Venue()
    monkeypatch.setattr(history, "get_connector", lambda slug: made)
    infos = [listing(ref).market for ref in ("A", "B", "C")]
    write_markets(infos, lambda venue, word: "other")
    Market.objects.update(is_tracked=True)
    return made


def test_a_new_market_gets_a_week_of_hours_and_a_day_of_minutes(venue: Venue) -> None:
    history.refresh_candles("kalshi")
    starts = {(seconds, NOW - start) for _, seconds, start in venue.asked}
    assert starts == {(3600, timedelta(days=7)), (60, timedelta(days=1))}
    assert Candle.objects.count() == 6


def test_what_is_fresh_is_not_asked_again(venue: Venue) -> None:
    history.refresh_candles("kalshi")
    venue.asked.clear()
    history.refresh_candles("kalshi")
    assert venue.asked == []


def test_those_without_candles_come_first(venue: Venue, monkeypatch: pytest.MonkeyPatch) -> None:
    outcome = Outcome.objects.get(market__ref="A", index=0)
    Candle.objects.create(
        outcome=outcome, seconds=3600, start=NOW - timedelta(days=1), source="trade",
        received_at=NOW,
    )  # fmt: skip
    history.refresh_candles("kalshi")
    hours = [ref for ref, seconds, _ in venue.asked if seconds == 3600]
    assert set(hours[:2]) == {"B", "C"} and hours[2] == "A"


def test_minutes_are_kept_for_the_most_traded_only(
    venue: Venue, monkeypatch: pytest.MonkeyPatch
) -> None:
    for ref, volume in (("A", 5), ("B", 50), ("C", 20)):
        outcome = Outcome.objects.get(market__ref=ref, index=0)
        quote = Quote("kalshi", ref, NOW, D("0.4"), volume_24h=D(volume))
        write_quotes([QuoteRow(outcome.pk, quote)])
    monkeypatch.setattr(history, "MINUTES", replace(history.MINUTES, most=2))
    history.refresh_candles("kalshi")
    assert {ref for ref, seconds, _ in venue.asked if seconds == 60} == {"B", "C"}


def test_a_run_that_takes_too_long_leaves_the_rest_for_the_next(
    venue: Venue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "PATIENCE", -1.0)
    history.refresh_candles("kalshi")
    assert venue.asked == []


def test_the_page_of_an_untracked_market_gets_its_candles(venue: Venue) -> None:
    market = Market.objects.get(ref="B")
    Market.objects.update(is_tracked=False)
    assert history.needs_chart(market)
    history.fill_chart(market)
    assert {(ref, seconds) for ref, seconds, _ in venue.asked} == {("B", 3600), ("B", 60)}
    assert not history.needs_chart(market)


def test_a_market_that_fails_is_counted_and_the_rest_goes_on(venue: Venue) -> None:
    venue.broken = {"B"}
    assert history.refresh_candles("kalshi")["failed"] == 2
    refs = set(Candle.objects.values_list("outcome__market__ref", flat=True))
    assert refs == {"A", "C"}
    assert CollectionRun.objects.get(job="candles").errors == []
