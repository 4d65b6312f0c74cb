"""How old a figure may be before it looks old."""

from datetime import datetime

from django.conf import settings
from django.db.models import Max

from markets.models import LatestQuote, Market
from markets.quotes import ENDED
from markets.venues import get_connector


def quote_seconds(venue: str) -> int:
    """Seconds (app time) between two quotes of a tracked market: ours, or what the venue allows."""
    return max(settings.QUOTE_SECONDS, get_connector(venue).poll_seconds)


def limit_s(market: Market) -> float:
    """Seconds (app time) after which a price of this market is stale: two intervals of its tier."""
    if not market.is_tracked:
        return 2.0 * settings.MARKETS_SECONDS
    return 2.0 * quote_seconds(market.venue_id)


def age_s(quote: LatestQuote, now: datetime) -> float:
    """Seconds since the venue last said this price; never negative."""
    return max(0.0, (now - quote.checked_at).total_seconds())


def is_stale(market: Market, quote: LatestQuote, now: datetime) -> bool:
    """An old price of a market that can still move; an ended market's price is final, not old."""
    return market.status not in ENDED and age_s(quote, now) > limit_s(market)


def recorded_until() -> datetime | None:
    """The moment recorded data speaks of; None for a dataset that is being collected."""
    if settings.DATASET != "recorded":
        return None
    return LatestQuote.objects.aggregate(at=Max("received_at"))["at"]
