"""Each doubt about a price has its word, and a sound price has none."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal as D

import pytest

from markets.calc.quality import MEANING, book_flags, quote_flags
from markets.calc.ticks import Grid
from markets.quotes import Level, OrderBook, PriceRange, Quote

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
CENTS = Grid([PriceRange(D(0), D(1), D("0.01"))])
SOUND = Quote("kalshi", "KX-1", NOW, D("0.42"), D("0.44"), D(10), D(17), venue_ts=NOW)


@pytest.mark.parametrize(
    ("change", "flags"),
    [
        ({}, ""),
        ({"bid": None}, ""),
        ({"bid": None, "ask": None}, ""),
        ({"bid": D("0.45")}, "crossed"),
        ({"bid": D("0.44")}, "locked"),
        ({"ask": D("0.445")}, "off_tick"),
        ({"other_ask": D("0.58"), "other_bid": D("0.56")}, ""),
        ({"other_ask": D("0.59")}, "not_complementary"),
        ({"other_bid": D("0.55")}, "not_complementary"),
        ({"venue_ts": NOW + timedelta(seconds=6)}, "future"),
        ({"venue_ts": NOW + timedelta(seconds=4)}, ""),
        ({"venue_ts": NOW - timedelta(minutes=3)}, "frozen"),
        ({"venue_ts": None}, ""),
        ({"is_indicative": True}, "indicative"),
        ({"bid": D("0.451"), "venue_ts": NOW + timedelta(hours=1)}, "crossed off_tick future"),
    ],
)
def test_each_doubt_is_named(change: dict[str, object], flags: str) -> None:
    quote = replace(SOUND, **change)  # type: ignore[arg-type]
    assert quote_flags(quote, CENTS, frozen_after=timedelta(minutes=3)) == flags
    assert set(flags.split()) <= set(MEANING)


def test_an_old_venue_time_is_no_doubt_where_only_changes_are_stamped() -> None:
    assert quote_flags(replace(SOUND, venue_ts=NOW - timedelta(days=1)), CENTS) == ""


def test_a_level_off_the_grid_deep_in_the_book_is_noticed() -> None:
    book = OrderBook(
        "kalshi",
        "KX-1",
        bids=(Level(D("0.42"), D(1)), Level(D("0.415"), D(1))),
        asks=(Level(D("0.44"), D(1)),),
        received_at=NOW,
    )
    assert book_flags(book, CENTS) == "off_tick"
    assert book_flags(replace(book, bids=book.bids[:1]), CENTS) == ""
