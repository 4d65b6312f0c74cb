import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from markets.quotes import Level
from markets.venues.kalshi.parse_tape import (
    levels,
    parse_book,
    parse_books,
    parse_candles,
    parse_trades,
)
from tests.markets.venues.kalshi.payload import ABSENT, RECEIVED, body, changed, loaded

D = Decimal
TICKER = "KXHIGHNY-26NOV20-B53.5"


def level(price, size):
    return Level(D(price), D(size))


def test_no_bids_become_yes_asks():
    book = parse_books(body("orderbooks"), RECEIVED).items[0]
    assert book.bids == (level(".42", 50), level(".41", 100))
    assert book.asks == (level(".44", 20), level(".45", 30))
    assert book.asks[0].price - book.bids[0].price == D(".02")
    assert (book.asks[0].price + book.bids[0].price) / 2 == D(".43")
    assert [(1 - bid.price, bid.size) for bid in book.bids] == [(D(".58"), 50), (D(".59"), 100)]


def test_single_book_of_the_sheet():
    book = parse_book(body("orderbook"), TICKER, RECEIVED).items[0]
    assert book.ref == TICKER
    assert (book.bids[0], book.asks[0]) == (level(".42", 13), level(".44", 17))
    assert len(book.bids) == len(book.asks) == 3


def test_empty_side_stays_empty():
    book = parse_books(body("orderbooks"), RECEIVED).items[1]
    assert book.bids == ()
    assert book.asks == (level(".01", 1000),)


def one_book(yes, no=()):
    raw = json.dumps({"orderbook_fp": {"yes_dollars": yes, "no_dollars": no}}).encode()
    return parse_book(raw, TICKER, RECEIVED)


@pytest.mark.parametrize("pair", [["0.0000", "5.00"], ["1.0000", "5.00"], ["0.4000", "0.00"]])
def test_price_zero_or_one_or_size_zero_is_no_level(pair):
    page = one_book([pair, ["0.4100", "1.00"]])
    assert page.items[0].bids == (level(".41", 1),)


@pytest.mark.parametrize(
    ("yes", "reason"),
    [
        ([["0.4100", "1.00"], ["0.41", "2.00"]], "duplicate"),
        ([["1.4100", "1.00"]], "out_of_range"),
        ([["NaN", "1.00"]], "out_of_range"),
        ([["0.4100", "1e400"]], "out_of_range"),
        ([["0.4100", "-1.00"]], "out_of_range"),
        ([[0.41, 1.0]], "retyped"),
        ([["0.4100"]], "retyped"),
        ("0.4100", "retyped"),
    ],
)
def test_book_that_cannot_be_trusted_is_refused_whole(yes, reason):
    page = one_book(yes)
    assert page.items == ()
    assert [(r.reason, r.ref) for r in page.refused] == [(reason, TICKER)]
    assert not page.is_last


def test_null_sides_are_an_empty_book():
    book = one_book(None, None).items[0]
    assert (book.bids, book.asks) == ((), ())


def test_older_book_is_read_from_its_strings():
    sides = {"yes": [[41, 10]], "no": None, "yes_dollars": [["0.4100", 10]], "no_dollars": None}
    page = parse_book(json.dumps({"orderbook": sides}).encode(), TICKER, RECEIVED)
    assert page.items[0].bids == (level(".41", 10),)


def test_book_in_cents_is_legacy():
    raw = json.dumps({"orderbook": {"yes": [[41, 10]], "no": []}}).encode()
    assert [r.reason for r in parse_book(raw, TICKER, RECEIVED).refused] == ["legacy_cents"]


def test_bad_book_costs_no_other():
    page = loaded("orderbooks")
    page["orderbooks"][0]["orderbook_fp"].pop("no_dollars")
    parsed = parse_books(json.dumps(page).encode(), RECEIVED)
    assert [(r.reason, r.field, r.ref) for r in parsed.refused] == [
        ("missing", "no_dollars", "KXHIGHNY-26NOV20-T60")
    ]
    assert [book.ref for book in parsed.items] == ["KXHIGHNY-26NOV20-T65"]


cents = st.integers(1, 99).map(lambda n: f"0.{n:02d}00")
sizes = st.integers(1, 10**8).map(lambda n: f"{n // 100}.{n % 100:02d}")
sides = st.dictionaries(cents, sizes, max_size=30)


@given(yes=sides, no=sides, data=st.data())
def test_book_is_sorted_and_complementary_whatever_the_order_sent(yes, no, data):
    sent = [data.draw(st.permutations([list(pair) for pair in side.items()])) for side in (yes, no)]
    book = one_book(*sent).items[0]
    assert [b.price for b in book.bids] == sorted((D(p) for p in yes), reverse=True)
    assert [a.price for a in book.asks] == sorted(1 - D(p) for p in no)
    assert {1 - ask.price: ask.size for ask in book.asks} == {D(p): D(s) for p, s in no.items()}
    assert {bid.price: bid.size for bid in book.bids} == {D(p): D(s) for p, s in yes.items()}


def test_levels_keep_sub_cent_prices():
    assert levels([("0.0955", "1.00"), ("0.0960", "0.01")], "yes_dollars") == (
        level(".096", "0.01"),
        level(".0955", 1),
    )


def test_trades_are_read_with_the_side_of_the_taker():
    page = parse_trades(body("trades"), RECEIVED)
    sold, bought = page.items
    assert (sold.taker_side, bought.taker_side) == ("sell", "buy")
    assert (sold.price, sold.size) == (D(".36"), D(136))
    assert bought.size == D(".5")
    assert sold.traded_at == datetime(2026, 11, 20, 14, 1, 2, 123456, tzinfo=UTC)
    assert (sold.ref, sold.outcome) == (TICKER, 0)
    assert (page.refused, page.extras, page.cursor) == ((), frozenset(), "CgwI")


def test_block_trades_are_no_prints_of_the_book():
    refs = [trade.trade_id for trade in parse_trades(body("trades"), RECEIVED).items]
    assert "d91bc706-ee49-470d-82d8-11418bda6fef" not in refs


@pytest.mark.parametrize(
    ("changes", "reason", "field"),
    [
        ({"yes_price_dollars": ABSENT, "yes_price": 36}, "legacy_cents", "yes_price_dollars"),
        ({"yes_price_dollars": ABSENT}, "missing", "yes_price_dollars"),
        ({"yes_price_dollars": "36"}, "out_of_range", "yes_price_dollars"),
        ({"count_fp": ABSENT}, "missing", "count_fp"),
        ({"count_fp": 136}, "retyped", "count_fp"),
        ({"taker_outcome_side": "maybe"}, "unknown_enum", "taker_outcome_side"),
        ({"taker_outcome_side": ABSENT, "taker_side": ABSENT}, "missing", "taker_outcome_side"),
        ({"created_time": 1790000000}, "retyped", "created_time"),
        ({"created_time": "0001-01-01T00:00:00Z"}, "out_of_range", "created_time"),
        ({"trade_id": "d91bc706-ee49-470d-82d8-11418bda6fee"}, "duplicate", "trade_id"),
    ],
)
def test_bad_trade_is_set_aside(changes, reason, field):
    page = loaded("trades")
    page["trades"] = [page["trades"][1], changed(page["trades"][0], **changes)]
    parsed = parse_trades(json.dumps(page).encode(), RECEIVED)
    assert [(r.reason, r.field) for r in parsed.refused] == [(reason, field)]
    assert len(parsed.items) == 1


def test_candle_starts_a_period_before_the_time_it_is_named_by():
    page = parse_candles(body("candlesticks"), "KXNASDAQ100Y", 3600, RECEIVED)
    first = page.items[0]
    assert first.start == datetime.fromtimestamp(1789617600 - 3600, UTC)
    assert (first.open, first.high) == (D(".12"), D(".13"))
    assert (first.low, first.close) == (D(".11"), D(".12"))
    assert (first.bid_close, first.ask_close) == (D(".11"), D(".13"))
    assert first.volume == D(2810)
    assert page.is_last
    assert page.extras == frozenset()


def test_candle_without_trades_has_quotes_only():
    quiet = parse_candles(body("candlesticks"), "KXNASDAQ100Y", 3600, RECEIVED).items[1]
    assert (quiet.open, quiet.high, quiet.low, quiet.close) == (None,) * 4
    assert (quiet.bid_close, quiet.ask_close) == (D(".11"), None)  # an ask at 1.0000 is none


@pytest.mark.parametrize(
    ("part", "value", "reason"),
    [
        ("price", {"close": 12}, "legacy_cents"),
        ("yes_bid", {"close": 12}, "legacy_cents"),
        ("price", {"open_dollars": "12"}, "out_of_range"),
        ("price", {"low_dollars": "0.5", "high_dollars": "0.4"}, "out_of_range"),
        ("price", None, "retyped"),
        ("end_period_ts", "soon", "retyped"),
        ("end_period_ts", 10**18, "out_of_range"),
        ("end_period_ts", 1789621200, "duplicate"),
    ],
)
def test_bad_candle_is_set_aside(part, value, reason):
    page = loaded("candlesticks")
    page["candlesticks"] = [page["candlesticks"][1], page["candlesticks"][0] | {part: value}]
    parsed = parse_candles(json.dumps(page).encode(), "KXNASDAQ100Y", 3600, RECEIVED)
    assert [r.reason for r in parsed.refused] == [reason]
    assert len(parsed.items) == 1
