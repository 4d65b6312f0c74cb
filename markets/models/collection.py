"""How collecting went: runs, health, incidents, gaps, breakers, claimed daily jobs."""

from django.db import models
from django.db.models import Q

from arbsite import clock
from markets.models.market import Outcome
from markets.models.venue import Venue


class CollectionRun(models.Model):
    """One run of one collecting job on one venue (and shard).

    `is_complete` says that everything asked for was seen; `lag_s` how old the venue's own time was
    when we stored it; `counts` what was written; `errors` what went wrong, in words.
    """

    venue = models.ForeignKey(Venue, models.CASCADE)
    job = models.CharField(max_length=20, help_text="markets, quotes, books, trades, ...")
    shard = models.CharField(max_length=20, blank=True)
    started_at = models.DateTimeField(default=clock.now)
    finished_at = models.DateTimeField(null=True)
    seconds = models.FloatField(null=True, help_text="Wall seconds")
    pages = models.IntegerField(default=0)
    counts = models.JSONField(default=dict)
    refused = models.IntegerField(default=0)
    is_complete = models.BooleanField(default=False)
    lag_s = models.FloatField(null=True)
    errors = models.JSONField(default=list)

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["venue", "job", "-started_at"], name="run_venue_job_time")]

    def __str__(self) -> str:
        return f"{self.venue_id} {self.job} {self.started_at:%H:%M:%S}"


class ComponentHealth(models.Model):
    """One minute of one process (and, where it speaks to one, one venue) in figures."""

    component = models.CharField(max_length=60, help_text="worker-ingest@host:123")
    venue = models.ForeignKey(Venue, models.CASCADE, null=True)
    minute = models.DateTimeField()
    figures = models.JSONField(default=dict)
    received_at = models.DateTimeField(default=clock.now)

    class Meta:
        ordering = ["-minute"]
        constraints = [
            models.UniqueConstraint(
                fields=["component", "venue", "minute"], name="health_once", nulls_distinct=False
            )
        ]
        indexes = [models.Index(fields=["minute"], name="health_minute")]

    def __str__(self) -> str:
        return f"{self.component} {self.minute:%H:%M}"


class IncidentQuerySet(models.QuerySet["Incident"]):
    def open(self) -> "IncidentQuerySet":
        """Incidents nobody has resolved."""
        return self.filter(resolved_at=None)

    def alarming(self) -> "IncidentQuerySet":
        """Open incidents that every page shows until someone acknowledges them."""
        tiers = (Incident.Tier.CRITICAL, Incident.Tier.EMERGENCY)
        return self.open().filter(tier__in=tiers, acknowledged_at=None)


class Incident(models.Model):
    """Something a person should know. One open row a fingerprint; repeats are counted on it."""

    class Tier(models.TextChoices):
        QUIET = "quiet", "Note"
        ROUTINE = "routine", "Routine"
        IMPORTANT = "important", "Important"
        CRITICAL = "critical", "Critical"
        EMERGENCY = "emergency", "Emergency"

    fingerprint = models.CharField(max_length=64)
    tier = models.CharField(max_length=10, choices=Tier.choices, default=Tier.ROUTINE)
    kind = models.CharField(max_length=40, help_text="drift, venue, process, breaker, ...")
    venue = models.ForeignKey(Venue, models.CASCADE, null=True)
    endpoint = models.CharField(max_length=200, blank=True)
    field = models.CharField(max_length=200, blank=True)
    text = models.TextField()
    sample = models.TextField(blank=True)
    count = models.IntegerField(default=1)
    first_seen = models.DateTimeField(default=clock.now)
    last_seen = models.DateTimeField(default=clock.now)
    acknowledged_at = models.DateTimeField(null=True)
    acknowledged_by = models.CharField(max_length=150, blank=True)
    resolved_at = models.DateTimeField(null=True)
    resolved_by = models.CharField(max_length=150, blank=True)

    objects = IncidentQuerySet.as_manager()

    class Meta:
        ordering = ["-last_seen"]
        constraints = [
            models.UniqueConstraint(
                fields=["fingerprint"], name="incident_open_once", condition=Q(resolved_at=None)
            )
        ]

    def __str__(self) -> str:
        return self.text[:80]


class Gap(models.Model):
    """An interval in which a series was not collected, and whether it has been repaired."""

    venue = models.ForeignKey(Venue, models.CASCADE)
    outcome = models.ForeignKey(Outcome, models.CASCADE, null=True)
    job = models.CharField(max_length=20)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField()
    reason = models.CharField(max_length=200, blank=True)
    repaired_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-started_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["venue", "outcome", "job", "started_at"],
                name="gap_once",
                nulls_distinct=False,
            )
        ]

    def __str__(self) -> str:
        return f"{self.venue_id} {self.job} {self.started_at} - {self.ended_at}"


class BreakerState(models.Model):
    """Whether a venue may be asked (data) or sent orders (trade) now. Times are wall times."""

    class State(models.TextChoices):
        CLOSED = "closed", "Closed"
        OPEN = "open", "Open"
        HALF_OPEN = "half_open", "Half open"

    venue = models.ForeignKey(Venue, models.CASCADE)
    domain = models.CharField(max_length=10, default="data")
    state = models.CharField(max_length=10, choices=State.choices, default=State.CLOSED)
    failures = models.JSONField(default=list, help_text="Wall times of recent failures")
    cooldown_s = models.FloatField(default=0)
    opened_at = models.DateTimeField(null=True)
    retry_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=300, blank=True)
    changed_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["venue", "domain"], name="breaker_once")]

    def __str__(self) -> str:
        return f"{self.venue_id} {self.domain} {self.state}"


class JobRun(models.Model):
    """A daily job's claim on an app-day: the one who inserts the row runs it."""

    job = models.CharField(max_length=60)
    app_day = models.DateField()
    claimed_at = models.DateTimeField(default=clock.now)
    finished_at = models.DateTimeField(null=True)
    outcome = models.TextField(blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["job", "app_day"], name="job_day_once")]

    def __str__(self) -> str:
        return f"{self.job} {self.app_day}"
