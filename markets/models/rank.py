"""The narrow row of each market that lists are filtered, sorted and counted by."""

from datetime import datetime, timedelta

from django.db import models
from django.db.models import F, OrderBy

from markets.models.market import STATUSES, Market
from markets.models.quote import price, size
from markets.models.venue import Category, Venue
from markets.quotes import ENDED

#: What a list may be ordered by: name -> (column, whether the largest comes first).
ORDERS = {
    "volume": ("volume_24h", True),
    "-volume": ("volume_24h", False),
    "closing": ("close_time", False),
    "-closing": ("close_time", True),
    "spread": ("spread", False),
    "-spread": ("spread", True),
    "price": ("mid", True),
    "-price": ("mid", False),
    "newest": ("market", True),
    "-newest": ("market", False),
}


class MarketRankQuerySet(models.QuerySet["MarketRank"]):
    """Selections of a list page; each takes what a person typed and may be empty."""

    def state(self, word: str) -> "MarketRankQuerySet":
        """`live`: not ended; a status: that one; empty: every market."""
        if word == "live":
            return self.exclude(status__in=ENDED)
        return self.filter(status=word) if word else self

    def closing_within(self, hours: int | None, now: datetime) -> "MarketRankQuerySet":
        """Markets that close after `now`, but no later than `hours` from it."""
        if hours is None:
            return self
        return self.filter(close_time__gt=now, close_time__lte=now + timedelta(hours=hours))

    def sorted_by(self, name: str) -> "MarketRankQuerySet":
        """In one of ORDERS; a market without the figure comes last, ties by age of the row."""
        column, is_descending = ORDERS[name]
        if column == "market":
            return self.order_by("-market_id" if is_descending else "market_id")
        return self.order_by(
            OrderBy(F(column), descending=is_descending, nulls_last=True), "market_id"
        )


class MarketRank(models.Model):
    """A copy, at most a minute old, of the few columns that lists select and sort by.

    `LatestQuote` must not be indexed on columns that change, and `Market` is wide: reading 280,000
    of either for one page of fifty is slow. Pages choose by this row and show the figures
    themselves from their source. `markets.ranks` keeps it.
    """

    market = models.OneToOneField(Market, models.CASCADE, primary_key=True, related_name="rank")
    venue = models.ForeignKey(Venue, models.CASCADE, db_index=False)
    category = models.CharField(max_length=20, choices=Category.choices)
    status = models.CharField(max_length=12, choices=STATUSES)
    is_tracked = models.BooleanField()
    close_time = models.DateTimeField(null=True)
    volume_24h = size(null=True)
    mid = price(null=True)
    spread = price(null=True)

    objects = MarketRankQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(
                OrderBy(F("volume_24h"), descending=True, nulls_last=True),
                "market",
                name="rank_volume",
            ),
            models.Index("close_time", "market", name="rank_close"),
            models.Index("spread", "market", name="rank_spread"),
            models.Index(
                OrderBy(F("mid"), descending=True, nulls_last=True), "market", name="rank_price"
            ),
            models.Index("category", "status", name="rank_category"),
        ]

    def __str__(self) -> str:
        return f"rank of {self.market_id}"
