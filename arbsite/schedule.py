"""Everything that happens periodically, as data; and how it becomes rows that a person may edit.

Seconds are app time: beat divides them by CLOCK_SPEED when it reads a row. After each migrate
the rows that are missing by name are created; one that exists belongs to whoever edits it.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.db import connection
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from arbsite import clock
from arbsite.celery import QUEUES, app
from markets.freshness import quote_interval
from markets.venues import VENUES, get_connector
from markets.venues.base import Books, Events, Fees, History, StatusReports, Trades

MINUTE, HOUR = 60, 3600
SHARDS = 2  # of the tracked markets, by a hash of the market, so that workers share a venue


@dataclass(frozen=True)
class Entry:
    """One periodic task. `at_start`: also once as soon as the workers are up."""

    name: str
    task: str
    seconds: int
    queue: str
    kwargs: dict[str, object] = field(default_factory=dict)
    at_start: bool = False


def entries() -> Iterator[Entry]:
    """The whole schedule; those `at_start` in the order in which they are to run."""
    for venue in VENUES:
        yield from _venue_entries(venue)
    yield Entry("tracked", "markets.tasks.choose_tracked", MINUTE // 2, "ingest", at_start=True)
    yield Entry("health", "markets.tasks.record_health", MINUTE, "analyze", at_start=True)
    # Daily jobs are minute ticks; the one that claims the app-day does the work.
    yield Entry("partitions", "markets.tasks.make_partitions", MINUTE, "analyze", at_start=True)
    for queue in QUEUES:
        yield Entry(
            f"heartbeat {queue}",
            "arbsite.tasks.heartbeat",
            MINUTE,
            queue,
            {"queue": queue},
            at_start=True,
        )


def _venue_entries(venue: str) -> Iterator[Entry]:
    def entry(job: str, task: str, seconds: int, at_start: bool = False, **kwargs: Any) -> Entry:
        name = f"{job} {venue}" + "".join(f" {value}" for value in list(kwargs.values())[:1])
        return Entry(
            name, f"markets.tasks.{task}", seconds, "ingest", {"venue": venue} | kwargs, at_start
        )

    connector = get_connector(venue)
    yield entry("markets", "sync_markets", settings.MARKETS_SECONDS, at_start=True)
    if isinstance(connector, StatusReports):
        yield entry("status", "check_venue", MINUTE, at_start=True)
    if isinstance(connector, Events):
        yield entry("events", "sync_events", HOUR, at_start=True)
    if isinstance(connector, Fees):
        yield entry("fees", "sync_fees", HOUR, at_start=True)
    is_one_call = connector.poll_seconds > 0  # everything comes at once: nothing to share out
    if not is_one_call:
        yield entry("discovery", "discover", 5 * MINUTE)
    shards = 1 if is_one_call else SHARDS
    for shard in range(shards):
        split: dict[str, Any] = {"shard": shard, "shards": shards}
        yield entry("quotes", "refresh_quotes", quote_interval(venue), **split)
        if isinstance(connector, Books):
            yield entry("books", "refresh_books", MINUTE, **split)
    if isinstance(connector, Trades):
        yield entry("trades", "refresh_trades", MINUTE)
    if isinstance(connector, History):
        yield entry("candles", "refresh_candles", MINUTE)


def create_missing() -> list[str]:
    """Create the rows whose names are absent, and return these names."""
    if PeriodicTask._meta.db_table not in connection.introspection.table_names():
        return []  # a migrate that stopped short of this app
    present = set(PeriodicTask.objects.values_list("name", flat=True))
    missing = [entry for entry in entries() if entry.name not in present]
    for entry in missing:
        PeriodicTask.objects.create(
            name=entry.name,
            task=entry.task,
            interval=_interval(entry.seconds),
            queue=entry.queue,
            kwargs=json.dumps(entry.kwargs),
            expire_seconds=expiry(entry.seconds),
        )
    return [entry.name for entry in missing]


def send_first() -> None:
    """Send what is not to wait for its first turn, in order."""
    for entry in entries():
        if entry.at_start:
            app.send_task(
                entry.task,
                kwargs=entry.kwargs,
                queue=entry.queue,
                expires=max(MINUTE, clock.wall_seconds(entry.seconds)),
            )


def expiry(seconds: int) -> int:
    """When an unstarted message is worth nothing: before the next one comes."""
    return max(1, seconds * 9 // 10)


def _interval(seconds: int) -> IntervalSchedule:
    every = {"every": seconds, "period": IntervalSchedule.SECONDS}
    # Not get_or_create: the table has no unique key, and two equal rows would break it.
    return IntervalSchedule.objects.filter(**every).first() or IntervalSchedule.objects.create(
        **every
    )
