"""What no table takes is set aside or cut in the item it came in, and costs no other."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from markets.quotes import Page
from markets.venues.kalshi import parse as kalshi
from markets.venues.kalshi import parse_tape
from markets.venues.payload import BadItem, amount, exact, moment, price, volume
from markets.venues.polymarket import books
from markets.venues.polymarket import parse as gamma
from markets.venues.polymarket.status import status_of_answers
from markets.venues.predictit import parse as predictit
from tests.markets.venues.kalshi.payload import loaded, markets_with
from tests.markets.venues.polymarket.payload import NOW, dump, load, page_of, smith
from tests.markets.venues.predictit.test_parse import changed as contract_with

OTHER = "0x" + "ab" * 32
LAST_MOMENT = "9999-12-31T23:59:59-05:00"


def told(page: Page[Any]) -> list[tuple[str, str]]:
    return [(refusal.reason, refusal.field) for refusal in page.refused]


@pytest.mark.parametrize("text", ["0.1234567", "1e-20000", "1E-7"])
def test_a_price_that_a_table_would_round_is_refused(text: str) -> None:
    for read in (price, amount, exact):
        with pytest.raises(BadItem, match="out_of_range bid"):
            read(Decimal(text), "bid")


@pytest.mark.parametrize(("text", "kept"), [("0.1200000000", "0.120000"), ("0e-20000", "0.000000")])
def test_zeros_behind_the_sixth_decimal_are_left_out(text: str, kept: str) -> None:
    assert str(price(Decimal(text), "bid")) == kept


def test_a_size_of_fifteen_digits_is_refused() -> None:
    assert amount(Decimal("99999999999999.999999"), "size")
    for read in (amount, volume):
        with pytest.raises(BadItem):
            read(Decimal("1e14"), "size")


@pytest.mark.parametrize("text", [LAST_MOMENT, "0001-01-01T00:00:00+05:00", "9999-01-01T00:00:00Z"])
def test_times_at_the_end_of_the_calendar_are_none(text: str) -> None:
    assert moment(text, "endDate") is None


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"volume_24h_fp": "100000000000000.00"}, "volume_24h_fp"),
        ({"yes_bid_dollars": "0.1234567"}, "yes_bid_dollars"),
        ({"ticker": "K" * 201}, "ticker"),
    ],
)
def test_a_kalshi_market_that_no_table_takes_is_refused_alone(
    changes: dict[str, Any], field: str
) -> None:
    page = kalshi.parse_markets(markets_with(**changes), NOW)
    assert (len(page.items), told(page)) == (1, [("out_of_range", field)])


def test_a_kalshi_date_beyond_the_calendar_is_none() -> None:
    page = kalshi.parse_markets(markets_with(close_time=LAST_MOMENT), NOW)
    assert (page.refused, page.items[0].market.close_time) == ((), None)


def test_a_kalshi_number_that_python_refuses_costs_its_own_market() -> None:
    raw = markets_with(settlement_timer_seconds=77_777)
    page = kalshi.parse_markets(raw.replace(b"77777", b"7" * 5000), NOW)
    assert (len(page.items), len(page.refused)) == (1, 1)


def test_a_kalshi_candle_of_the_first_second_costs_no_other() -> None:
    body = loaded("candlesticks")
    body["candlesticks"][0]["end_period_ts"] = -62135596800
    page = parse_tape.parse_candles(json.dumps(body).encode(), "A", 60, NOW)
    assert told(page) == [("out_of_range", "end_period_ts")]
    assert len(page.items) == len(body["candlesticks"]) - 1


def test_long_titles_are_cut_and_told_of() -> None:
    page = kalshi.parse_markets(markets_with(title="x" * 10_001), NOW)
    assert told(page) == [("cleaned", "title")]
    assert page.items[0].market.title == "x" * 9_999 + "…"


@pytest.mark.parametrize("name", ["custom_strike", "functional_strike"])
def test_a_kept_object_holds_no_escape_of_nul(name: str) -> None:
    page = kalshi.parse_markets(markets_with(**{name: {"a": "x\x00y\\u0000"}}), NOW)
    assert page.items[0].market.facts[name] == '{"a": "x y\\\\u0000"}'


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"conditionId": "0x" + "a" * 400}, "conditionId"),
        ({"conditionId": "../../x y\n"}, "conditionId"),
        ({"conditionId": "0x" + "g" * 64}, "conditionId"),
        ({"orderMinSize": 1_000_000}, "min_size"),
        ({"clobTokenIds": json.dumps(["1" * 101, "2"])}, "token"),
        ({"orderPriceMinTickSize": 0.0000001}, "orderPriceMinTickSize"),
        ({"events": [{"id": "9" * 281, "title": "t", "slug": "s"}]}, "event.id"),
        ({"events": [{"id": "9\u0000", "title": "t", "slug": "s"}]}, "event.id"),
    ],
)
def test_a_gamma_market_that_no_table_takes_is_refused_alone(
    changes: dict[str, Any], field: str
) -> None:
    page = gamma.parse_markets(page_of(smith(**changes), smith(conditionId=OTHER)), NOW)
    assert [item.market.ref for item in page.items] == [OTHER]
    assert told(page) == [("out_of_range", field)]


def test_long_words_of_gamma_are_cut() -> None:
    event = {"id": "9", "title": "t", "slug": "a/../b", "series": [{"slug": "s" * 300}]}
    changes = {"outcomes": json.dumps(["L" * 400, "No"]), "tags": [{"slug": "c" * 121}]}
    market = gamma.parse_markets(page_of(smith(events=[event], **changes)), NOW).items[0].market
    sizes = (len(market.category), len(market.series), len(market.outcomes[0].label))
    assert (sizes, market.url) == ((120, 200, 300), "")


def test_a_gamma_date_beyond_the_calendar_is_none() -> None:
    page = gamma.parse_markets(page_of(smith(endDate=LAST_MOMENT)), NOW)
    assert (page.refused, page.items[0].market.expected_time) == ((), None)


def test_a_tiny_bid_costs_the_quote_and_not_the_market() -> None:
    raw = page_of(smith(bestBid=77)).replace(b'"bestBid": 77', b'"bestBid": 1e-20000')
    page = gamma.parse_markets(raw, NOW)
    assert (page.items[0].quote, told(page)) == (None, [("out_of_range", "bestBid")])


def test_a_checksum_that_is_none_is_dropped() -> None:
    book = load("post_books")[0]
    tokens = {book["asset_id"]: (book["market"], 0)}
    page = books.parse_books(dump([book | {"hash": "h" * 101}]), tokens, NOW)
    assert (page.items[0].checksum, page.refused) == ("", ())


def test_a_level_between_two_millionths_costs_its_book() -> None:
    book = load("post_books")[0] | {"bids": [{"price": "0.0000001", "size": "30"}]}
    page = books.parse_books(dump([book]), {book["asset_id"]: (book["market"], 0)}, NOW)
    assert (page.items, told(page)) == ((), [("out_of_range", "bids.price")])


def test_a_long_transaction_hash_costs_its_own_trade() -> None:
    body = load("get_v2_trades")
    body["data"][0]["transaction_hash"] = "h" * 300
    page = books.parse_trades(dump(body), NOW)
    assert told(page) == [("out_of_range", "trade_id")]
    assert len(page.items) == len(body["data"]) - 1


@pytest.mark.parametrize("stamp", ["9999-12-31T23:59:59", "0001-01-01T00:00:00"])
def test_a_stamp_outside_the_calendar_costs_its_own_market(stamp: str) -> None:
    page = predictit.parse_all(contract_with(timeStamp=stamp), NOW)
    assert [item.market.ref for item in page.items] == ["7589.28361"]
    assert {reason for reason, _ in told(page)} == {"out_of_range"}


@pytest.mark.parametrize("text", ["9999-12-31T23:59:59", "9999-12-31T23:59:59.9999999"])
def test_an_end_date_beyond_the_calendar_is_none(text: str) -> None:
    page = predictit.parse_all(contract_with({"dateEnd": text}), NOW)
    assert (page.refused, page.items[0].market.close_time) == ((), None)


def test_a_status_note_holds_no_control_characters() -> None:
    at = datetime(2026, 11, 20, tzinfo=UTC)
    status = status_of_answers((503, b'{"error": "x\\u0000y"}'), (200, b"1"), at)
    assert status.note == "xy"
    status = status_of_answers((503, dump({"error": "x" * 900})), (200, b"1"), at)
    assert len(status.note) == 300


def test_what_is_cut_is_told_under_the_name_of_its_item() -> None:
    page = kalshi.parse_markets(markets_with(rules_primary="x" * 100_001), NOW)
    assert [refusal.ref for refusal in page.refused] == [page.items[0].market.ref]
