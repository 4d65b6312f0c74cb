from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from markets.venues.polymarket.books import (
    parse_books,
    parse_history,
    parse_old_trades,
    parse_trades,
    quotes_of,
)
from markets.venues.polymarket.status import status_of_answers
from tests.markets.venues.polymarket.payload import NOW, body, dump, load

REF = "0xbd31dc8a20211944f6b70f31557f1001557b59905b7738480ca09bd4532f84af"
TOKEN = "65818619657568813474341868652308942079804919287380422192892211131408793125422"
SMITH = "0xc8f1cf5d4f26e0fd9c8fe89f2a7b3263b902cf14fde7bfccef525753bb492e47"
SMITH_TOKEN = "60590045489347122735554346200880179420435533609307820342798544098823516727807"
TOKENS = {TOKEN: (REF, 0), SMITH_TOKEN: (SMITH, 0)}


def changed(**changes: Any) -> bytes:
    return dump([load("post_books")[0] | changes])


def test_books_are_keyed_by_token_and_sorted_by_us() -> None:
    page = parse_books(body("post_books"), TOKENS, NOW)
    assert [book.ref for book in page.items] == [REF, SMITH]
    book = page.items[0]
    assert [(level.price, level.size) for level in book.bids] == [
        (Decimal("0.50"), 15),
        (Decimal("0.49"), 20),
        (Decimal("0.48"), 30),
    ]
    assert [level.price for level in book.asks] == [
        Decimal("0.52"),
        Decimal("0.53"),
        Decimal("0.54"),
    ]
    assert book.venue_ts == datetime(2025, 9, 15, 4, 1, 32, 351000, tzinfo=UTC)
    assert not page.extras


def test_the_other_tokens_book_is_the_mirror() -> None:
    page = parse_books(changed(), {TOKEN: (REF, 1)}, NOW)
    assert page.items[0].outcome == 0
    assert page.items[0].bids[0].price == Decimal("0.48")
    assert page.items[0].bids[0].size == 25
    assert page.items[0].asks[0].price == Decimal("0.50")


def test_both_books_of_a_market_are_never_added() -> None:
    yes = load("post_books")[0]
    no = yes | {"asset_id": "7"}
    page = parse_books(dump([yes, no]), {TOKEN: (REF, 0), "7": (REF, 1)}, NOW)
    assert len(page.items) == 1
    assert [(r.reason, r.ref) for r in page.refused] == [("mirrored", REF)]


def test_tops_have_sizes_and_no_last_trade_of_an_unknown_side() -> None:
    quote = quotes_of(parse_books(body("post_books"), TOKENS, NOW)).items[0]
    assert (quote.bid, quote.bid_size, quote.ask, quote.ask_size) == (
        Decimal("0.50"),
        15,
        Decimal("0.52"),
        25,
    )
    assert quote.last is None
    assert not quote.is_indicative


def test_an_empty_side_is_none() -> None:
    quote = quotes_of(parse_books(body("post_books"), TOKENS, NOW)).items[1]
    assert (quote.bid, quote.bid_size, quote.ask) == (None, None, Decimal("0.011"))


def test_a_v2_market_is_known_by_its_padded_id() -> None:
    page = parse_books(changed(market=REF), {TOKEN: (REF[:-2], 0)}, NOW)
    assert page.refused
    page = parse_books(changed(market=f"{REF[:-2]}00"), {TOKEN: (REF[:-2], 0)}, NOW)
    assert page.items[0].ref == REF[:-2]


@pytest.mark.parametrize(
    ("changes", "reason", "field"),
    [
        ({"asset_id": "1"}, "unknown_token", "asset_id"),
        ({"asset_id": 1}, "retyped", "asset_id"),
        ({"market": "0xother"}, "mismatch", "market"),
        ({"bids": None}, "retyped", "bids"),
        ({"bids": [{"price": "0.5"}]}, "missing", "bids[].size"),
        ({"bids": [{"price": "0", "size": "5"}]}, "out_of_range", "bids.price"),
        ({"asks": [{"price": "1", "size": "5"}]}, "out_of_range", "asks.price"),
        ({"asks": [{"price": "NaN", "size": "5"}]}, "out_of_range", "asks.price"),
        ({"asks": [{"price": "0.6", "size": "-5"}]}, "out_of_range", "asks.size"),
        ({"asks": [{"price": "0.6", "size": "1e400"}]}, "out_of_range", "asks.size"),
        (
            {"asks": [{"price": "0.6", "size": "5"}, {"price": ".60", "size": "5"}]},
            "duplicate_level",
            "asks",
        ),
        ({"timestamp": "later"}, "retyped", "timestamp"),
    ],
)
def test_a_book_that_does_not_fit_is_set_aside(
    changes: dict[str, Any], reason: str, field: str
) -> None:
    books = dump([load("post_books")[0] | changes, load("post_books")[1]])
    page = parse_books(books, TOKENS, NOW)
    assert [book.ref for book in page.items] == [SMITH]
    assert [(r.reason, r.field) for r in page.refused] == [(reason, field)]


def test_a_level_without_size_holds_nothing() -> None:
    page = parse_books(changed(bids=[{"price": "0.5", "size": "0"}]), TOKENS, NOW)
    assert page.items[0].bids == ()


def test_an_error_body_in_place_of_books_is_refused() -> None:
    page = parse_books(b'{"error": "Payload exceeds the limit"}', TOKENS, NOW)
    assert not page.items
    assert not page.is_last
    assert page.refused[0].reason == "retyped"


def test_trades_keep_side_outcome_and_time() -> None:
    page = parse_trades(body("get_v2_trades"), NOW)
    first, second = page.items
    assert (first.price, first.size, first.taker_side, first.outcome) == (
        Decimal("0.55"),
        100,
        "buy",
        0,
    )
    # NO sold at .451 is YES bought at .549
    assert (second.price, second.taker_side, second.outcome) == (Decimal("0.549"), "buy", 0)
    assert first.traded_at == datetime(2024, 3, 9, 16, 0, tzinfo=UTC)
    assert (page.cursor, page.is_last) == ("eyJ0IjoxNzEwMDAwMDAwfQ", False)


def test_trades_of_one_transaction_have_different_ids_that_hide_the_wallet() -> None:
    first, second = parse_trades(body("get_v2_trades"), NOW).items
    assert first.trade_id != second.trade_id
    assert "1111" not in first.trade_id
    assert parse_trades(body("get_v2_trades"), NOW).items[0].trade_id == first.trade_id


def test_the_tape_ends_when_the_venue_says_so() -> None:
    tape = load("get_v2_trades")
    tape["pagination"] = {"has_more": False, "next_cursor": "stale"}
    page = parse_trades(dump(tape), NOW)
    assert (page.is_last, page.cursor) == (True, "")


@pytest.mark.parametrize(
    ("changes", "reason", "field"),
    [
        ({"side": "MINT"}, "unknown_enum", "side"),
        ({"outcome_index": 999}, "unknown_outcome", "outcome_index"),
        ({"price": 1.01}, "out_of_range", "price"),
        ({"size": 0}, "out_of_range", "size"),
        ({"timestamp": 0}, "retyped", "timestamp"),
        ({"timestamp": "2024-03-09"}, "retyped", "timestamp"),
        ({"transaction_hash": None}, "retyped", "transaction_hash"),
    ],
)
def test_a_trade_that_does_not_fit_is_set_aside(
    changes: dict[str, Any], reason: str, field: str
) -> None:
    tape = load("get_v2_trades")
    tape["data"][0] |= changes
    page = parse_trades(dump(tape), NOW)
    assert len(page.items) == 1
    assert [(r.reason, r.field, r.ref) for r in page.refused] == [(reason, field, SMITH)]


def test_the_old_tape_is_read_from_recordings() -> None:
    row = {"asset": "7132", "conditionId": "0xc8f1", "side": "BUY", "price": 0.55, "size": 100.0}
    row |= {"timestamp": 1710000000, "transactionHash": "0xabc", "outcomeIndex": 0}
    page = parse_old_trades(dump([row]), NOW, "GET /trades")
    assert page.items[0].ref == "0xc8f1"


def test_history_becomes_candles_of_the_mid_price() -> None:
    page = parse_history(body("get_prices_history"), REF, 60, NOW)
    first, second = page.items
    assert first.start == datetime(2024, 2, 29, 18, 40, tzinfo=UTC)
    assert (first.open, first.high, first.low, first.close) == (
        Decimal("0.5"),
        Decimal("0.505"),
        Decimal("0.49"),
        Decimal("0.49"),
    )
    assert (first.source, first.volume) == ("mid", None)
    assert second.start == datetime(2024, 2, 29, 18, 43, tzinfo=UTC)


def test_a_period_with_a_point_that_cannot_be_trusted_has_no_candle() -> None:
    history = {"history": [{"t": 1709232000, "p": 0.5}, {"t": 1709232001, "p": 5}]}
    page = parse_history(dump(history), REF, 60, NOW)
    assert not page.items
    assert page.refused[0].field == "history.p"


def test_points_in_milliseconds_fall_into_the_same_periods() -> None:
    seconds = load("get_prices_history")
    millis = {"history": [point | {"t": point["t"] * 1000} for point in seconds["history"]]}
    assert parse_history(dump(millis), REF, 60, NOW) == parse_history(dump(seconds), REF, 60, NOW)


def test_a_point_of_the_future_is_set_aside() -> None:
    history = {"history": [{"t": 1709232000, "p": 0.5}, {"t": 1895183500, "p": 0.5}]}
    page = parse_history(dump(history), REF, 60, NOW)
    assert len(page.items) == 1
    assert [(r.reason, r.field) for r in page.refused] == [("out_of_range", "history.t")]


@pytest.mark.parametrize(
    ("beat", "time", "is_trading", "note"),
    [
        ((200, b'"OK"'), (200, b"1795183500"), True, ""),
        ((200, b"OK"), (200, b'"1795183500"'), True, ""),
        ((200, b'"OK"'), (200, b"1795183560"), True, "the venue's clock is +60 s from ours"),
        ((200, b'"OK"'), (200, b"?"), True, "the venue's time could not be read"),
        ((425, b"{}"), (200, b"1795183500"), False, "the matching engine restarts"),
        (
            (503, b'{"error":"x","code":"post_only_mode","retry_after_seconds":79}'),
            (200, b"1795183500"),
            False,
            "post-only: no order may take",
        ),
        ((503, b'{"error":"trading is off"}'), (200, b"1"), False, "trading is off"),
    ],
)
def test_status_tells_the_venues_modes(
    beat: tuple[int, bytes], time: tuple[int, bytes], is_trading: bool, note: str
) -> None:
    status = status_of_answers(beat, time, NOW)
    assert (status.is_up, status.is_trading, status.note) == (True, is_trading, note)


def test_status_tells_when_trading_resumes() -> None:
    answer = (503, b'{"code":"post_only_mode","retry_after_seconds":79}')
    status = status_of_answers(answer, (200, b"1795183500"), NOW)
    assert status.resumes_at is not None
    assert (status.resumes_at - NOW).total_seconds() == 79


def test_a_fast_clock_makes_every_delay_longer() -> None:
    late = (200, b"1795183440")
    assert status_of_answers((200, b'"OK"'), late, NOW, speed=1).note
    assert not status_of_answers((200, b'"OK"'), late, NOW, speed=60).note
