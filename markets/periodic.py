"""Tasks as every app declares them: a queue, a time limit, and never two of the same at once.

    @periodic(queue="ingest", seconds=120)
    def sync_markets(venue: str) -> dict[str, object]: ...

How often a task runs, and when an unstarted message of it expires, is the schedule's to say.
"""

import inspect
from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import Any

from celery import Task, shared_task
from django.db import IntegrityError, transaction

from arbsite import clock
from markets.locks import alone
from markets.models import JobRun

HARD_LIMIT_MARGIN_S = 15  # what a task gets to clean up after its soft limit
RETRY_DAILY_AFTER = timedelta(hours=1)  # app time after which an unfinished claim is free again

Work = Callable[..., dict[str, Any]]


def periodic(queue: str, seconds: int, daily: bool = False) -> Callable[[Work], Task]:
    """Declare a task that runs alone: a second copy with the same arguments skips.

    `seconds` is its soft time limit (wall). A `daily` task may be sent every minute: the one
    that claims the (job, app-day) row does the work. The message is acknowledged when the work
    is done, so a lost worker's task runs again: the work must bear running twice.
    """

    def declare(work: Work) -> Task:
        signature = inspect.signature(work)

        @wraps(work)
        def run(*args: Any, **kwargs: Any) -> dict[str, Any]:
            bound = signature.bind(*args, **kwargs)
            bound.apply_defaults()
            job = f"{work.__name__}:{','.join(map(str, bound.arguments.values()))}".rstrip(":")
            with alone(f"{work.__module__}.{job}") as mine:
                if not mine:
                    return {"skipped": "running"}
                return _once_a_day(job, work, bound) if daily else work(*args, **kwargs)

        return shared_task(
            queue=queue, soft_time_limit=seconds, time_limit=seconds + HARD_LIMIT_MARGIN_S
        )(run)

    return declare


def at_most_once(queue: str, seconds: int) -> Callable[[Work], Task]:
    """Declare a task whose message is gone before its first line runs.

    For what must never happen twice, as sending an order: a lost worker loses the task, and
    whoever owns the row finds it unfinished and asks.
    """
    return shared_task(
        queue=queue,
        soft_time_limit=seconds,
        time_limit=seconds + HARD_LIMIT_MARGIN_S,
        acks_late=False,
        reject_on_worker_lost=False,
        max_retries=0,
    )


def _once_a_day(job: str, work: Work, bound: inspect.BoundArguments) -> dict[str, Any]:
    run = _claim(job)
    if run is None:
        return {"skipped": "done today"}
    try:
        result = work(*bound.args, **bound.kwargs)
    except Exception as problem:
        run.outcome = f"failed: {type(problem).__name__}: {problem}"[:2000]
        run.save(update_fields=["outcome"])
        raise
    run.finished_at, run.outcome = clock.now(), str(result)[:2000]
    run.save(update_fields=["finished_at", "outcome"])
    return result


def _claim(job: str) -> JobRun | None:
    """Today's row if it is ours to do: new, or left unfinished long enough ago."""
    now = clock.now()
    try:
        with transaction.atomic():
            return JobRun.objects.create(job=job, app_day=now.date(), claimed_at=now)
    except IntegrityError:
        pass  # claimed before: by one that finished, that works, or that died
    left = JobRun.objects.filter(
        job=job, app_day=now.date(), finished_at=None, claimed_at__lt=now - RETRY_DAILY_AFTER
    )
    if left.update(claimed_at=now) != 1:
        return None
    return JobRun.objects.get(job=job, app_day=now.date())
