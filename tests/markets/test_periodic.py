"""Periodic tasks: alone, limited, once a day."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from arbsite import clock
from markets.locks import alone
from markets.models import JobRun
from markets.periodic import at_most_once, periodic

pytestmark = pytest.mark.django_db(transaction=True)
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
done: list[str] = []


@pytest.fixture(autouse=True)
def _noon() -> None:
    done.clear()
    clock.settle(NOON)


@periodic(queue="ingest", seconds=30)
def work(venue: str, shard: int = 0) -> dict[str, Any]:
    done.append(f"{venue} {shard}")
    return {"venue": venue}


@periodic(queue="analyze", seconds=30, daily=True)
def report() -> dict[str, Any]:
    done.append("report")
    if len(done) == 1 and done_fails:
        raise ValueError("first time")
    return {"n": len(done)}


@at_most_once(queue="trade", seconds=10)
def send() -> dict[str, Any]:
    return {}


done_fails: list[bool] = []


def test_task_declares_queue_and_limits() -> None:
    assert work.queue == "ingest"
    assert work.soft_time_limit == 30
    assert work.time_limit > 30
    assert work.acks_late
    assert work.name == f"{__name__}.work"


def test_task_that_must_not_run_twice_is_acknowledged_first() -> None:
    assert not send.acks_late
    assert not send.reject_on_worker_lost


@pytest.mark.parametrize(
    ("args", "kwargs"), [(("kalshi",), {}), ((), {"venue": "kalshi", "shard": 0})]
)
def test_same_arguments_however_given_are_the_same_task(
    args: tuple[str, ...], kwargs: dict[str, Any]
) -> None:
    with alone(f"{__name__}.work:kalshi,0") as mine:
        assert mine
        assert work(*args, **kwargs) == {"skipped": "running"}
        assert work("kalshi", 1) == {"venue": "kalshi"}
    assert done == ["kalshi 1"]
    assert work(*args, **kwargs) == {"venue": "kalshi"}


def test_daily_task_is_done_once_an_app_day() -> None:
    assert report() == {"n": 1}
    clock.settle(NOON + timedelta(minutes=1))
    assert report() == {"skipped": "done today"}
    clock.settle(NOON + timedelta(days=1))
    assert report() == {"n": 2}
    rows = JobRun.objects.order_by("app_day")
    assert [(row.job, row.app_day.day, bool(row.finished_at)) for row in rows] == [
        ("report", 20, True),
        ("report", 21, True),
    ]


def test_daily_task_that_failed_is_tried_again_an_hour_later() -> None:
    done_fails.append(True)
    try:
        with pytest.raises(ValueError, match="first time"):
            report()
        assert "failed: ValueError: first time" in JobRun.objects.get().outcome
        clock.settle(NOON + timedelta(minutes=59))
        assert report() == {"skipped": "done today"}
        clock.settle(NOON + timedelta(minutes=61))
        assert report() == {"n": 2}
        assert JobRun.objects.get().finished_at == NOON + timedelta(minutes=61)
    finally:
        done_fails.clear()
