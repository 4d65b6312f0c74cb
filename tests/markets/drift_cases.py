"""Changes that venues made to their payloads in 2026, each applied to a payload of today.

A change is replayed in the direction that breaks a reader of today: what was removed then comes
back in its old form, or what came then is taken away again, or the same step is made once more.
The dates are those of the venue sheets; where a sheet knows a change only by the copies that show
it, the date is that of the copy.
"""

import json
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from markets.quotes import Page
from markets.venues.kalshi.parse import parse_events as kalshi_events
from markets.venues.kalshi.parse import parse_markets as kalshi_markets
from markets.venues.kalshi.parse import parse_nested as kalshi_nested
from markets.venues.kalshi.parse_tape import parse_books as kalshi_books
from markets.venues.kalshi.parse_tape import parse_candles as kalshi_candles
from markets.venues.kalshi.parse_tape import parse_trades as kalshi_trades
from markets.venues.kalshi.parse_terms import parse_series, parse_series_fee_changes, series_fees
from markets.venues.polymarket.books import parse_books, parse_history, parse_trades
from markets.venues.polymarket.parse import parse_events, parse_markets
from markets.venues.predictit.parse import parse_all
from tests.markets.venues.kalshi import payload as kalshi
from tests.markets.venues.polymarket import payload as polymarket
from tests.markets.venues.polymarket.test_books import TOKENS
from tests.markets.venues.predictit.test_parse import BODY as PREDICTIT

NOW = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)
Path = tuple[str | int, ...]
Read = Callable[[bytes], Page[Any]]

#: name -> (today's payload, how it is read)
PAYLOADS: dict[str, tuple[Any, Read]] = {
    "kalshi markets": (kalshi.loaded("markets"), lambda b: kalshi_markets(b, NOW, limit=1000)),
    "kalshi nested": (
        kalshi.loaded("events_with_markets"),
        lambda b: kalshi_nested(b, NOW, limit=200),
    ),
    "kalshi events": (kalshi.loaded("events"), lambda b: kalshi_events(b, NOW, limit=200)),
    "kalshi books": (kalshi.loaded("orderbooks"), lambda b: kalshi_books(b, NOW)),
    "kalshi trades": (kalshi.loaded("trades"), lambda b: kalshi_trades(b, NOW, limit=1000)),
    "kalshi candles": (kalshi.loaded("candlesticks"), lambda b: kalshi_candles(b, "K", 3600, NOW)),
    "kalshi series": (kalshi.loaded("series"), lambda b: series_fees(parse_series(b))),
    "kalshi fee changes": (kalshi.loaded("series_fee_changes"), parse_series_fee_changes),
    "polymarket events": (
        polymarket.load("get_events_keyset"),
        lambda b: parse_events(b, NOW, 100),
    ),
    "polymarket markets": (
        polymarket.load("get_markets_keyset"),
        lambda b: parse_markets(b, NOW, 100),
    ),
    "polymarket books": (polymarket.load("post_books"), lambda b: parse_books(b, TOKENS, NOW)),
    "polymarket trades": (polymarket.load("get_v2_trades"), lambda b: parse_trades(b, NOW)),
    "polymarket history": (
        polymarket.load("get_prices_history"),
        lambda b: parse_history(b, "0x1", 60, NOW),
    ),
    "predictit all": (json.loads(PREDICTIT), lambda b: parse_all(b, NOW)),
}


@dataclass(frozen=True)
class Drift:
    """One change. `caught` is (reason, field) of a refusal, or ("extra", name)."""

    date: str
    payload: str
    path: Path
    change: Callable[[dict[str, Any], Any], None]
    caught: tuple[str, str]
    kind: str

    @property
    def name(self) -> str:
        place = ".".join(map(str, self.path))
        return f"{self.date} {self.payload} {place} {self.kind}"

    def apply(self) -> bytes:
        """Today's payload with this change in it."""
        changed = deepcopy(PAYLOADS[self.payload][0])
        *way, last = self.path
        place = changed
        for step in way:
            place = place[step]
        self.change(place, last)
        return json.dumps(changed).encode()


def removed(date: str, payload: str, path: Path, caught: tuple[str, str]) -> Drift:
    def change(place: dict[str, Any], last: Any) -> None:
        del place[last]

    return Drift(date, payload, path, change, caught, "removed")


def renamed(date: str, payload: str, path: Path, to: str, caught: tuple[str, str]) -> Drift:
    def change(place: dict[str, Any], last: Any) -> None:
        place[to] = place.pop(last)

    return Drift(date, payload, path, change, caught, f"renamed {to}")


def retyped(date: str, payload: str, path: Path, to: Any, caught: tuple[str, str]) -> Drift:
    def change(place: dict[str, Any], last: Any) -> None:
        place[last] = to(place[last]) if callable(to) else to

    return Drift(date, payload, path, change, caught, f"retyped {_shown(to)}")


def split(
    date: str, payload: str, path: Path, to: dict[str, Any], caught: tuple[str, str]
) -> Drift:
    def change(place: dict[str, Any], last: Any) -> None:
        del place[last]
        place.update(to)

    return Drift(date, payload, path, change, caught, f"split {' '.join(to)}")


def added(date: str, payload: str, path: Path, value: Any, caught: tuple[str, str]) -> Drift:
    def change(place: dict[str, Any], last: Any) -> None:
        place[last] = value

    return Drift(date, payload, path, change, caught, f"added {_shown(value)}")


def _shown(value: Any) -> str:
    return value.__name__ if callable(value) else json.dumps(value)[:40]


def cents(text: str) -> int:
    return round(float(text) * 100)


M = ("markets", 0)
E = ("events", 0)
EM = ("events", 0, "markets", 0)
C = ("markets", 0, "contracts", 0)

KALSHI = [
    split("2026-03-12", "kalshi markets", (*M, "yes_bid_dollars"), {"yes_bid": 11},
          ("legacy_cents", "yes_bid_dollars")),
    split("2026-03-12", "kalshi markets", (*M, "last_price_dollars"), {"last_price": 12},
          ("legacy_cents", "last_price_dollars")),
    retyped("2026-03-12", "kalshi markets", (*M, "yes_ask_dollars"), float,
            ("retyped", "yes_ask_dollars")),
    retyped("2026-03-12", "kalshi markets", (*M, "no_bid_dollars"), cents,
            ("retyped", "no_bid_dollars")),
    renamed("2026-03-12", "kalshi markets", (*M, "volume_24h_fp"), "volume_24h_dollars",
            ("missing", "volume_24h_fp")),
    renamed("2026-03-12", "kalshi books", ("orderbooks", 0, "orderbook_fp"), "orderbook",
            ("missing", "orderbook_fp")),
    retyped("2026-03-12", "kalshi books", ("orderbooks", 0, "orderbook_fp"),
            {"yes": [[41, 100]], "no": [[55, 30]]}, ("legacy_cents", "yes_dollars")),
    retyped("2026-03-12", "kalshi books", ("orderbooks", 0, "orderbook_fp", "yes_dollars"),
            [[41, 100]], ("retyped", "yes_dollars[][]")),
    split("2026-03-12", "kalshi trades", ("trades", 0, "yes_price_dollars"), {"yes_price": 36},
          ("legacy_cents", "yes_price_dollars")),
    retyped("2026-03-12", "kalshi candles", ("candlesticks", 0, "price"),
            {"open": 12, "high": 12, "low": 12, "close": 12},
            ("legacy_cents", "price.low_dollars")),
    renamed("2026-03-30", "kalshi books", ("orderbooks", 0, "ticker"), "market_ticker",
            ("missing", "ticker")),
    renamed("2026-03-30", "kalshi books", ("orderbooks",), "books", ("missing", "orderbooks")),
    renamed("2026-05-07", "kalshi markets", (*M, "price_ranges"), "price_grid",
            ("extra", "Market.price_grid")),
    retyped("2026-05-07", "kalshi markets", (*M, "price_ranges"), {"start": "0", "end": "1"},
            ("retyped", "price_ranges")),
    split("2026-05-28", "kalshi trades", ("trades", 0, "taker_outcome_side"),
          {"taker_side": "ask", "taker_outcome": "no"}, ("unknown_enum", "taker_outcome_side")),
    removed("2026-07-09", "kalshi markets", (*M, "notional_value_dollars"),
            ("missing", "notional_value_dollars")),
    retyped("2026-07-09", "kalshi markets", (*M, "notional_value_dollars"), "100.0000",
            ("out_of_range", "notional_value_dollars")),
    added("2026-08-20", "kalshi fee changes", ("series_fee_change_arr", 0, "fee_type"),
          "quadratic_with_tiers", ("unknown_enum", "fee_type")),
    renamed("2026-08-20", "kalshi series", ("series", 0, "fee_multiplier"), "taker_multiplier",
            ("missing", "fee_multiplier")),
    renamed("2026-09-10", "kalshi events", (*E, "mutually_exclusive"), "is_exclusive",
            ("missing", "mutually_exclusive")),
    removed("2026-10-01", "kalshi markets", (*M, "rules_primary"), ("missing", "rules_primary")),
    retyped("2026-10-01", "kalshi markets", (*M, "status"), "trading", ("unknown_enum", "status")),
    retyped("2026-10-01", "kalshi markets", (*M, "result"), "void", ("unknown_enum", "result")),
    retyped("2026-10-01", "kalshi markets", (*M, "close_time"), 1798750800,
            ("retyped", "close_time")),
    added("2026-10-01", "kalshi markets", (*M, "settlement_cap_dollars"), "0.9000",
          ("extra", "Market.settlement_cap_dollars")),
    added("2026-10-15", "kalshi nested", (*E, "shard_hint"), 3, ("extra", "Event.shard_hint")),
    renamed("2026-10-15", "kalshi nested", (*EM, "ticker"), "market_ticker",
            ("missing", "ticker")),
    renamed("2026-10-15", "kalshi markets", ("cursor",), "next_cursor",
            ("extra", "MarketsPage.next_cursor")),
]  # fmt: skip

POLYMARKET = [
    removed("2026-03-30", "polymarket events", (*EM, "feeSchedule"), ("missing", "feeSchedule")),
    renamed("2026-03-30", "polymarket events", (*EM, "feeSchedule"), "fees",
            ("missing", "feeSchedule")),
    split("2026-03-31", "polymarket events", (*EM, "feeSchedule", "rate"),
          {"takerRate": 0.04, "makerRate": 0}, ("missing", "feeSchedule.rate")),
    retyped("2026-07-10", "polymarket events", (*EM, "feeSchedule", "rate"), 500,
            ("out_of_range", "feeSchedule.rate")),
    renamed("2026-04-10", "polymarket events", ("next_cursor",), "nextCursor",
            ("extra", "nextCursor")),
    renamed("2026-04-10", "polymarket events", ("events",), "data", ("missing", "events")),
    retyped("2026-04-10", "polymarket events", (*EM, "outcomes"), json.loads,
            ("retyped", "outcomes")),
    retyped("2026-04-10", "polymarket events", (*EM, "clobTokenIds"), json.loads,
            ("retyped", "clobTokenIds")),
    retyped("2026-04-10", "polymarket events", (*EM, "clobTokenIds"), "[605900454893471]",
            ("retyped", "clobTokenIds")),
    retyped("2026-04-10", "polymarket markets", (*M, "outcomePrices"), [0, 1],
            ("retyped", "outcomePrices")),
    removed("2026-04-10", "polymarket events", (*E, "tags"), ("missing", "event.tags")),
    retyped("2026-04-10", "polymarket events", (*E, "id"), int, ("retyped", "event.id")),
    renamed("2026-04-28", "polymarket events", (*EM, "conditionId"), "condition_id",
            ("missing", "conditionId")),
    removed("2026-04-28", "polymarket events", (*EM, "acceptingOrders"),
            ("missing", "acceptingOrders")),
    renamed("2026-04-28", "polymarket books", (0, "asset_id"), "token_id",
            ("missing", "asset_id")),
    retyped("2026-04-28", "polymarket books", (0, "asset_id"), int, ("retyped", "asset_id")),
    retyped("2026-04-28", "polymarket books", (0, "bids"), [["0.48", "30"]],
            ("retyped", "bids[]")),
    retyped("2026-04-28", "polymarket books", (0, "bids", 0, "price"), 48,
            ("out_of_range", "bids.price")),
    retyped("2026-04-28", "polymarket books", (0, "timestamp"), "2026-04-28T09:00:00Z",
            ("retyped", "timestamp")),
    renamed("2026-07-02", "polymarket events", (*EM, "orderPriceMinTickSize"), "tickSize",
            ("missing", "orderPriceMinTickSize")),
    retyped("2026-07-02", "polymarket events", (*EM, "orderPriceMinTickSize"), 25,
            ("out_of_range", "orderPriceMinTickSize")),
    removed("2026-07-15", "polymarket trades", ("data", 0, "transaction_hash"),
            ("missing", "transaction_hash")),
    renamed("2026-10-24", "polymarket trades", ("data", 0, "condition_id"), "conditionId",
            ("missing", "condition_id")),
    renamed("2026-10-24", "polymarket trades", ("data", 0, "token_id"), "asset",
            ("missing", "token_id")),
    retyped("2026-10-24", "polymarket trades", ("data", 0, "timestamp"), "2026-10-24T09:00:00Z",
            ("retyped", "timestamp")),
    retyped("2026-10-24", "polymarket trades", ("data", 0, "side"), "buy",
            ("unknown_enum", "side")),
    removed("2026-10-24", "polymarket trades", ("pagination",), ("missing", "pagination")),
    renamed("2026-10-24", "polymarket history", ("history", 0, "p"), "price",
            ("missing", "history[].p")),
    added("2026-11-02", "polymarket events", (*EM, "version"), "v3", ("unknown_enum", "version")),
    added("2026-11-02", "polymarket events", (*EM, "version"), "v2", ("missing", "positionIds")),
    retyped("2026-11-02", "polymarket events", ("events", 0, "markets", 1, "positionIds"),
            [8.58230924815969e74, 8.58230924815969e74], ("retyped", "positionIds[]")),
    added("2026-11-02", "polymarket events", (*EM, "resolutionStatus"), "arbitrated",
          ("unknown_enum", "resolutionStatus")),
    added("2026-11-02", "polymarket events", (*EM, "protocolModule"), "binary",
          ("extra", "protocolModule")),
]  # fmt: skip

PREDICTIT_CASES = [
    renamed("2026-01-26", "predictit all", (*M, "contracts"), "outcomes",
            ("missing", "market.contracts")),
    renamed("2026-01-26", "predictit all", (*C, "bestBuyYesCost"), "bestYesAsk",
            ("missing", "bestBuyYesCost")),
    retyped("2026-01-26", "predictit all", (*C, "bestSellYesCost"), 61,
            ("out_of_range", "bestSellYesCost")),
    retyped("2026-01-26", "predictit all", (*C, "id"), str, ("retyped", "id")),
    retyped("2026-01-26", "predictit all", (*C, "status"), "Active", ("unknown_enum", "status")),
    retyped("2026-01-26", "predictit all", (*M, "timeStamp"), 1789424464,
            ("retyped", "market.timeStamp")),
    removed("2026-01-26", "predictit all", (*M, "status"), ("missing", "market.status")),
    renamed("2026-01-26", "predictit all", ("markets",), "Markets", ("missing", "markets")),
    added("2026-09-14", "predictit all", (*C, "volume"), 1200, ("extra", "contract.volume")),
]  # fmt: skip

CASES = [*KALSHI, *POLYMARKET, *PREDICTIT_CASES]
