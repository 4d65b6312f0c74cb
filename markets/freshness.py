"""How old a figure may be before it looks old, and whether it may be traded on."""

import math
from datetime import datetime

from django.conf import settings
from django.db.models import Max

from arbsite import clock
from markets.models import LatestQuote, Market
from markets.quotes import ENDED
from markets.venues import get_connector

#: Wall seconds between two runs of a job at least, however fast the app clock runs.
SHORTEST_S = 1.0


def quote_interval(venue: str) -> int:
    """Seconds between two quotes of a tracked market as planned: ours, or what the venue allows."""
    return max(settings.QUOTE_SECONDS, get_connector(venue).poll_seconds)


def quote_seconds(venue: str) -> int:
    """The same (app time) as it can be kept at the clock's speed."""
    return _kept(quote_interval(venue))


def markets_seconds() -> int:
    """Seconds (app time) between two looks at a venue's whole list, as they can be kept."""
    return _kept(settings.MARKETS_SECONDS)


def _kept(planned: int) -> int:
    return max(planned, math.ceil(SHORTEST_S * clock.speed()))


def limit_s(market: Market) -> float:
    """Seconds (app time) after which a price of this market is stale: two intervals of its tier."""
    if not market.is_tracked:
        return 2.0 * markets_seconds()
    return 2.0 * quote_seconds(market.venue_id)


def age_s(quote: LatestQuote, now: datetime) -> float:
    """Seconds since the venue last said this price; never negative."""
    return max(0.0, (now - quote.checked_at).total_seconds())


def is_stale(market: Market, quote: LatestQuote, now: datetime) -> bool:
    """An old price of a market that can still move; an ended market's price is final, not old."""
    return market.status not in ENDED and age_s(quote, now) > limit_s(market)


def may_trade(market: Market, quote: LatestQuote | None, is_old: bool) -> bool:
    """Whether a price could be acted on: of an open market, fresh and without a doubt."""
    if quote is None or is_old or quote.flags:
        return False
    return quote.is_tradable and market.is_open()


def recorded_until() -> datetime | None:
    """The moment recorded data speaks of; None for a dataset that is being collected."""
    if settings.DATASET != "recorded":
        return None
    return LatestQuote.objects.aggregate(at=Max("received_at"))["at"]
