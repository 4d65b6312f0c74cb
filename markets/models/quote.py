"""Prices: what was quoted, what is quoted now, books, trades, candles."""

from typing import Any

from django.db import models

from markets.models.market import Outcome


def price(**options: Any) -> "models.DecimalField[Any, Any]":
    """A column for a price: up to six decimals, as fine as any venue quotes."""
    return models.DecimalField(max_digits=12, decimal_places=6, **options)


def size(**options: Any) -> "models.DecimalField[Any, Any]":
    """A column for a number of contracts."""
    return models.DecimalField(max_digits=20, decimal_places=6, **options)


class Quote(models.Model):
    """A change of an outcome's top of book. Append-only, one partition a UTC day of received_at.

    The table is made by migration: partitioned, no foreign key, `id` a key for Django only.
    """

    outcome_id = models.BigIntegerField()
    bid = price(null=True)
    ask = price(null=True)
    bid_size = size(null=True)
    ask_size = size(null=True)
    last = price(null=True)
    flags = models.CharField(max_length=120, blank=True)
    venue_ts = models.DateTimeField(null=True)
    received_at = models.DateTimeField()

    class Meta:
        managed = False

    def __str__(self) -> str:
        return f"{self.outcome_id} {self.bid}/{self.ask}"


class LatestQuote(models.Model):
    """The newest top of book of an outcome, and when it was last confirmed.

    `received_at` is when these prices came, `checked_at` when the venue last repeated them.
    `flags` holds every reason why the price cannot be trusted, separated by spaces; only a row
    without one is `is_tradable`. No column that changes is indexed, so that updates stay in place.
    """

    outcome = models.OneToOneField(
        Outcome, models.CASCADE, primary_key=True, related_name="latest", db_constraint=False
    )
    bid = price(null=True)
    ask = price(null=True)
    bid_size = size(null=True)
    ask_size = size(null=True)
    last = price(null=True)
    volume_24h = size(null=True)
    open_interest = size(null=True)
    flags = models.CharField(max_length=120, blank=True)
    is_tradable = models.BooleanField(default=False)
    venue_ts = models.DateTimeField(null=True)
    received_at = models.DateTimeField()
    checked_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.outcome_id} {self.bid}/{self.ask}"


class LatestBook(models.Model):
    """The newest full book of an outcome: [[price, size], ...] as strings, best level first."""

    outcome = models.OneToOneField(
        Outcome, models.CASCADE, primary_key=True, related_name="book", db_constraint=False
    )
    bids = models.JSONField(default=list)
    asks = models.JSONField(default=list)
    flags = models.CharField(max_length=120, blank=True)
    checksum = models.CharField(max_length=100, blank=True)
    venue_ts = models.DateTimeField(null=True)
    received_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"book of {self.outcome_id}"


class BookSnapshot(models.Model):
    """A book as it stood, kept each minute for tracked outcomes. Partitioned like Quote."""

    outcome_id = models.BigIntegerField()
    bids = models.JSONField(default=list)
    asks = models.JSONField(default=list)
    flags = models.CharField(max_length=120, blank=True)
    venue_ts = models.DateTimeField(null=True)
    received_at = models.DateTimeField()

    class Meta:
        managed = False

    def __str__(self) -> str:
        return f"book of {self.outcome_id} at {self.received_at}"


class TradePrint(models.Model):
    """A trade the venue published; `taker_side` is buy or sell of the outcome, or empty."""

    outcome = models.ForeignKey(Outcome, models.CASCADE, db_index=False, db_constraint=False)
    trade_id = models.CharField(max_length=200)
    price = price()
    size = size()
    taker_side = models.CharField(max_length=4, blank=True)
    traded_at = models.DateTimeField()
    received_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["outcome", "trade_id"], name="trade_once")]
        indexes = [models.Index(fields=["outcome", "traded_at"], name="trade_outcome_time")]

    def __str__(self) -> str:
        return f"{self.outcome_id} {self.size}@{self.price}"


class Candle(models.Model):
    """Prices over [start, start + seconds). No row for an empty period: readers fill gaps."""

    outcome = models.ForeignKey(Outcome, models.CASCADE, db_index=False, db_constraint=False)
    seconds = models.IntegerField()
    start = models.DateTimeField()
    source = models.CharField(max_length=10, help_text="trade, mid or venue")
    open = price(null=True)
    high = price(null=True)
    low = price(null=True)
    close = price(null=True)
    bid_close = price(null=True)
    ask_close = price(null=True)
    volume = size(null=True)
    received_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["outcome", "seconds", "start", "source"], name="candle_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.outcome_id} {self.start} {self.seconds}s"
