"""What Kalshi changed in 2026, and its like, replayed on today's payloads.

Each row takes the payload of the sheet as it was before or after a change. A change is *read*
(everything we store stays right), *noted* (a new field, kept out) or *caught* (the item is set
aside with a reason that names the field). Whatever is stored equals what was true.
"""

import json
from dataclasses import dataclass
from decimal import Decimal

import pytest

from markets.quotes import Page
from markets.venues.kalshi.parse import parse_events, parse_markets
from markets.venues.kalshi.parse_tape import parse_book, parse_candles, parse_trades
from markets.venues.kalshi.parse_terms import (
    parse_event_fee_changes,
    parse_series,
    parse_series_fee_changes,
    series_fees,
)
from tests.conftest import TABLES
from tests.markets.venues.kalshi.payload import ABSENT, RECEIVED, loaded

D = Decimal
READ, NOTED, CAUGHT = "read", "noted", "caught"


@dataclass(frozen=True)
class Change:
    date: str
    payload: str
    what: str
    edit: dict
    outcome: str
    says: str = ""  # reason and field of the refusal, or the new field

    def __str__(self):
        return f"{self.date} {self.payload}: {self.what}"


CENTS = {"yes_bid": 11, "yes_ask": 13, "no_bid": 87, "no_ask": 89, "last_price": 12}
STRINGS = {f"{name}_dollars": ABSENT for name in CENTS}
OLD_SIZES = {"yes_bid_size_fp": ABSENT, "yes_ask_size_fp": ABSENT}
COUNTS = {
    "volume_24h_fp": ABSENT,
    "open_interest_fp": ABSENT,
    "volume_24h": 3010,
    "open_interest": 90321,
}
TAPERED = [
    {"start": "0", "end": "0.0100", "step": "0.0001"},
    {"start": "0.0100", "end": "1", "step": "0.0010"},
]

CHANGES = [
    # the fixed-point migration
    Change("2026-01", "markets", "strings stand beside cents", CENTS, READ),
    Change("2026-01", "markets", "counts are whole numbers", CENTS | COUNTS | OLD_SIZES, READ),
    Change("2026-01", "markets", "cents alone", CENTS | STRINGS, CAUGHT,
           "legacy_cents yes_bid_dollars"),
    Change("2026-03-12", "markets", "cents are removed", {}, READ),
    Change("2026-03-12", "trades", "count becomes count_fp",
           {"count_fp": ABSENT, "count": 136}, READ),
    Change("2026-03-12", "trades", "cents alone", {"yes_price_dollars": ABSENT, "yes_price": 36},
           CAUGHT, "legacy_cents yes_price_dollars"),
    Change("2026-03-12", "trades", "the float price is removed", {"price": 0.36}, READ),
    Change("2026-03-12", "candlesticks", "cents alone",
           {"price": {"close": 12, "open": 12}}, CAUGHT, "legacy_cents price.low_dollars"),
    Change("2026-03-12", "orderbook", "orderbook becomes orderbook_fp", {"orderbook_fp": ABSENT,
           "orderbook": {"yes_dollars": [["0.4200", "13.00"]], "no_dollars": [["0.5600", "17.00"]],
                         "yes": [[42, 13]], "no": [[56, 17]]}}, READ),
    Change("2026-03-12", "orderbook", "cents alone", {"orderbook_fp": ABSENT,
           "orderbook": {"yes": [[42, 13]], "no": [[56, 17]]}}, CAUGHT, "legacy_cents yes_dollars"),
    # removals and additions with a date
    Change("2026-05-07", "markets", "tick_size was there", {"tick_size": 1}, READ),
    Change("2026-05-07", "markets", "category was there", {"category": "Economics"}, READ),
    Change("2026-07-09", "markets", "fractional_trading_enabled was there",
           {"fractional_trading_enabled": True, "response_price_units": "usd_cent"}, READ),
    Change("2026-08-06", "series", "fees of combos are unknown words before they are known",
           {"fee_type": "quadratic_with_rfq_fees"}, CAUGHT, "unknown_enum fee_type"),
    Change("2026-08-20", "series", "combos pay half as makers",
           {"fee_type": "quadratic_with_combo_maker_fees"}, READ),
    Change("2026-09-03", "markets", "a new label with ranges",
           {"price_level_structure": "center_deci_edge_centi_cent", "price_ranges": TAPERED}, READ),
    Change("2026-09-03", "markets", "a new label without ranges",
           {"price_level_structure": "center_deci_edge_centi_cent", "price_ranges": ABSENT}, CAUGHT,
           "missing price_ranges"),
    Change("2026-09-10", "events", "available_on_brokers was there", {"available_on_brokers": True},
           READ),
    Change("2026-10-01", "markets", "liquidity_dollars was there", {"liquidity_dollars": "1.0000"},
           READ),
    Change("2026-10-01", "markets", "settlement floors come",
           {"settlement_bounds_type": "floor", "settlement_floor_dollars": "0.0100"}, READ),
    Change("2026-02", "markets", "scalar result of a binary market",
           {"result": "scalar", "status": "finalized", "settlement_value_dollars": "0.6300"}, READ),
    Change("2026-02", "markets", "scalar result without its value",
           {"result": "scalar", "status": "finalized"}, CAUGHT, "missing settlement_value_dollars"),
    Change("2026-02", "markets", "an unset time is year 1",
           {"updated_time": "0001-01-01T00:00:00Z"}, READ),
    Change("2026-05-28", "trades", "taker_side is removed", {"taker_side": ABSENT}, READ),
    Change("2026-05-28", "trades", "both sides are removed",
           {"taker_side": ABSENT, "taker_outcome_side": ABSENT}, CAUGHT,
           "missing taker_outcome_side"),
    Change("2026-05-30", "series_fee_changes", "scheduled_ts becomes a number",
           {"scheduled_ts": 1790000000}, CAUGHT, "retyped scheduled_ts"),
    Change("2026-05-30", "events_fee_changes", "override is renamed",
           {"fee_type_override": ABSENT, "fee_type": "quadratic"}, CAUGHT,
           "missing fee_type_override"),
    # the same kinds on the fields that matter most
    Change("any day", "markets", "prices get six decimals", {"yes_bid_dollars": "0.110000"}, READ),
    Change("any day", "markets", "sizes lose their decimals", {"yes_bid_size_fp": "350"}, READ),
    Change("any day", "markets", "the title is gone", {"title": ABSENT}, READ),
    Change("any day", "markets", "a field comes", {"spread_dollars": "0.0200"}, NOTED,
           "Market.spread_dollars"),
    Change("any day", "events", "a field comes", {"region": "US"}, NOTED, "Event.region"),
    Change("any day", "markets", "price becomes a number", {"yes_bid_dollars": 0.11}, CAUGHT,
           "retyped yes_bid_dollars"),
    Change("any day", "markets", "price becomes cents as text", {"yes_bid_dollars": "11"}, CAUGHT,
           "out_of_range yes_bid_dollars"),
    Change("any day", "markets", "ask is renamed", {"yes_ask_dollars": ABSENT,
           "yes_offer_dollars": "0.1300"}, CAUGHT, "missing yes_ask_dollars"),
    Change("any day", "markets", "quotes are split off", {"yes_bid_dollars": ABSENT,
           "yes": {"bid": "0.1100"}}, CAUGHT, "missing yes_bid_dollars"),
    Change("any day", "markets", "size is renamed", {"yes_bid_size_fp": ABSENT,
           "yes_bid_quantity_fp": "350.00"}, CAUGHT, "missing yes_bid_size_fp"),
    Change("any day", "markets", "volume is renamed", {"volume_24h_fp": ABSENT,
           "volume_day_fp": "3010.00"}, CAUGHT, "missing volume_24h_fp"),
    Change("any day", "markets", "close_time becomes a number", {"close_time": 1798750800}, CAUGHT,
           "retyped close_time"),
    Change("any day", "markets", "status gets a word", {"status": "suspended"}, CAUGHT,
           "unknown_enum status"),
    Change("any day", "markets", "result gets a word", {"result": "void"}, CAUGHT,
           "unknown_enum result"),
    Change("any day", "markets", "rules are renamed",
           {"rules_primary": ABSENT, "rules": "x"}, CAUGHT, "missing rules_primary"),
    Change("any day", "markets", "a contract pays ten",
           {"notional_value_dollars": "10.0000"}, CAUGHT, "out_of_range notional_value_dollars"),
    Change("any day", "markets", "a range names its step differently",
           {"price_ranges": [{"start": "0", "end": "1", "tick": "0.01"}]}, CAUGHT,
           "retyped price_ranges"),
    Change("any day", "events", "exclusive becomes text", {"mutually_exclusive": "true"}, CAUGHT,
           "retyped mutually_exclusive"),
    Change("any day", "series", "multiplier is renamed", {"fee_multiplier": ABSENT, "fee_mult": 1},
           CAUGHT, "missing fee_multiplier"),
    Change("any day", "candlesticks", "volume becomes a number", {"volume_fp": 2810}, CAUGHT,
           "retyped volume_fp"),
]  # fmt: skip

LISTS = {"series_fee_changes": "series_fee_change_arr", "events_fee_changes": "event_fee_changes"}
PARSERS = {
    "markets": lambda raw: parse_markets(raw, RECEIVED),
    "events": lambda raw: parse_events(raw, RECEIVED),
    "series": lambda raw: series_fees(parse_series(raw)),
    "trades": lambda raw: parse_trades(raw, RECEIVED),
    "candlesticks": lambda raw: parse_candles(raw, "KX-1", 3600, RECEIVED),
    "orderbook": lambda raw: parse_book(raw, "KX-1", RECEIVED),
    "series_fee_changes": parse_series_fee_changes,
    "events_fee_changes": parse_event_fee_changes,
}


def replayed(change: Change) -> Page:
    """The payload with its first item (or the book) changed and the rest as it was."""
    value = loaded(change.payload)
    items = value.get(LISTS.get(change.payload, change.payload))
    target = value if items is None else items[0]
    for name, new in change.edit.items():
        target.pop(name, None)
        if new is not ABSENT:
            target[name] = new
    return PARSERS[change.payload](json.dumps(value).encode())


def untouched(change: Change) -> Page:
    return replayed(Change("", change.payload, "", {}, READ))


@pytest.mark.parametrize("change", CHANGES, ids=str)
def test_change_is_read_noted_or_caught(change):
    page, before = replayed(change), untouched(change)
    refused = [f"{r.reason} {r.field}".strip() for r in page.refused]
    if change.outcome == CAUGHT:
        assert refused == [change.says]
        wrong = [item for item in page.items if item not in before.items]
        assert all(getattr(item, "formula", "") == "unknown" for item in wrong)
        return
    assert refused == []
    assert page.extras == (frozenset({change.says}) if change.outcome == NOTED else frozenset())
    assert len(page.items) == len(before.items)
    if change.payload == "markets":
        was, now = before.items[0].quote, page.items[0].quote
        assert (now.bid, now.ask, now.last) == (was.bid, was.ask, was.last)
        assert now.bid_size in (was.bid_size, None)
        assert now.volume_24h == was.volume_24h
        assert page.items[0].market.rules == before.items[0].market.rules
        assert page.items[0].market.close_time == before.items[0].market.close_time


def test_at_least_thirty_changes_are_replayed():
    assert len(CHANGES) >= 30
    counts = {kind: sum(c.outcome == kind for c in CHANGES) for kind in (READ, NOTED, CAUGHT)}
    TABLES.append(f"kalshi payload changes replayed: {len(CHANGES)} {counts}")
