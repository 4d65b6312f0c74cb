"""Every raw recording is read, or refused for a reason that is right."""

import csv
import gzip
import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from markets.quotes import CandleInfo, EventInfo, Listing, OrderBook, Status, TradePrint
from markets.recorded import RecordedFile, read_file, read_folder, recorded_table
from tests.conftest import TABLES
from tests.markets.venues.polymarket.payload import body, dump, load, smith

AS_OF = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)

#: folder -> (files, records, parsed, refused by reason) of what is a response of a venue there
RAW = {
    "two-venue-iran-2026-03": (2, 1005, 1002, {"no_condition_id": 3}),
    "two-venue-nba-2026-01": (3, 854, 854, {}),
    "two-venue-verified-pairs-tinli": (72, 72, 72, {}),
    "two-venue-fixtures-drmanhattan": (2, 10, 10, {}),
    "polymarket-raw-misc": (2, 1291, 291, {"unused_endpoint": 1000}),
    "polymarket-btc5m-chainlink": (1, 292, 292, {}),
    "kalshi-raw-misc": (10, 4049, 4049, {}),
}
#: files that are no response of a venue, by the words that say why
ASIDE = {
    "two-venue-iran-2026-03/kalshi_iran_markets.csv": "a summary",
    "two-venue-verified-pairs-tinli/polymarket/ws_frames_fed.json": "messages of a socket",
    "kalshi-raw-misc/2024-07_market_data.json.gz": "a client library's own objects",
    "kalshi-raw-misc/2024-07_orderbook_data.json.gz": "a client library's own objects",
    "kalshi-trades-nov2025/trades.csv.gz": "a summary",
    "two-venue-2026-03-01-pirodax/kalshi_events.json.gz": "no response that a venue gives",
    "polymarket-raw-misc/resolved_price_points_2026.json.gz": "no response that a venue gives",
    "two-venue-worldcup-ticks-minpark/cross_venue_mexico_england.jsonl.gz": "rows that somebody",
}


def rows_of(folder: Path) -> tuple[list[RecordedFile], list[Any]]:
    rows, items = [], []
    for row, pages in read_folder(folder):
        rows.append(row)
        items += [item for page in pages for item in page.items]
    return rows, items


@pytest.mark.parametrize("folder", RAW)
def test_every_raw_file_of_a_folder_is_read_or_refused(recordings: Path, folder: str) -> None:
    rows, _ = rows_of(recordings / folder)
    TABLES.append(f"{folder}\n{recorded_table(rows)}")
    raw = [row for row in rows if row.venue]
    refused: Counter[str] = Counter()
    for row in raw:
        refused.update(row.refused)
        assert row.records == row.parsed + sum(row.refused.values()), row
    assert all(set(row.refused) == {"out_of_scope"} and row.note for row in rows if not row.venue)
    found = (len(raw), sum(r.records for r in raw), sum(r.parsed for r in raw), dict(refused))
    assert found == RAW[folder]


def test_the_golden_responses_are_read_where_we_call_their_address(recordings: Path) -> None:
    rows, items = rows_of(recordings / "kalshi-golden-fixtures")
    TABLES.append(f"kalshi-golden-fixtures\n{recorded_table(rows)}")
    assert all(row.venue == "kalshi" for row in rows)
    assert {reason for row in rows for reason in row.refused} == {"unused_endpoint"}
    read = {row.file.partition("_response")[0]: row.parsed for row in rows if not row.refused}
    assert read == {
        "event_single": 1,
        "events_list": 5,
        "events_multivariate_list": 5,
        "exchange_announcements": 0,
        "exchange_schedule": 1,
        "exchange_status": 1,
        "market_single": 1,
        "markets_list": 5,
        "orderbook": 1,
        "series_candlesticks": 90,
        "series_fee_changes": 0,
        "series_list": 241,
        "series_single": 1,
        "trades_list": 5,
    }
    assert {type(item) for item in items} >= {Listing, OrderBook, TradePrint, CandleInfo}


def test_the_client_library_fixtures_are_read_or_refused(recordings: Path) -> None:
    rows, _ = rows_of(recordings / "polymarket-nautilus-fixtures")
    TABLES.append(f"polymarket-nautilus-fixtures\n{recorded_table(rows)}")
    by_name = {row.file: row for row in rows}
    assert {r for row in rows for r in row.refused} == {
        "out_of_scope",  # messages of sockets
        "unused_endpoint",  # CLOB /markets, /fee-rate, /tags, private trades
        "unknown_token",  # a book whose market is not beside it
        "unknown_outcome",  # trades without an outcome index
        "missing",  # events and markets that the library's authors cut down
        "retyped",
    }
    for name, row in by_name.items():
        is_frame = "_ws_" in name or "_rtds_" in name
        assert is_frame is ("out_of_scope" in row.refused), name
        if name.startswith("rs_gamma_market") or name == "rs_gamma_event.json":
            assert row.parsed == row.records, name
            # one is of before per-market fee schedules: the market is read, its fee is not
            assert row.refused == ({"missing": 1} if name == "rs_gamma_market.json" else {}), name
    assert by_name["py_trades.json"].parsed == 4


def test_predictit_bodies_are_read_whole(recordings: Path) -> None:
    rows, items = rows_of(recordings / "predictit-marketdata-history")
    TABLES.append(f"predictit-marketdata-history\n{recorded_table(rows)}")
    bodies = [row for row in rows if row.venue]
    assert len(bodies) == 9
    assert sum(row.parsed for row in bodies) == sum(row.records for row in bodies) == 6795
    assert not any(row.refused for row in bodies)
    assert {row.as_of.date().isoformat() for row in bodies if row.as_of} >= {"2021-11-02"}
    for item in items:
        assert item.quote is not None
        for price, other in (
            (item.quote.bid, item.quote.other_ask),
            (item.quote.ask, item.quote.other_bid),
        ):
            assert (price is None) is (other is None)
            assert price is None or price + other == 1


def test_iran_has_the_statuses_that_were_counted(recordings: Path) -> None:
    _, items = rows_of(recordings / "two-venue-iran-2026-03")
    kalshi = [item.market for item in items if item.market.venue == "kalshi"]
    polymarket = [item.market for item in items if item.market.venue == "polymarket"]
    assert (len(kalshi), len(polymarket)) == (763, 239)
    assert Counter(market.status for market in kalshi) == {Status.OPEN: 565, Status.SETTLED: 198}
    assert sum(market.result == "scalar" for market in kalshi) == 11
    assert Counter(market.status for market in polymarket) == {
        Status.SETTLED: 219,
        Status.OPEN: 15,
        Status.DISPUTED: 4,
        Status.CLOSED: 1,
    }
    # received when the newest of them was true, which no item is later than
    for market in [*kalshi, *polymarket]:
        assert market.received_at.date().isoformat() in ("2026-03-01", "2026-03-02")
        assert market.venue_ts is None or market.venue_ts <= market.received_at


def test_recorded_prices_are_what_the_file_says(recordings: Path) -> None:
    """Held against a second reading of the same file by nothing but json."""
    path = recordings / "two-venue-iran-2026-03/polymarket_raw.json.gz"
    told = {
        market["conditionId"]: market
        for event in json.loads(gzip.decompress(path.read_bytes()), parse_float=str)
        for market in event["markets"]
    }
    _, (page,) = read_file(path)
    for item in page.items:
        raw = told[item.market.ref]
        assert item.quote is not None
        assert item.market.title == raw["question"]
        assert [o.token for o in item.market.outcomes] == json.loads(raw["clobTokenIds"])
        for value, name in ((item.quote.bid, "bestBid"), (item.quote.ask, "bestAsk")):
            said = raw.get(name, 0)
            assert str(value) == str(said) or (value is None and said in (0, 1))
        if item.market.status is Status.SETTLED:
            winner = json.loads(raw["outcomePrices"]).index("1")
            assert item.market.result == json.loads(raw["outcomes"])[winner]


def test_recorded_books_belong_to_the_market_beside_them(recordings: Path) -> None:
    _, items = rows_of(recordings / "two-venue-verified-pairs-tinli")
    listings = {(i.market.venue, i.market.ref): i for i in items if isinstance(i, Listing)}
    books = [item for item in items if isinstance(item, OrderBook)]
    assert len(books) == 36
    assert {(book.venue, book.ref) for book in books} == set(listings)
    near = 0
    for book in books:
        quote = listings[book.venue, book.ref].quote
        assert quote is not None
        if book.bids and quote.bid is not None:
            near += abs(book.bids[0].price - quote.bid) < quote.bid / 2
    assert near >= 30  # the same outcome's prices, though not of the same second


def test_the_clock_of_a_day_of_five_minute_markets_is_read(recordings: Path) -> None:
    _, items = rows_of(recordings / "polymarket-btc5m-chainlink")
    assert {item.market.result for item in items} == {"Up", "Down"}
    with gzip.open(
        recordings / "polymarket-btc5m-chainlink/BTC-5m-markets-2026-07-24.jsonl.gz", "rt"
    ) as lines:
        told = {row["condition_id"]: row for row in map(json.loads, lines)}
    for item in items:
        prices = told[item.market.ref]["outcome_prices"]
        assert item.market.settlement_value == int(prices[0])


@pytest.mark.parametrize("file", ASIDE)
def test_what_is_no_response_is_listed_with_the_reason(recordings: Path, file: str) -> None:
    row, pages = read_file(recordings / file)
    assert not pages
    assert set(row.refused) == {"out_of_scope"}
    assert row.note.startswith(ASIDE[file])
    assert row.records > 0


def test_every_file_of_the_recordings_has_a_row(recordings: Path) -> None:
    with (recordings / "MANIFEST.csv").open() as table:
        listed = {row["file"] for row in csv.DictReader(table)}
    small = {name for name in listed if "btc15m" not in name}
    seen = {
        f"{folder.name}/{row.file}"
        for folder in recordings.iterdir()
        if folder.is_dir() and "btc15m" not in folder.name
        for row, _ in read_folder(folder)
    }
    assert small <= seen


def test_socket_recordings_are_out_of_scope(recordings: Path) -> None:
    run = next(path for path in sorted((recordings / "kalshi-btc15m-ws").iterdir()))
    rows, items = rows_of(run)
    assert not items
    assert {row.note for row in rows} == {"messages of a socket"}


# --- without recordings: files written here


def write(folder: Path, name: str, data: bytes) -> Path:
    path = folder / name
    path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    return path


def test_as_of_wins_over_the_times_in_the_body(tmp_path: Path) -> None:
    path = write(tmp_path, "events.json.gz", body("get_events_keyset"))
    row, (page,) = read_file(path, AS_OF)
    assert row.as_of == AS_OF
    assert {item.market.received_at for item in page.items} == {AS_OF}


def test_without_as_of_the_newest_time_in_the_body_counts(tmp_path: Path) -> None:
    row, _ = read_file(write(tmp_path, "events.json", body("get_events_keyset")))
    assert row.as_of == datetime(2026, 11, 20, 14, 1, 2, 500000, tzinfo=UTC)


def test_a_year_one_time_is_no_time(tmp_path: Path) -> None:
    market = smith(updatedAt="0001-01-01T00:00:00Z")
    row, pages = read_file(write(tmp_path, "market.json", dump(market)))
    assert row.as_of is None
    assert row.refused == {"no_time": 1}
    assert not pages


def test_the_day_in_a_name_is_the_next_best(tmp_path: Path) -> None:
    market = smith()
    del market["updatedAt"]
    row, _ = read_file(write(tmp_path, "market_2026-03-07.json", dump(market)))
    assert row.as_of == datetime(2026, 3, 7, tzinfo=UTC)


def test_books_come_after_the_listings_that_name_their_tokens(tmp_path: Path) -> None:
    book = load("post_books")[1]
    write(tmp_path, "a_book.json", dump(book))
    write(tmp_path, "z_market.json", dump(smith()))
    rows = list(read_folder(tmp_path))
    assert [row.file for row, _ in rows] == ["z_market.json", "a_book.json"]
    (page,) = rows[1][1]
    assert page.items[0].ref == smith()["conditionId"]


def test_a_book_of_the_second_token_is_mirrored(tmp_path: Path) -> None:
    book = load("post_books")[1]
    book["asset_id"] = json.loads(smith()["clobTokenIds"])[1]
    write(tmp_path, "book.json", dump(book))
    write(tmp_path, "market.json", dump(smith()))
    *_, (_, (page,)) = read_folder(tmp_path)
    assert str(page.items[0].bids[0].price) == "0.989"
    assert page.items[0].asks == ()


@pytest.mark.parametrize(
    ("data", "note"),
    [
        (b"<html>", "not JSON"),
        (b"", "not JSON"),
        (b"\x1f\x8b\x08\x00garbage", "not JSON"),
        (b'{"a": 1}', "no response that a venue gives"),
        (b'"text"', "not JSON"),
        (b"[]", "no response that a venue gives"),
        (b"[1, 2]", "no response that a venue gives"),
    ],
)
def test_another_file_is_set_aside(tmp_path: Path, data: bytes, note: str) -> None:
    row, pages = read_file(write(tmp_path, "x.json", data))
    assert not pages
    assert row.note.startswith(note)


def test_a_broken_archive_is_set_aside(tmp_path: Path) -> None:
    path = tmp_path / "x.json.gz"
    path.write_bytes(gzip.compress(dump(smith()))[:-20])
    row, pages = read_file(path)
    assert not pages
    assert row.note == "the archive is broken"


def test_the_table_names_files_counts_and_reasons() -> None:
    row = RecordedFile("a.json", "kalshi", "GET /markets", 5, 3, {"missing": 2})
    aside = RecordedFile("b.csv", "", "", 9, 0, {"out_of_scope": 9}, note="a summary")
    table = recorded_table([row, aside])
    assert "5        3  a.json · kalshi GET /markets · 2 missing" in table
    assert "9        0  b.csv · 9 out_of_scope (a summary)" in table


def test_events_without_markets_are_events(recordings: Path) -> None:
    _, items = rows_of(recordings / "kalshi-raw-misc")
    assert sum(isinstance(item, EventInfo) for item in items) == 1911 + 1936
