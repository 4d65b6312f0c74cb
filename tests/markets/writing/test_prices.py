"""Prices to rows: only changes are history, the newest wins, nothing is written twice."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal as D

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from markets.models import BookSnapshot, Candle, LatestBook, LatestQuote, Quote, TradePrint
from markets.quotes import CandleInfo, Level, OrderBook
from markets.quotes import Quote as QuoteValue
from markets.quotes import TradePrint as TradeValue
from markets.writing import (
    QuoteRow,
    partitions,
    write_books,
    write_candles,
    write_quotes,
    write_trades,
)

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
QUOTE = QuoteValue("kalshi", "KX-1", NOW, D("0.42"), D("0.44"), D("13.00"), D("17.25"))


def at(seconds: float, **change: object) -> QuoteValue:
    return replace(QUOTE, received_at=NOW + timedelta(seconds=seconds), **change)  # type: ignore[arg-type]


def latest(outcome: int = 1) -> LatestQuote:
    return LatestQuote.objects.get(pk=outcome)


def test_a_first_quote_becomes_history_and_latest() -> None:
    counts = write_quotes([QuoteRow(1, QUOTE)])
    assert counts == {"quotes": 1, "changed": 1, "latest": 1}
    row = latest()
    assert (row.bid, row.ask, row.ask_size) == (D("0.42"), D("0.44"), D("17.25"))
    assert row.is_tradable and row.checked_at == NOW
    assert Quote.objects.get().received_at == NOW


def test_a_repeat_confirms_without_a_row_of_history() -> None:
    write_quotes([QuoteRow(1, QUOTE)])
    assert write_quotes([QuoteRow(1, at(15))])["changed"] == 0
    row = latest()
    assert (row.received_at, row.checked_at) == (NOW, NOW + timedelta(seconds=15))


def test_a_size_alone_is_a_change() -> None:
    write_quotes([QuoteRow(1, QUOTE)])
    assert write_quotes([QuoteRow(1, at(15, bid_size=D("12")))])["changed"] == 1


def test_older_news_neither_changes_latest_nor_becomes_history() -> None:
    write_quotes([QuoteRow(1, at(10))])
    counts = write_quotes([QuoteRow(1, at(5, bid=D("0.10")))])
    assert counts["changed"] == 0 == counts["latest"]
    assert latest().bid == D("0.42")


def test_the_same_batch_twice_writes_each_row_once() -> None:
    batch = [QuoteRow(1, at(n, bid=D("0.10") + D(n) / 100)) for n in range(5)]
    write_quotes(batch)
    write_quotes(batch)
    assert Quote.objects.count() == 5


def test_within_a_batch_repeats_are_dropped_and_the_newest_wins() -> None:
    prices = ["0.40", "0.40", "0.41", "0.40", "0.40"]
    batch = [QuoteRow(1, at(n, bid=D(p))) for n, p in enumerate(prices)]
    write_quotes(reversed(batch))
    kept = Quote.objects.order_by("received_at").values_list("bid", flat=True)
    assert list(kept) == [D("0.40"), D("0.41"), D("0.40")]
    assert latest().checked_at == NOW + timedelta(seconds=4)


def test_a_flagged_price_is_kept_but_not_tradable() -> None:
    write_quotes([QuoteRow(1, QUOTE, "crossed")])
    assert (latest().flags, latest().is_tradable) == ("crossed", False)
    write_quotes([QuoteRow(1, at(1))])
    assert latest().is_tradable


def test_a_missing_side_stays_missing() -> None:
    write_quotes([QuoteRow(1, replace(QUOTE, bid=None, bid_size=None))])
    assert latest().bid is None


def test_a_new_day_gets_its_partition() -> None:
    write_quotes([QuoteRow(1, QUOTE), QuoteRow(1, at(86_400, bid=D("0.1")))])
    days = [str(day) for _, day in partitions("markets_quote")]
    assert {"2026-11-20", "2026-11-21"} <= set(days)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(st.integers(1, 3), st.integers(0, 6), st.sampled_from(["0.1", "0.2", "0.3"])),
        max_size=30,
        unique_by=lambda x: x[:2],
    ),
    st.integers(1, 30),
)
def test_latest_is_the_newest_whatever_the_batches(
    events: list[tuple[int, int, str]], size: int
) -> None:
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE markets_latestquote, markets_quote")
    rows = [QuoteRow(outcome, at(second, bid=D(bid))) for outcome, second, bid in events]
    for start in range(0, len(rows), size):
        write_quotes(rows[start : start + size])
    for outcome in {row.outcome_id for row in rows}:
        newest = max(
            (r for r in rows if r.outcome_id == outcome), key=lambda r: r.quote.received_at
        )
        assert latest(outcome).bid == newest.quote.bid
        assert latest(outcome).checked_at == newest.quote.received_at
    assert Quote.objects.count() <= len(rows)


def test_a_book_is_kept_as_latest_and_as_one_snapshot() -> None:
    book = OrderBook("kalshi", "KX-1", (Level(D("0.42"), D("13.00")),), (), NOW, checksum="ab\tc")
    assert write_books([(1, book, "")]) == {"books": 1, "snapshots": 1}
    assert write_books([(1, book, "")]) == {"books": 1, "snapshots": 0}
    row = LatestBook.objects.get()
    assert (row.bids, row.asks, row.checksum) == ([["0.42", "13.00"]], [], "ab\tc")
    assert BookSnapshot.objects.count() == 1


def test_an_older_book_does_not_replace_a_newer_one() -> None:
    new = OrderBook("kalshi", "KX-1", (Level(D("0.42"), D(1)),), (), NOW)
    write_books([(1, new, "")])
    write_books([(1, replace(new, bids=(), received_at=NOW - timedelta(seconds=1)), "")])
    assert LatestBook.objects.get().bids == [["0.42", "1"]]


def test_a_trade_is_stored_once() -> None:
    trade = TradeValue("kalshi", "KX-1", "t-1", D("0.36"), D("136.00"), NOW, NOW, "sell")
    assert write_trades([(1, trade), (1, trade)]) == 1
    assert write_trades([(1, trade)]) == 0
    assert TradePrint.objects.get().price == D("0.36")


def test_a_later_candle_corrects_an_earlier_one() -> None:
    candle = CandleInfo("kalshi", "KX-1", NOW, 60, NOW, close=D("0.40"))
    write_candles([(1, candle)])
    write_candles([(1, replace(candle, close=D("0.41"), received_at=NOW + timedelta(seconds=1)))])
    write_candles([(1, replace(candle, close=D("0.39"), received_at=NOW - timedelta(seconds=1)))])
    assert Candle.objects.get().close == D("0.41")
