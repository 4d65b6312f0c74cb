"""The declared shapes of Polymarket's payloads: what is needed, what is known, of which type.

A field without a default is needed. UNSET marks a field whose absence means something else than
null. Numbers are read from their text into `Decimal`, never through a float.
"""

from decimal import Decimal

from msgspec import UNSET, Raw, Struct, UnsetType, field

from markets.venues.payload import known_fields


class Wire(Struct, rename="camel"):
    """Gamma's spelling."""


class TagShape(Wire, kw_only=True):
    slug: str


class SeriesShape(Wire, kw_only=True):
    slug: str


class FeeShape(Wire, kw_only=True):
    """`feeSchedule`: the fee of one market."""

    rate: Decimal
    exponent: Decimal
    taker_only: bool
    rebate_rate: Decimal = Decimal(0)


class EventShape(Wire, kw_only=True):
    """An event as Gamma nests it inside a market: what both forms have."""

    id: str
    title: str
    slug: str = ""
    resolution_source: str | None = None
    start_date: str | None = None
    start_time: str | None = None
    end_date: str | None = None
    updated_at: str | None = None
    event_date: str | None = None
    game_id: int | str | None = None
    neg_risk: bool | None = None
    enable_neg_risk: bool | None = None
    neg_risk_augmented: bool | None = None
    neg_risk_market_id: str | None = field(default=None, name="negRiskMarketID")
    series: list[SeriesShape] | None = None
    tags: list[TagShape] | None = None


class FullEventShape(EventShape, kw_only=True):
    """An event of `/events/keyset`, with its markets still undecoded."""

    tags: list[TagShape]
    markets: list[Raw]


class MarketShape(Wire, kw_only=True):
    """A Gamma market. `outcomes`, `outcomePrices` and `clobTokenIds` are JSON inside a string."""

    condition_id: str
    question: str
    description: str
    outcomes: str
    active: bool
    closed: bool
    slug: str = ""
    archived: bool = False
    enable_order_book: bool | None = None
    accepting_orders: bool | None = None
    accepting_orders_timestamp: str | None = None
    uma_resolution_status: str | None = None
    resolution_status: str | None = None
    outcome_prices: str | None = None
    version: str | None = None
    clob_token_ids: str | None = None
    position_ids: list[str] | None = None
    order_price_min_tick_size: Decimal | None = None
    order_min_size: Decimal | None = None
    best_bid: Decimal | None = None
    best_ask: Decimal | None = None
    last_trade_price: Decimal | None = None
    volume_24hr: Decimal | None = field(default=None, name="volume24hr")
    fees_enabled: bool | UnsetType = UNSET
    fee_schedule: Raw = Raw()  # a `FeeShape`; one that does not fit costs the fee and no more
    fee_type: str | None = None
    start_date: str | None = None
    end_date: str | None = None
    closed_time: str | None = None
    updated_at: str | None = None
    event_start_time: str | None = None
    game_start_time: str | None = None
    game_id: int | str | None = None
    sports_market_type: str | None = None
    line: Decimal | None = None
    seconds_delay: int | None = None
    custom_liveness: int | None = None
    group_item_title: str | None = None
    group_item_threshold: str | None = None
    resolution_source: str | None = None
    neg_risk: bool | None = None
    neg_risk_other: bool | None = None
    neg_risk_market_id: str | None = field(default=None, name="negRiskMarketID")
    question_id: str | None = field(default=None, name="questionID")
    market_type: str | None = None
    lower_bound: str | None = None
    upper_bound: str | None = None
    category: str | None = None
    tags: list[TagShape] | None = None
    events: list[EventShape] | None = None


class EventsEnvelope(Struct):
    events: list[Raw]
    next_cursor: str | None = None


class MarketsEnvelope(Struct):
    markets: list[Raw]
    next_cursor: str | None = None


class LevelShape(Struct, gc=False):
    price: Decimal
    size: Decimal


class BookShape(Struct):
    """A CLOB book of one token; `last_trade_price` speaks of either token and is not read."""

    market: str
    asset_id: str
    bids: list[LevelShape]
    asks: list[LevelShape]
    timestamp: str
    hash: str = ""


class TradeShape(Struct):
    """A row of the Data API's `/v2/trades`."""

    condition_id: str
    token_id: str
    side: str
    price: Decimal
    size: Decimal
    timestamp: int
    transaction_hash: str
    outcome_index: int | None = None
    proxy_wallet: str | None = None


class OldTradeShape(Wire, kw_only=True):
    """A row of the retired `/trades`: bare array, camelCase, found in recordings."""

    condition_id: str
    token_id: str = field(name="asset")
    side: str
    price: Decimal
    size: Decimal
    timestamp: int
    transaction_hash: str
    outcome_index: int | None = None
    proxy_wallet: str | None = None


class Pagination(Struct):
    has_more: bool
    next_cursor: str | None = None


class DataEnvelope(Struct):
    data: list[Raw]
    pagination: Pagination


class PointShape(Struct, gc=False):
    """One price of one token at one second: `/prices-history`."""

    t: int
    p: Decimal


class HistoryEnvelope(Struct):
    history: list[PointShape]


class RefusalShape(Struct):
    """An error body of the CLOB."""

    error: str = ""
    code: str = ""
    retry_after_seconds: float | None = None


MARKET_FIELDS = known_fields(
    MarketShape,
    frozenset(
        """
        acceptingOrdersTimestamp approved automaticallyActive automaticallyResolved bestAskSize
        clearBookOnStart clobRewards comboStatus competitive createdAt creator cyom deploying
        deployingTimestamp endDateIso event_start_time event_title featured fpmmLive funded
        hasReviewedDates holdingRewardsEnabled icon id image liquidity liquidityAmm liquidityClob
        liquidityNum mailchimpTag makerBaseFee makerRebatesFeeShareBps manualActivation
        marketMakerAddress marketMetadata negRiskRequestID new oneDayPriceChange
        oneHourPriceChange oneMonthPriceChange oneWeekPriceChange oneYearPriceChange
        pagerDutyNotificationEnabled pendingDeployment ready readyForCron requiresTranslation
        resolvedBy restricted rewardsMaxSpread rewardsMinSize rfqEnabled seriesColor showGmpOutcome
        showGmpSeries spread startDateIso submitted_by takerBaseFee twitterCardImage umaBond
        umaEndDate umaResolutionStatuses umaReward updatedBy volume volume1mo volume1moAmm
        volume1moClob volume1wk volume1wkAmm volume1wkClob volume1yr volume1yrAmm volume1yrClob
        volume24hrAmm volume24hrClob volumeAmm volumeClob volumeNum
        """.split()
    ),
)
EVENT_FIELDS = known_fields(
    FullEventShape,
    frozenset(
        """
        active archived automaticallyActive automaticallyResolved closed closedTime commentCount
        competitive countryName createdAt creationDate cumulativeMarkets cyom deploying
        deployingTimestamp description elapsed electionType enableOrderBook ended estimateValue
        eventCreators eventMetadata eventWeek featured featuredOrder finishedTimestamp gmpChartMode
        icon image liquidity liquidityClob live new openInterest parentEventId pendingDeployment
        period requiresTranslation restricted score seriesSlug showAllOutcomes showMarketImages
        sortBy ticker volume volume1mo volume1wk volume1yr volume24hr
        """.split()
    ),
)
BOOK_FIELDS = known_fields(
    BookShape, frozenset({"min_order_size", "tick_size", "neg_risk", "last_trade_price"})
)
TRADE_FIELDS = known_fields(
    TradeShape,
    frozenset(
        "title slug event_slug icon outcome name pseudonym bio profile_image"
        " profile_image_optimized".split()
    ),
)
OLD_TRADE_FIELDS = known_fields(
    OldTradeShape,
    frozenset(
        "title slug eventSlug icon outcome name pseudonym bio profileImage"
        " profileImageOptimized".split()
    ),
)
