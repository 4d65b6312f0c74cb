"""The values that venues are turned into: frozen, exact, free of any venue's wire format.

Prices are `Decimal` probabilities in [0, 1] per 1.00 of payout, sizes `Decimal` contracts, times
aware UTC. Each value keeps the venue's time (`venue_ts`, None where it sends none) and ours
(`received_at`). A missing side is None, never 0 or 1. Conversion from wire text happens once, in
each venue's `parse.py`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Generic, TypeVar

T = TypeVar("T")


class Status(StrEnum):
    """Where a market stands in its life, in one vocabulary for all venues."""

    NEW = "new"  # listed, not yet open for trading
    OPEN = "open"
    PAUSED = "paused"
    CLOSED = "closed"  # no more trading, no outcome yet
    DETERMINED = "determined"  # an outcome is stated, payment waits
    DISPUTED = "disputed"
    SETTLED = "settled"
    VOIDED = "voided"  # cancelled, or settled without a winner


#: Nothing more will be traded in these.
ENDED = frozenset({Status.CLOSED, Status.DETERMINED, Status.SETTLED, Status.VOIDED})


@dataclass(frozen=True, slots=True)
class PriceRange:
    """Valid prices from `start` to `end` are multiples of `step`."""

    start: Decimal
    end: Decimal
    step: Decimal


@dataclass(frozen=True, slots=True)
class OutcomeInfo:
    """One side of a market. `token` is the venue's own id of it, empty where it has none."""

    index: int
    label: str
    token: str = ""


@dataclass(frozen=True, slots=True)
class FeeInfo:
    """A fee fact as the venue states it.

    `scope` is venue, series, event or market and `scope_ref` the venue's id of it; `formula` names
    a function of `markets/calc/fees.py`; `values` are its parameters as decimal strings. Without
    `effective_from` it holds from when it was first seen.
    """

    venue: str
    scope: str
    scope_ref: str
    formula: str
    values: Mapping[str, str]
    effective_from: datetime | None = None


@dataclass(frozen=True, slots=True)
class EventInfo:
    """A group of markets about one happening.

    `exclusive`: at most one market resolves YES; `exhaustive`: at least one does; None: the venue
    does not say.
    """

    venue: str
    ref: str
    title: str
    received_at: datetime
    subtitle: str = ""
    category: str = ""
    series: str = ""
    exclusive: bool | None = None
    exhaustive: bool | None = None
    close_time: datetime | None = None
    url: str = ""
    sources: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    fee: FeeInfo | None = None
    facts: Mapping[str, str] = field(default_factory=dict)
    venue_ts: datetime | None = None


@dataclass(frozen=True, slots=True)
class MarketInfo:
    """One tradable question. Outcome 0 is the one that quotes and `settlement_value` speak of.

    `kind` is binary, scalar or combo; `result` the label of the winning outcome, "scalar" or
    empty; `settlement_value` what outcome 0 pays; `category` and `venue_status` are the venue's
    own words; `facts` holds structured terms (strikes, dates, group titles) as text.
    """

    venue: str
    ref: str
    title: str
    status: Status
    outcomes: tuple[OutcomeInfo, ...]
    price_ranges: tuple[PriceRange, ...]
    received_at: datetime
    event_ref: str = ""
    subtitle: str = ""
    rules: str = ""
    venue_status: str = ""
    kind: str = "binary"
    result: str = ""
    settlement_value: Decimal | None = None
    size_step: Decimal = Decimal("1")
    min_size: Decimal = Decimal("1")
    open_time: datetime | None = None
    close_time: datetime | None = None
    expected_time: datetime | None = None
    category: str = ""
    series: str = ""
    url: str = ""
    fee: FeeInfo | None = None
    facts: Mapping[str, str] = field(default_factory=dict)
    venue_ts: datetime | None = None

    @property
    def key(self) -> str:
        """The canonical id: KALSHI:TICKER, POLY:conditionId, PREDICTIT:market.contract."""
        return canonical(self.venue, self.ref)


@dataclass(frozen=True, slots=True)
class Quote:
    """Top of book of one outcome. `other_bid` and `other_ask` are the opposite outcome's prices
    where the venue states them itself; `is_indicative` marks a cached or derived price that must
    never be traded on."""

    venue: str
    ref: str
    received_at: datetime
    bid: Decimal | None = None
    ask: Decimal | None = None
    bid_size: Decimal | None = None
    ask_size: Decimal | None = None
    last: Decimal | None = None
    volume_24h: Decimal | None = None
    open_interest: Decimal | None = None
    other_bid: Decimal | None = None
    other_ask: Decimal | None = None
    venue_ts: datetime | None = None
    outcome: int = 0
    is_indicative: bool = False


@dataclass(frozen=True, slots=True)
class Listing:
    """A market together with the quote that came in the same payload, if one did."""

    market: MarketInfo
    quote: Quote | None = None
    event: EventInfo | None = None


@dataclass(frozen=True, slots=True)
class Level:
    """`size` contracts wait at `price`."""

    price: Decimal
    size: Decimal


@dataclass(frozen=True, slots=True)
class OrderBook:
    """What waits on one outcome, best level first on both sides.

    A venue that shows one pool of orders from two sides (bids only, mirrored tokens) becomes one
    book on outcome 0; the other outcome's book is its mirror and is never stored beside it.
    """

    venue: str
    ref: str
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]
    received_at: datetime
    venue_ts: datetime | None = None
    outcome: int = 0
    checksum: str = ""


@dataclass(frozen=True, slots=True)
class TradePrint:
    """A trade the venue published. `taker_side` is buy or sell of `outcome`, empty if unknown."""

    venue: str
    ref: str
    trade_id: str
    price: Decimal
    size: Decimal
    traded_at: datetime
    received_at: datetime
    taker_side: str = ""
    outcome: int = 0


@dataclass(frozen=True, slots=True)
class CandleInfo:
    """Prices over [start, start + seconds). `source` is trade (prints) or mid; None: none traded.

    `bid_close` and `ask_close` are the quotes at the end where the venue gives them.
    """

    venue: str
    ref: str
    start: datetime
    seconds: int
    received_at: datetime
    open: Decimal | None = None
    high: Decimal | None = None
    low: Decimal | None = None
    close: Decimal | None = None
    bid_close: Decimal | None = None
    ask_close: Decimal | None = None
    volume: Decimal | None = None
    source: str = "trade"
    outcome: int = 0


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of venue time in which trading is announced to be off."""

    start: datetime
    end: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class ExchangeStatus:
    """Whether the venue answers and trades now, and when it has announced that it will not."""

    venue: str
    received_at: datetime
    is_up: bool
    is_trading: bool
    resumes_at: datetime | None = None
    windows: tuple[Window, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class Refusal:
    """One item that was set aside, and why.

    `reason` is a short code (missing, retyped, unknown_enum, out_of_range, legacy_cents,
    no_condition_id, not_json, empty_body, ...); `field` the path inside the item; `sample` at most
    300 characters of what came.
    """

    venue: str
    endpoint: str
    reason: str
    ref: str = ""
    field: str = ""
    sample: str = ""


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """What one response gave: the good items, the refused ones, fields never seen before.

    `cursor` asks for the next page; `is_last` is True only when the venue itself said that there
    is nothing more. `denied` are ids that we asked for and the venue says it does not know: only
    these may be believed to be gone.
    """

    items: tuple[T, ...] = ()
    refused: tuple[Refusal, ...] = ()
    extras: frozenset[str] = frozenset()
    endpoint: str = ""
    cursor: str = ""
    is_last: bool = False
    denied: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class MarketRef:
    """What a connector needs to ask for a market that we already know."""

    ref: str
    tokens: tuple[str, ...] = ()
    series: str = ""
    event_ref: str = ""


PREFIXES = {"kalshi": "KALSHI", "polymarket": "POLY", "predictit": "PREDICTIT"}


def canonical(venue: str, ref: str) -> str:
    """The id that names a market in every table, URL and export."""
    return f"{PREFIXES.get(venue, venue.upper())}:{ref}"
