import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from markets.quotes import Status
from markets.venues.predictit.parse import (
    eastern,
    end_date,
    fees,
    parse_all,
    parse_one,
    staleness,
)

BODY = (Path(__file__).parent / "payloads/http_get_marketdata_all.json").read_bytes()
NOW = datetime(2026, 9, 14, 22, 21, 30, tzinfo=UTC)


def changed(contract: dict[str, Any] | None = None, **market: Any) -> bytes:
    data = json.loads(BODY)
    data["markets"][0]["contracts"][0] |= contract or {}
    data["markets"][0] |= market
    return json.dumps(data).encode()


def test_each_contract_is_a_market_of_its_event() -> None:
    page = parse_all(BODY, NOW)
    assert [item.market.ref for item in page.items] == ["7456.35810", "7456.35811", "7589.28361"]
    assert page.is_last
    assert not page.refused
    assert not page.extras
    market, event = page.items[0].market, page.items[0].event
    assert market.key == "PREDICTIT:7456.35810"
    assert (market.event_ref, market.subtitle) == ("7456", "Republican")
    assert market.status is Status.OPEN
    assert (market.size_step, market.price_ranges[0].step) == (1, Decimal("0.01"))
    assert event is not None
    assert (event.exclusive, event.exhaustive, event.facts["contracts"]) == (None, None, "2")
    assert page.items[2].market.subtitle == ""


def test_prices_stand_on_the_right_side() -> None:
    quote = parse_all(BODY, NOW).items[0].quote
    assert quote is not None
    assert (quote.bid, quote.ask) == (Decimal("0.61"), Decimal("0.63"))
    assert (quote.other_bid, quote.other_ask) == (Decimal("0.37"), Decimal("0.39"))
    assert quote.bid + quote.other_ask == 1  # type: ignore[operator]
    assert quote.ask + quote.other_bid == 1  # type: ignore[operator]
    assert (quote.bid_size, quote.ask_size, quote.volume_24h) == (None, None, None)
    assert quote.venue_ts == datetime(2026, 9, 14, 22, 21, 4, 123456, tzinfo=UTC)


def test_an_empty_side_is_none() -> None:
    quote = parse_all(BODY, NOW).items[1].quote
    assert quote is not None
    assert (quote.bid, quote.ask, quote.other_ask) == (None, Decimal("0.40"), None)


def test_a_last_price_of_zero_means_never_traded() -> None:
    quote = parse_all(BODY, NOW).items[2].quote
    assert quote is not None
    assert quote.last is None


@pytest.mark.parametrize(
    ("market", "contract", "status"),
    [("Open", "Open", Status.OPEN), ("Closed", "Open", Status.CLOSED)]
    + [("Open", "Closed", Status.CLOSED)],
)
def test_a_contract_is_open_only_in_an_open_market(
    market: str, contract: str, status: Status
) -> None:
    page = parse_all(changed({"status": contract}, status=market), NOW)
    assert page.items[0].market.status is status


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("NA", None),
        ("N/A", None),
        ("", None),
        ("when it is over", None),
        ("13/45/2021 12:00 AM (ET)", None),
        ("2028-11-07T23:59:00", datetime(2028, 11, 8, 4, 59, tzinfo=UTC)),
        ("2026-07-01T18:00:00", datetime(2026, 7, 1, 22, 0, tzinfo=UTC)),
        ("09/01/2021 12:01:00 AM (ET)", datetime(2021, 9, 1, 4, 1, tzinfo=UTC)),
        ("03/04/2022 11:00:00 AM (ET)", datetime(2022, 3, 4, 16, 0, tzinfo=UTC)),
        ("9/1/2021 12:00 PM (ET) [noon]", datetime(2021, 9, 1, 16, 0, tzinfo=UTC)),
        ("0001-01-01T00:00:00", None),
    ],
)
def test_end_dates_are_read_where_they_can_be(text: str, utc: datetime | None) -> None:
    assert end_date(text) == utc


@pytest.mark.parametrize(
    ("text", "near", "utc"),
    [
        ("2026-01-05T12:00:00.1234567", NOW, datetime(2026, 1, 5, 17, 0, 0, 123456, tzinfo=UTC)),
        ("2026-07-05T12:00:00", NOW, datetime(2026, 7, 5, 16, 0, tzinfo=UTC)),
        # 1 November 2026, 01:30 comes twice
        (
            "2026-11-01T01:30:00",
            datetime(2026, 11, 1, 5, 31, tzinfo=UTC),
            datetime(2026, 11, 1, 5, 30, tzinfo=UTC),
        ),
        (
            "2026-11-01T01:30:00",
            datetime(2026, 11, 1, 6, 31, tzinfo=UTC),
            datetime(2026, 11, 1, 6, 30, tzinfo=UTC),
        ),
        ("2026-07-05T12:00:00Z", NOW, datetime(2026, 7, 5, 12, 0, tzinfo=UTC)),
    ],
)
def test_new_york_time_becomes_utc(text: str, near: datetime, utc: datetime) -> None:
    assert eastern(text, near) == utc


@pytest.mark.parametrize(
    ("contract", "market", "reason", "field"),
    [
        ({"status": "Halted"}, {}, "unknown_enum", "status"),
        ({"id": "35810"}, {}, "retyped", "id"),
        ({"name": None}, {}, "retyped", "name"),
        ({}, {"status": "Halted"}, "unknown_enum", "market.status"),
        ({}, {"timeStamp": "today"}, "retyped", "market.timeStamp"),
        ({}, {"timeStamp": 1789424464}, "retyped", "market.timeStamp"),
    ],
)
def test_what_does_not_fit_is_set_aside_by_name(
    contract: dict[str, Any], market: dict[str, Any], reason: str, field: str
) -> None:
    page = parse_all(changed(contract, **market), NOW)
    assert "7589.28361" in [item.market.ref for item in page.items]
    assert {(r.reason, r.field) for r in page.refused} == {(reason, field)}
    assert "7456.35810" in {r.ref for r in page.refused}


@pytest.mark.parametrize("cost", [0, 1, 1.5, -0.1, 63])
def test_a_price_outside_zero_and_one_costs_the_quote(cost: float) -> None:
    page = parse_all(changed({"bestBuyYesCost": cost}), NOW)
    assert page.items[0].quote is None
    assert [(r.ref, r.field) for r in page.refused] == [("7456.35810", "bestBuyYesCost")]
    assert page.items[1].quote is not None


def test_the_same_contract_twice_is_taken_once() -> None:
    page = parse_all(changed({"id": 35811}), NOW)
    assert [item.market.ref for item in page.items] == ["7456.35811", "7589.28361"]
    assert [r.reason for r in page.refused] == ["duplicate"]


def test_a_new_field_is_noted() -> None:
    page = parse_all(changed({"volume": 5}, category="Congress"), NOW)
    assert page.extras == {"contract.volume", "market.category"}
    assert len(page.items) == 3


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "empty_body"),
        (b"<?xml version='1.0'?><MarketList/>", "not_json"),
        (b"<html>Just a moment</html>", "not_json"),
        (BODY[:500], "not_json"),
        (b'{"Markets": []}', "missing"),
        (b"[]", "retyped"),
    ],
)
def test_another_body_is_refused_and_closes_nothing(body: bytes, reason: str) -> None:
    page = parse_all(body, NOW)
    assert not page.items
    assert not page.is_last
    assert [r.reason for r in page.refused] == [reason]


def test_an_empty_venue_closes_nothing() -> None:
    assert not parse_all(b'{"markets": []}', NOW).is_last


def test_a_market_that_cannot_be_taken_apart_closes_nothing() -> None:
    page = parse_all(changed(contracts="none"), NOW)
    assert len(page.items) == 1
    assert not page.is_last


def test_the_single_market_address_gives_the_same() -> None:
    market = json.dumps(json.loads(BODY)["markets"][0]).encode()
    page = parse_one(market, NOW)
    assert [item.market.ref for item in page.items] == ["7456.35810", "7456.35811"]
    assert not page.is_last


def test_fees_are_the_venues_own() -> None:
    (fee,) = fees()
    assert (fee.scope, fee.formula) == ("venue", "predictit")
    assert fee.values == {"profit": "0.10", "withdrawal": "0.05"}


@pytest.mark.parametrize(
    ("ages", "is_stale"),
    [
        ([], True),
        ([10], False),
        ([179], False),
        ([180], True),
        ([60, 60], False),
        ([60, 60, 60], True),
        ([120, 60, 60], False),
    ],
)
def test_standing_data_is_stale(ages: list[int], is_stale: bool) -> None:
    stamps = [NOW - timedelta(seconds=age) for age in ages]
    assert bool(staleness(stamps, NOW)) is is_stale
