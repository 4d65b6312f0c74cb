"""The declared shape of each Kalshi payload: what we read, under the venue's own names.

A field without default must be there; prices and sizes stay text until `parse.py` has looked at
them. Fields that are known and not read are named in `IGNORED`, so that only news is noted.
"""

from datetime import datetime
from decimal import Decimal

from msgspec import UNSET, Raw, Struct, UnsetType


class Market(Struct, gc=False):
    """`GET /markets`, `GET /markets/{ticker}`, nested in events; also the shapes of 2026 before."""

    ticker: str
    event_ticker: str
    market_type: str
    status: str
    result: str | None
    rules_primary: str | None
    rules_secondary: str | None
    close_time: datetime | None
    yes_bid_dollars: str | None
    yes_ask_dollars: str | None
    no_bid_dollars: str | None
    no_ask_dollars: str | None
    last_price_dollars: str | None
    notional_value_dollars: str | None
    open_time: datetime | None
    yes_sub_title: str | None
    no_sub_title: str | None
    title: str | None = None
    subtitle: str | None = None
    yes_bid_size_fp: str | None = None
    yes_ask_size_fp: str | None = None
    volume_24h_fp: str | None = None
    volume_fp: str | None = None
    open_interest_fp: str | None = None
    updated_time: datetime | None = None
    expected_expiration_time: datetime | None = None
    latest_expiration_time: datetime | None = None
    settlement_value_dollars: str | None = None
    settlement_ts: datetime | None = None
    settlement_timer_seconds: int | None = None
    settlement_bounds_type: str | None = None
    settlement_floor_dollars: str | None = None
    occurrence_datetime: datetime | None = None
    fee_waiver_expiration_time: datetime | None = None
    can_close_early: bool | None = None
    early_close_condition: str | None = None
    expiration_value: str | None = None
    strike_type: str | None = None
    floor_strike: Decimal | None = None
    cap_strike: Decimal | None = None
    functional_strike: Raw = Raw()
    custom_strike: Raw = Raw()
    price_ranges: Raw = Raw()
    price_level_structure: str | None = None
    is_provisional: bool | None = None
    exchange_index: int | None = None
    mve_collection_ticker: str | None = None
    mve_selected_legs: Raw = Raw()
    # Gone since 2026, read where recorded payloads still have them.
    fractional_trading_enabled: bool | None = None
    tick_size: int | float | None = None
    yes_bid: int | None = None
    volume_24h: int | None = None
    open_interest: int | None = None


IGNORED_MARKET = frozenset(
    {
        "created_time",
        "expiration_time",
        "previous_yes_bid_dollars",
        "previous_yes_ask_dollars",
        "previous_price_dollars",
        "liquidity_dollars",
        "response_price_units",
        # integers of before 2026-03-12, always lossy
        "yes_ask",
        "no_bid",
        "no_ask",
        "last_price",
        "volume",
        "liquidity",
        "notional_value",
        "previous_yes_bid",
        "previous_yes_ask",
        "previous_price",
        "settlement_value",
        "category",
        "risk_limit_cents",
        "primary_participant_key",
    }
)


class PriceRangeShape(Struct):
    start: str
    end: str
    step: str


class Source(Struct):
    name: str | None = None
    url: str | None = None


class Event(Struct):
    """`GET /events`."""

    event_ticker: str
    series_ticker: str
    title: str
    sub_title: str | None
    mutually_exclusive: bool
    category: str | None
    collateral_return_type: str | None = None
    strike_date: datetime | None = None
    strike_period: str | None = None
    settlement_sources: list[Source] | None = None
    product_metadata: Raw = Raw()
    last_updated_ts: datetime | None = None
    fee_type_override: str | None = None
    fee_multiplier_override: Decimal | None = None
    exchange_index: int | None = None
    markets: list[Raw] | None = None


IGNORED_EVENT = frozenset({"available_on_brokers", "price_level_structure"})


class Series(Struct):
    """`GET /series`."""

    ticker: str
    fee_type: str
    fee_multiplier: Decimal
    tags: list[str] | None = None


IGNORED_SERIES = frozenset(
    {
        "title",
        "category",
        "frequency",
        "settlement_sources",
        "exchange_index",
        "categories",
        "contract_url",
        "contract_terms_url",
        "product_metadata",
        "additional_prohibitions",
        "volume_fp",
        "volume",
        "last_updated_ts",
    }
)


class SeriesFeeChange(Struct):
    """`GET /series/fee_changes`."""

    series_ticker: str
    fee_type: str
    fee_multiplier: Decimal
    scheduled_ts: datetime
    id: str | None = None


class EventFeeChange(Struct):
    """`GET /events/fee_changes`; null takes an override back."""

    event_ticker: str
    fee_type_override: str | None
    fee_multiplier_override: Decimal | None
    scheduled_ts: datetime
    series_ticker: str | None = None
    id: str | None = None


class Trade(Struct):
    """`GET /markets/trades`."""

    trade_id: str
    ticker: str
    yes_price_dollars: str
    created_time: datetime
    no_price_dollars: str | None = None
    count_fp: str | None = None
    taker_outcome_side: str | None = None
    taker_book_side: str | None = None
    taker_side: str | None = None
    is_block_trade: bool | None = None
    count: int | None = None


IGNORED_TRADE = frozenset({"price", "yes_price", "no_price"})


class Ohlc(Struct):
    open_dollars: str | None = None
    high_dollars: str | None = None
    low_dollars: str | None = None
    close_dollars: str | None = None
    close: int | None = None  # cents, before 2026-03-12


class Candle(Struct):
    """One entry of the candlesticks endpoints; it ends at `end_period_ts` (Unix seconds)."""

    end_period_ts: int
    yes_bid: Ohlc
    yes_ask: Ohlc
    price: Ohlc
    volume_fp: str | None = None
    volume: int | None = None


IGNORED_CANDLE = frozenset({"open_interest_fp", "open_interest"})


class BookSides(Struct):
    """Bids of both outcomes as [price, size]; null stands for an empty side."""

    yes_dollars: list[tuple[str, str | int]] | None
    no_dollars: list[tuple[str, str | int]] | None


class BookEntry(Struct):
    """One of `GET /markets/orderbooks`."""

    ticker: str
    orderbook_fp: Raw


class Shard(Struct):
    exchange_index: int
    exchange_active: bool
    trading_active: bool
    description: str | None = None


class ExchangeState(Struct):
    """`GET /exchange/status`."""

    exchange_active: bool
    trading_active: bool
    exchange_estimated_resume_time: datetime | None = None
    intra_exchange_transfers_active: bool | None = None
    exchange_index_statuses: list[Shard] | None = None


class Session(Struct):
    """From `open_time` to `close_time`, HH:MM in New York; closing at 00:00 is midnight."""

    open_time: str
    close_time: str


class Week(Struct):
    """The hours of each weekday while `start_time` <= day < `end_time`."""

    start_time: datetime
    end_time: datetime
    monday: list[Session] | None = None
    tuesday: list[Session] | None = None
    wednesday: list[Session] | None = None
    thursday: list[Session] | None = None
    friday: list[Session] | None = None
    saturday: list[Session] | None = None
    sunday: list[Session] | None = None


class Maintenance(Struct):
    start_datetime: datetime
    end_datetime: datetime


class Schedule(Struct):
    standard_hours: list[Week]
    maintenance_windows: list[Maintenance] | None


class ScheduleAnswer(Struct):
    """`GET /exchange/schedule`."""

    schedule: Schedule


class Cutoff(Struct):
    """`GET /historical/cutoff`: what is older lives under /historical."""

    market_settled_ts: datetime
    trades_created_ts: datetime


class Budget(Struct):
    refill_rate: float
    bucket_capacity: float


class AccountLimits(Struct):
    """`GET /account/limits`."""

    read: Budget
    write: Budget
    usage_tier: str | None = None


class MarketsPage(Struct):
    """A page of a listing; its cursor is empty, null or absent at the end."""

    markets: list[Raw] | None
    cursor: str | None | UnsetType = UNSET


class EventsPage(Struct):
    events: list[Raw] | None
    cursor: str | None | UnsetType = UNSET
    milestones: Raw = Raw()


class TradesPage(Struct):
    trades: list[Raw] | None
    cursor: str | None | UnsetType = UNSET


class EventFeeChangesPage(Struct):
    event_fee_changes: list[Raw] | None
    cursor: str | None | UnsetType = UNSET


class SeriesPage(Struct):
    series: list[Raw] | None


class SeriesFeeChangesPage(Struct):
    series_fee_change_arr: list[Raw] | None


class BooksPage(Struct):
    orderbooks: list[Raw] | None


class CandlesPage(Struct):
    candlesticks: list[Raw] | None
    ticker: str | None = None
    adjusted_end_ts: int | None = None


class OneMarket(Struct):
    market: Raw


class OneEvent(Struct):
    """`GET /events/{ticker}`: the markets stand beside the event or inside it."""

    event: Raw
    markets: list[Raw] | None = None


class OneBook(Struct):
    """`GET /markets/{ticker}/orderbook`; `orderbook` is its name of before 2026-03-12."""

    orderbook_fp: Raw = Raw()
    orderbook: Raw = Raw()
