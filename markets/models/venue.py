"""Venues, the one category list, and the scope that chooses what gets attention."""

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models

from arbsite import clock


class Category(models.TextChoices):
    """The desk's own categories; every venue's words are mapped onto these."""

    POLITICS = "politics", "Politics"
    SPORTS = "sports", "Sports"
    CRYPTO = "crypto", "Crypto"
    ECONOMICS = "economics", "Economics"
    FINANCE = "finance", "Finance"
    WORLD = "world", "World"
    WEATHER = "weather", "Climate and weather"
    CULTURE = "culture", "Culture"
    TECH = "tech", "Science and technology"
    MENTIONS = "mentions", "Mentions"
    OTHER = "other", "Other"


class Venue(models.Model):
    """A place where markets are listed. Rows follow the registry; `is_enabled` is a person's."""

    slug = models.CharField(max_length=30, primary_key=True)
    label = models.CharField(max_length=60)
    is_enabled = models.BooleanField(default=True, help_text="Collect from this venue")
    site = models.URLField(blank=True, help_text="Where a person reads the venue")
    note = models.TextField(blank=True)
    is_up = models.BooleanField(null=True, editable=False)
    is_trading = models.BooleanField(null=True, editable=False)
    resumes_at = models.DateTimeField(null=True, editable=False)
    pauses = models.JSONField(default=list, editable=False, help_text="Announced pauses")
    status_note = models.CharField(max_length=300, blank=True, editable=False)
    status_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        ordering = ["slug"]

    def __str__(self) -> str:
        return self.label


class CategoryMap(models.Model):
    """One venue word and the category it means here; a word without a row counts as other."""

    venue = models.ForeignKey(Venue, models.CASCADE)
    venue_category = models.CharField(max_length=120)
    category = models.CharField(max_length=20, choices=Category.choices)

    class Meta:
        ordering = ["venue_id", "venue_category"]
        constraints = [
            models.UniqueConstraint(
                fields=["venue", "venue_category"], name="category_map_word_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.venue_id}: {self.venue_category} → {self.category}"


class Scope(models.Model):
    """One line of the list that collector, matcher, gate and alerts all read.

    `allow` and `deny` decide what may be tracked at all (deny wins), `watch` tracks it first,
    `mute` keeps it out of sight. A scope speaks of one dimension; what it names is `value`.
    """

    class Action(models.TextChoices):
        WATCH = "watch", "Watch"
        MUTE = "mute", "Mute"
        ALLOW = "allow", "Allow"
        DENY = "deny", "Deny"

    class Dimension(models.TextChoices):
        VENUE = "venue", "Venue"
        CATEGORY = "category", "Category"
        SERIES = "series", "Series starts with"
        MARKET = "market", "Market id"
        WORD = "word", "Words in title"
        DAYS = "days", "Days to close, at most"

    action = models.CharField(max_length=10, choices=Action.choices)
    dimension = models.CharField(max_length=10, choices=Dimension.choices)
    value = models.CharField(max_length=200)
    preset = models.CharField(max_length=40, blank=True, help_text="The preset it came with")
    note = models.CharField(max_length=200, blank=True)
    is_enabled = models.BooleanField(default=True)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, editable=False
    )
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        ordering = ["action", "dimension", "value"]
        constraints = [
            models.UniqueConstraint(fields=["action", "dimension", "value"], name="scope_line_once")
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.dimension} {self.value}"

    def clean(self) -> None:
        """Refuse a value that its dimension cannot read, wherever the line is edited."""
        from markets.scope import ScopeError, condition  # which reads this module

        if not (self.value and self.dimension in self.Dimension):
            return  # the fields themselves say so
        try:
            condition(self.dimension, self.value)
        except ScopeError as problem:
            raise ValidationError({"value": str(problem)}) from None
