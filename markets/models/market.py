"""Events, markets, their sides, their dated changes, and the fees that apply to them."""

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchQuery, SearchVector, SearchVectorField
from django.db import models
from django.db.models import GeneratedField

from arbsite import clock
from markets.models.venue import Category, Venue
from markets.quotes import ENDED, Status

STATUSES = [(status.value, status.value) for status in Status]


class Event(models.Model):
    """A group of markets about one happening, as its venue groups them.

    `exclusive`: at most one YES; `exhaustive`: at least one; null: nobody has said.
    """

    venue = models.ForeignKey(Venue, models.PROTECT, db_index=False)
    key = models.CharField(max_length=300, help_text="KALSHI:EVENT, POLY:id")
    ref = models.CharField(max_length=280)
    title = models.TextField()
    subtitle = models.TextField(blank=True)
    category = models.CharField(max_length=20, choices=Category.choices, default=Category.OTHER)
    venue_category = models.CharField(max_length=120, blank=True)
    series = models.CharField(max_length=200, blank=True)
    exclusive = models.BooleanField(null=True)
    exhaustive = models.BooleanField(null=True)
    close_time = models.DateTimeField(null=True)
    url = models.TextField(blank=True)
    sources = models.JSONField(default=list)
    tags = models.JSONField(default=list)
    facts = models.JSONField(default=dict)
    content_hash = models.CharField(max_length=32)
    venue_ts = models.DateTimeField(null=True)
    received_at = models.DateTimeField()
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        # A constraint, not unique=True: that would add a second index for LIKE.
        constraints = [models.UniqueConstraint(fields=["key"], name="event_key_once")]

    def __str__(self) -> str:
        return self.key


class MarketQuerySet(models.QuerySet["Market"]):
    def matching(self, words: str) -> "MarketQuerySet":
        """Markets whose title, subtitle or id hold all the words (websearch syntax)."""
        return self.filter(search=SearchQuery(words, config="simple", search_type="websearch"))

    def live(self) -> "MarketQuerySet":
        """Markets that can still move."""
        return self.exclude(status__in=ENDED)


class Market(models.Model):
    """One tradable question. `key` is its canonical id everywhere.

    Links that only our own ordered writes fill carry no database constraint: checking them row by
    row cost a quarter of a universe's first load.

    `is_tracked` says that it gets fast quotes and books; `settlement_value` is what outcome 0
    paid. `rules` is venue text: shown escaped, never executed.
    """

    venue = models.ForeignKey(Venue, models.PROTECT, db_index=False, db_constraint=False)
    event = models.ForeignKey(Event, models.SET_NULL, null=True)
    key = models.CharField(max_length=300)
    ref = models.CharField(max_length=280)
    title = models.TextField()
    subtitle = models.TextField(blank=True)
    rules = models.TextField(blank=True)
    rules_hash = models.CharField(max_length=32, blank=True)
    status = models.CharField(max_length=12, choices=STATUSES)
    venue_status = models.CharField(max_length=60, blank=True)
    kind = models.CharField(max_length=12, default="binary")
    result = models.CharField(max_length=200, blank=True)
    settlement_value = models.DecimalField(max_digits=12, decimal_places=6, null=True)
    price_ranges = models.JSONField(default=list)
    size_step = models.DecimalField(max_digits=12, decimal_places=6)
    min_size = models.DecimalField(max_digits=12, decimal_places=6)
    open_time = models.DateTimeField(null=True)
    close_time = models.DateTimeField(null=True)
    expected_time = models.DateTimeField(null=True)
    category = models.CharField(max_length=20, choices=Category.choices, default=Category.OTHER)
    venue_category = models.CharField(max_length=120, blank=True)
    series = models.CharField(max_length=200, blank=True)
    url = models.TextField(blank=True)
    facts = models.JSONField(default=dict)
    content_hash = models.CharField(max_length=32)
    is_tracked = models.BooleanField(default=False)
    venue_ts = models.DateTimeField(null=True)
    received_at = models.DateTimeField()
    created_at = models.DateTimeField(default=clock.now)
    search = GeneratedField(
        expression=SearchVector("key", "title", "subtitle", config="simple"),
        output_field=SearchVectorField(),
        db_persist=True,
    )

    objects = MarketQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["key"], name="market_key_once")]
        indexes = [
            GinIndex("search", name="market_search"),
            models.Index(fields=["venue", "status"], name="market_venue_status"),
            models.Index(
                fields=["venue"], name="market_tracked", condition=models.Q(is_tracked=True)
            ),
        ]

    def __str__(self) -> str:
        return self.key

    def is_open(self) -> bool:
        """Trading is possible at the venue, as far as we were told."""
        return self.status == Status.OPEN


class Outcome(models.Model):
    """One side of a market; outcome 0 is the one that is quoted, the other is its complement."""

    market = models.ForeignKey(
        Market, models.CASCADE, db_index=False, db_constraint=False, related_name="outcomes"
    )
    index = models.SmallIntegerField()
    label = models.CharField(max_length=300)
    token = models.CharField(max_length=100, blank=True, help_text="The venue's id of this side")

    class Meta:
        ordering = ["market_id", "index"]
        constraints = [
            models.UniqueConstraint(fields=["market", "index"], name="outcome_index_once")
        ]

    def __str__(self) -> str:
        return self.label


class MarketRevision(models.Model):
    """A dated change of what a market is: rules, times, ticks, status, category, title, fees."""

    market = models.ForeignKey(Market, models.CASCADE, related_name="revisions")
    field = models.CharField(max_length=30)
    old = models.TextField(blank=True)
    new = models.TextField(blank=True)
    venue_ts = models.DateTimeField(null=True)
    received_at = models.DateTimeField()

    class Meta:
        ordering = ["-received_at", "-id"]

    def __str__(self) -> str:
        return f"{self.market_id} {self.field}"


class FeeSchedule(models.Model):
    """Fee values of one scope from a date on. The newest row not after a time is in force then.

    `scope` venue < series < event < market: the narrowest that has a row wins. `formula` names a
    function of `markets/calc/fees.py`; `values` are its parameters as decimal strings.
    """

    class Scope(models.TextChoices):
        VENUE = "venue", "Venue"
        SERIES = "series", "Series"
        EVENT = "event", "Event"
        MARKET = "market", "Market"

    venue = models.ForeignKey(Venue, models.PROTECT, db_index=False)
    scope = models.CharField(max_length=10, choices=Scope.choices)
    scope_ref = models.CharField(max_length=280, blank=True)
    formula = models.CharField(max_length=40)
    values = models.JSONField(default=dict)
    effective_from = models.DateTimeField()
    source = models.CharField(max_length=20, default="venue", help_text="venue or admin")
    received_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["venue", "scope", "scope_ref", "effective_from"], name="fee_schedule_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.venue_id} {self.scope} {self.scope_ref} from {self.effective_from:%Y-%m-%d}"
