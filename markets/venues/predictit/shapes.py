"""The declared shapes of PredictIt's market data."""

from decimal import Decimal

from msgspec import Raw, Struct

from markets.venues.payload import known_fields


class ContractShape(Struct, rename="camel"):
    """One contract: four prices, each null where that side is empty, and no sizes."""

    id: int
    name: str
    status: str
    best_buy_yes_cost: Decimal | None
    best_buy_no_cost: Decimal | None
    best_sell_yes_cost: Decimal | None
    best_sell_no_cost: Decimal | None
    last_trade_price: Decimal | None
    date_end: str | None = None
    short_name: str = ""
    last_close_price: Decimal | None = None
    display_order: int = 0


class MarketShape(Struct, rename="camel"):
    id: int
    name: str
    status: str
    contracts: list[Raw]
    time_stamp: str
    url: str = ""
    short_name: str = ""


class AllEnvelope(Struct):
    markets: list[Raw]


CONTRACT_FIELDS = known_fields(ContractShape, frozenset({"image"}))
MARKET_FIELDS = known_fields(MarketShape, frozenset({"image"}))
