"""One run of a collecting job: what it saw, what it stored, how it ended, what it missed."""

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from typing import Any

from django.db import Error

from arbsite import clock
from markets import drift, health
from markets.models import CollectionRun, Gap
from markets.quotes import Page, Refusal, canonical
from markets.venues.base import VenueError


class Run:
    """Counts while a job works; becomes a `CollectionRun` when it ends."""

    def __init__(self, venue: str, job: str) -> None:
        self.venue, self.job = venue, job
        self.counts: Counter[str] = Counter()
        self.errors: list[str] = []
        self.pages = self.refused = 0
        self.is_complete = False
        self.nameless = 0  # refused items that do not say which market they were
        self.refused_keys: set[str] = set()
        self.received: datetime | None = None  # when the oldest figure of this run arrived

    def see(self, page: Page[Any]) -> None:
        """Count a page and report what in it was set aside."""
        self.pages += 1
        self.refused += len(page.refused)
        self.nameless += sum(1 for refusal in page.refused if not refusal.ref)
        self.refused_keys |= {canonical(self.venue, x.ref) for x in page.refused if x.ref}
        self.is_complete = page.is_last
        drift.report(self.venue, page)

    def set_aside(self, endpoint: str, ref: str, reason: str) -> None:
        """Count one item that the database would not take, and report it."""
        refusal = Refusal(self.venue, endpoint, "unstorable", ref, sample=reason[:300])
        self.refused += 1
        self.refused_keys.add(canonical(self.venue, ref))
        drift.report(self.venue, Page(refused=(refusal,)))

    def age(self, received_at: datetime) -> None:
        """Note when a stored figure had arrived; the oldest one is the run's lag."""
        if self.received is None or received_at < self.received:
            self.received = received_at


@contextmanager
def recording(venue: str, job: str, shard: str = "", every: float | None = None) -> Iterator[Run]:
    """Run a job and leave its row, whatever happens.

    A venue that cannot be read ends the job quietly with the error on its row; any other error is
    recorded and goes on up. `every` is the job's interval in app seconds: a run that succeeds
    after a silence of more than three of them leaves a `Gap`.
    """
    run, started, wall = Run(venue, job), clock.now(), time.monotonic()
    row = CollectionRun.objects.create(venue_id=venue, job=job, shard=shard, started_at=started)
    try:
        yield run
    except VenueError as problem:
        run.errors.append(str(problem)[:500])
        run.is_complete = False
    except Exception as problem:
        run.errors.append(f"{type(problem).__name__}: {problem}"[:500])
        run.is_complete = False
        with suppress(Error):  # if the database went away there is nothing to write the row to
            _finish(row, run, wall)
        raise
    _finish(row, run, wall)
    if every and not run.errors:
        _note_gap(row, timedelta(seconds=every))
    health.flush(venue)


def _finish(row: CollectionRun, run: Run, wall: float) -> None:
    now = clock.now()
    row.finished_at, row.seconds = now, round(time.monotonic() - wall, 3)
    row.pages, row.counts, row.refused = run.pages, dict(run.counts), run.refused
    row.is_complete, row.errors = run.is_complete, run.errors
    row.lag_s = (now - run.received).total_seconds() if run.received else None
    row.save()


def _note_gap(row: CollectionRun, every: timedelta) -> None:
    before = (
        CollectionRun.objects.filter(venue=row.venue_id, job=row.job, shard=row.shard, errors=[])
        .exclude(finished_at=None)
        .filter(id__lt=row.pk)
        .order_by("-id")
        .values_list("finished_at", flat=True)
        .first()
    )
    if before is None or row.started_at - before <= 3 * every:
        return
    reason = (
        CollectionRun.objects.filter(venue=row.venue_id, job=row.job, started_at__gte=before)
        .exclude(errors=[])
        .values_list("errors", flat=True)
        .first()
    )
    Gap.objects.get_or_create(
        venue_id=row.venue_id,
        outcome=None,
        job=row.job,
        started_at=before,
        defaults={
            "ended_at": row.started_at,
            "reason": (reason[0] if reason else "no run was made")[:200],
        },
    )
