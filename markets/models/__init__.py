"""What the ground floor keeps."""

from markets.models.collection import (
    BreakerState,
    CollectionRun,
    ComponentHealth,
    Gap,
    Incident,
    JobRun,
)
from markets.models.market import Event, FeeSchedule, Market, MarketRevision, Outcome
from markets.models.quote import (
    BookSnapshot,
    Candle,
    LatestBook,
    LatestQuote,
    Quote,
    TradePrint,
)
from markets.models.rank import MarketRank
from markets.models.venue import Category, CategoryMap, Scope, Venue

__all__ = [
    "BookSnapshot",
    "BreakerState",
    "Candle",
    "Category",
    "CategoryMap",
    "CollectionRun",
    "ComponentHealth",
    "Event",
    "FeeSchedule",
    "Gap",
    "Incident",
    "JobRun",
    "LatestBook",
    "LatestQuote",
    "Market",
    "MarketRank",
    "MarketRevision",
    "Outcome",
    "Quote",
    "Scope",
    "TradePrint",
    "Venue",
]
