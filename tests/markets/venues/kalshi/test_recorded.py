"""Real responses of 2024 to 2026, read where they lie; nothing of them is copied here."""

import gzip
import json
from collections import Counter
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from markets.quotes import Status
from markets.venues.kalshi.parse import parse_event, parse_events, parse_markets, parse_nested
from markets.venues.kalshi.parse_tape import (
    parse_book,
    parse_candles,
    parse_trades,
)
from markets.venues.kalshi.parse_terms import (
    parse_schedule,
    parse_series,
    parse_series_fee_changes,
    parse_status,
    series_fees,
)

RECEIVED = datetime(2026, 7, 20, tzinfo=UTC)
D = Decimal


def load(path):
    raw = path.read_bytes()
    return json.loads(gzip.decompress(raw) if path.suffix == ".gz" else raw)


def dumped(value):
    return json.dumps(value).encode()


@pytest.fixture
def golden(recordings):
    def read(name):
        return dumped(load(recordings / "kalshi-golden-fixtures" / name)["response"])

    return read


@pytest.fixture
def misc(recordings):
    return lambda name: load(recordings / "kalshi-raw-misc" / name)


def reasons(page):
    return Counter((refusal.reason, refusal.field) for refusal in page.refused)


def assert_quotes_make_sense(page):
    """Every side that is quoted twice says the same twice: NO bid = 1 - YES ask."""
    for listing in page.items:
        quote = listing.quote
        if quote.ask is not None and quote.other_bid is not None:
            assert quote.ask + quote.other_bid == 1
        if quote.bid is not None and quote.other_ask is not None:
            assert quote.bid + quote.other_ask == 1


def test_iran_events_give_763_markets(recordings):
    events = load(recordings / "two-venue-iran-2026-03" / "kalshi_raw.json.gz")
    page = parse_nested(dumped({"events": events, "cursor": ""}), RECEIVED)
    assert (len(page.items), reasons(page), page.extras) == (763, Counter(), frozenset())
    markets = [listing.market for listing in page.items]
    assert Counter(market.status for market in markets) == {
        Status.OPEN: 565,
        Status.SETTLED: 198,
    }
    scalar = [market for market in markets if market.result == "scalar"]
    assert len(scalar) == 11
    assert all(0 < market.settlement_value < 1 for market in scalar)
    assert all(market.venue_ts is None for market in markets)  # year 1 in every one of them
    assert {market.size_step for market in markets} == {D(1)}
    assert len({listing.event.ref for listing in page.items}) == 38
    assert_quotes_make_sense(page)


def test_multi_leg_page_of_march_2026(misc):
    page = parse_markets(dumped(misc("markets_page_2026-03-07.json.gz")), RECEIVED)
    assert (len(page.items), reasons(page), page.extras) == (100, Counter(), frozenset())
    assert {listing.market.kind for listing in page.items} == {"combo"}
    assert {listing.market.price_ranges[0].step for listing in page.items} == {D("0.001")}
    assert all(quote.ask_size != 0 for quote in (listing.quote for listing in page.items))
    assert page.cursor
    assert not page.is_last


def test_nba_markets_of_january_2026_read_the_strings_beside_the_cents(recordings):
    rows = load(recordings / "two-venue-nba-2026-01" / "phase1_markets.json.gz")
    raw = [row["raw"] for row in rows if row["venue"] == "kalshi"]
    page = parse_markets(dumped({"markets": raw, "cursor": ""}), RECEIVED)
    assert (len(page.items), reasons(page), page.extras) == (36, Counter(), frozenset())
    assert all(listing.quote.bid_size is None for listing in page.items)
    assert all(
        listing.quote.volume_24h == m["volume_24h"]
        for listing, m in zip(page.items, raw, strict=True)
    )
    assert_quotes_make_sense(page)


def test_nba_events_without_markets(recordings):
    raw = (recordings / "two-venue-nba-2026-01" / "steffen_kalshi_nba.json.gz").read_bytes()
    page = parse_events(gzip.decompress(raw), RECEIVED)
    assert (len(page.items), reasons(page), page.is_last) == (27, Counter(), True)
    assert all(event.exclusive for event in page.items)


def test_hand_verified_markets_of_july_2026(recordings):
    folder = recordings / "two-venue-verified-pairs-tinli" / "kalshi"
    raw = [load(path)["market"] for path in sorted(folder.glob("market_*.json"))]
    page = parse_markets(dumped({"markets": raw, "cursor": ""}), RECEIVED)
    assert (len(page.items), reasons(page), page.extras) == (19, Counter(), frozenset())
    assert all(listing.quote.bid_size for listing in page.items if listing.quote.bid)
    assert {listing.market.size_step for listing in page.items} == {D("0.01")}
    assert all(listing.market.rules for listing in page.items)
    assert_quotes_make_sense(page)


def test_hand_verified_books_agree_with_their_markets(recordings):
    folder = recordings / "two-venue-verified-pairs-tinli" / "kalshi"
    for path in sorted(folder.glob("orderbook_*.json")):
        ticker = path.stem.removeprefix("orderbook_")
        page = parse_book(path.read_bytes(), ticker, RECEIVED)
        assert reasons(page) == Counter()
        (book,) = page.items
        assert list(book.bids) == sorted(book.bids, key=lambda level: -level.price)
        assert list(book.asks) == sorted(book.asks, key=lambda level: level.price)
        assert not (book.bids and book.asks) or book.bids[0].price < book.asks[0].price


def test_markets_of_other_collectors(recordings):
    five = load(recordings / "two-venue-fixtures-drmanhattan" / "kalshi_markets.json")
    page = parse_markets(dumped({"markets": five, "cursor": ""}), RECEIVED)
    assert (len(page.items), reasons(page), page.extras) == (5, Counter(), frozenset())
    folder = recordings / "kalshi-polymarketus-sports-sagnik"
    spreads = load(folder / "kalshi_spread_events.json.gz")
    pages = [parse_event(dumped(entry), RECEIVED) for entry in spreads]
    assert len(pages) == 240
    assert sum((reasons(page) for page in pages), Counter()) == Counter()
    assert sum(len(page.items) for page in pages) == sum(len(entry["markets"]) for entry in spreads)


@pytest.mark.parametrize(("name", "count"), [("events_20250219", 1911), ("events_20250224", 1936)])
def test_events_of_2025(misc, name, count):
    page = parse_events(dumped(misc(f"{name}.json.gz")), RECEIVED)
    assert (len(page.items), reasons(page)) == (count, Counter())
    assert not page.is_last  # no cursor, and fields of the collector's own beside the list


@pytest.mark.parametrize("name", ["kalshi_orderbook_real_sample", "kalshi_orderbook_two_sided"])
def test_books_of_april_2026(misc, name):
    value = misc(f"{name}.json")
    page = parse_book(dumped(value["response"]), value["ticker"], RECEIVED)
    assert reasons(page) == Counter()
    (book,) = page.items
    assert book.asks[0].price == 1 - max(
        D(price) for price, _ in value["response"]["orderbook_fp"]["no_dollars"]
    )


def test_trades_of_march_2026(recordings):
    paths = sorted((recordings / "kalshi-raw-misc").glob("real_trades_*.json"))
    assert len(paths) == 5
    for path in paths:
        page = parse_trades(path.read_bytes(), RECEIVED)
        assert (len(page.items), reasons(page), page.extras) == (20, Counter(), frozenset())
        assert {trade.taker_side for trade in page.items} <= {"buy", "sell"}


def test_dumps_of_2024_are_out_of_scope(misc):
    markets = [
        m for entry in misc("2024-07_market_data.json.gz") for ms in entry.values() for m in ms
    ]
    page = parse_markets(dumped({"markets": markets}), RECEIVED)
    assert page.items == ()
    assert {refusal.reason for refusal in page.refused} == {"out_of_scope"}
    assert len(page.refused) == len(markets)
    events = parse_events(dumped({"events": misc("2024-07_event_data.json.gz")}), RECEIVED)
    assert {refusal.reason for refusal in events.refused} == {"out_of_scope"}
    for entry in misc("2024-07_orderbook_data.json.gz"):
        ((ticker, sides),) = entry.items()
        book = parse_book(dumped({"orderbook": sides}), ticker, RECEIVED)
        assert [refusal.reason for refusal in book.refused] == ["out_of_scope"]


# --- golden fixtures of January 2026: dollar strings beside cents, whole contracts


def test_golden_markets(golden):
    page = parse_markets(golden("markets_list_response.json.gz"), RECEIVED)
    assert (len(page.items), reasons(page), page.extras) == (5, Counter(), frozenset())
    assert {listing.market.size_step for listing in page.items} == {D(1)}


def test_golden_event_with_its_market(golden):
    page = parse_event(golden("event_single_response.json"), RECEIVED)
    (listing,) = page.items
    assert listing.market.ref == listing.event.ref == "KXELONMARS-99"
    assert (listing.quote.bid, listing.quote.ask) == (D("0.06"), D("0.07"))
    assert listing.quote.volume_24h == 10
    assert listing.event.exclusive is False


@pytest.mark.parametrize("name", ["events_list_response", "events_multivariate_list_response"])
def test_golden_events(golden, name):
    page = parse_events(golden(f"{name}.json"), RECEIVED)
    assert (len(page.items), reasons(page)) == (5, Counter())
    assert page.cursor


def test_golden_empty_book(golden):
    (book,) = parse_book(golden("orderbook_response.json"), "KXMVE-1", RECEIVED).items
    assert (book.bids, book.asks) == ((), ())


def test_golden_trades_count_in_whole_numbers(golden):
    page = parse_trades(golden("trades_list_response.json"), RECEIVED)
    assert (len(page.items), reasons(page), page.extras) == (5, Counter(), frozenset())
    assert page.items[0].size == 1
    assert page.items[0].price == D("0.06")


def test_golden_candles(golden):
    raw = golden("series_candlesticks_response.json.gz")
    page = parse_candles(raw, "KXELONMARS-99", 86400, RECEIVED)
    assert (len(page.items), reasons(page)) == (len(json.loads(raw)["candlesticks"]), Counter())
    quiet = [candle for candle in page.items if not candle.volume]
    assert quiet
    assert all(candle.close is None and candle.bid_close is not None for candle in quiet)
    traded = [candle for candle in page.items if candle.volume]
    assert all(candle.low <= candle.close <= candle.high for candle in traded)


def test_golden_series_fees(golden):
    page = parse_series(golden("series_list_response.json.gz"))
    assert (len(page.items), reasons(page), page.extras) == (241, Counter(), frozenset())
    fees = series_fees(page)
    assert {fee.formula for fee in fees.items} == {"quadratic"}
    assert parse_series_fee_changes(golden("series_fee_changes_response.json")).refused == ()


def test_golden_schedule_and_status(golden):
    windows = parse_schedule(golden("exchange_schedule_response.json"), RECEIVED)
    assert [(w.start.isoformat(), w.end.isoformat()) for w in windows] == [
        ("2026-07-23T07:00:00+00:00", "2026-07-23T09:00:00+00:00")
    ]
    status = parse_status(golden("exchange_status_response.json"), RECEIVED, windows)
    assert status.is_trading
