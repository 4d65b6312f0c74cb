"""The schedule as rows, and a beat that is alone."""

import logging
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import connection
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from arbsite import beat, clock, health, schedule
from arbsite.celery import QUEUES, app
from markets.venues import VENUES

Sent = list[str]
Make = Callable[[], tuple[beat.LockedScheduler, Sent]]


@pytest.fixture
def rows(transactional_db: None) -> None:
    """The schedule's rows and nothing else; each is due as soon as it is read."""
    PeriodicTask.objects.all().delete()
    schedule.create_missing()
    PeriodicTask.objects.update(last_run_at=clock.now() - timedelta(days=2))


@pytest.fixture
def make_beat(rows: None) -> Iterator[Make]:
    """Beats that note what they would send."""
    made: list[beat.LockedScheduler] = []

    def make() -> tuple[beat.LockedScheduler, Sent]:
        sent: Sent = []
        one = beat.LockedScheduler(app=app)
        one.apply_entry = lambda entry, producer=None: sent.append(entry.name)  # type: ignore[method-assign]
        made.append(one)
        return one, sent

    yield make
    for one in made:
        one._finalize.cancel()  # it would ask for the database when all tests are over
        one.lock.release()


def ticks(one: beat.LockedScheduler, times: int = 5) -> float:
    return [one.tick() for _ in range(times)][-1]


def terminate(lock: object) -> None:
    """End the lock's connection from outside, as a restarted or failing server would."""
    own = lock._connection  # type: ignore[attr-defined]
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s)", [own.connection.info.backend_pid])


def test_beat_sends_what_is_due_and_leaves_a_heartbeat(make_beat: Make) -> None:
    one, sent = make_beat()
    ticks(one)
    assert len(sent) == 5
    assert health.is_fresh(health.latest()["beat"])


def test_second_beat_waits_and_says_so_once(
    make_beat: Make, caplog: pytest.LogCaptureFixture
) -> None:
    first, sent_first = make_beat()
    second, sent_second = make_beat()
    ticks(first)
    with caplog.at_level(logging.WARNING):
        assert ticks(second) == beat.WAIT_S
    assert sent_first
    assert not sent_second
    assert caplog.text.count("another beat holds the lock") == 1


def test_lost_lock_connection_stops_the_first_and_lets_the_second_in(make_beat: Make) -> None:
    first, sent_first = make_beat()
    second, sent_second = make_beat()
    ticks(first)
    before = len(sent_first)
    terminate(first.lock)
    ticks(second)
    assert sent_second
    assert ticks(first) == beat.WAIT_S
    assert len(sent_first) == before


def test_beat_that_lost_its_connection_goes_on_when_nobody_took_its_place(make_beat: Make) -> None:
    one, sent = make_beat()
    ticks(one, 2)
    terminate(one.lock)
    ticks(one, 2)
    assert len(sent) == 4


def test_closing_lets_the_next_beat_in(make_beat: Make) -> None:
    first, _ = make_beat()
    second, sent = make_beat()
    ticks(first)
    first.close()
    ticks(second)
    assert sent


def test_edited_row_survives_migrate_and_restart(make_beat: Make) -> None:
    fast = IntervalSchedule.objects.create(every=7, period=IntervalSchedule.SECONDS)
    edited = PeriodicTask.objects.get(name="quotes kalshi 0")
    edited.interval, edited.enabled = fast, False
    edited.save()
    PeriodicTask.objects.get(name="tracked").delete()
    call_command("migrate", verbosity=0)
    make_beat()
    row = PeriodicTask.objects.get(name="quotes kalshi 0")
    assert (row.interval.every, row.enabled) == (7, False)
    assert PeriodicTask.objects.filter(name="tracked").exists()


def test_nothing_is_scheduled_but_rows(make_beat: Make) -> None:
    assert app.conf.beat_schedule == {}
    names = set(PeriodicTask.objects.values_list("name", flat=True))
    make_beat()
    assert set(PeriodicTask.objects.values_list("name", flat=True)) == names
    assert names == {entry.name for entry in schedule.entries()}


def test_create_missing_creates_once(rows: None) -> None:
    assert schedule.create_missing() == []


def test_every_entry_names_a_task_a_queue_and_an_expiry_before_the_next() -> None:
    app.loader.import_default_modules()
    entries = list(schedule.entries())
    assert len({entry.name for entry in entries}) == len(entries)
    for entry in entries:
        assert entry.task in app.tasks, entry.name
        assert entry.queue in QUEUES
        assert schedule.expiry(entry.seconds) < max(2, entry.seconds)
    assert {e.kwargs["venue"] for e in entries if "venue" in e.kwargs} == set(VENUES)


def test_every_task_is_limited_below_the_visibility_timeout() -> None:
    from arbsite.celery import LONGEST_TASK_S, VISIBILITY_S

    app.loader.import_default_modules()
    ours = [task for name, task in app.tasks.items() if not name.startswith("celery.")]
    assert ours
    for task in ours:
        assert task.soft_time_limit <= LONGEST_TASK_S, task.name
        assert task.soft_time_limit < task.time_limit < VISIBILITY_S, task.name


@pytest.mark.parametrize(
    ("speed", "seconds", "wall"), [("1", 60, 60.0), ("60", 600, 10.0), ("60", 15, 1.0)]
)
def test_interval_is_app_time_divided_by_the_speed(
    rows: None, monkeypatch: pytest.MonkeyPatch, speed: str, seconds: int, wall: float
) -> None:
    monkeypatch.setenv("CLOCK_SPEED", speed)
    clock.restart()
    try:
        every = IntervalSchedule.objects.create(every=seconds, period=IntervalSchedule.SECONDS)
        row = PeriodicTask.objects.create(
            name="paced", task="x", interval=every, expire_seconds=schedule.expiry(seconds)
        )
        entry = beat.PacedEntry(row, app=app)
        assert entry.schedule.run_every.total_seconds() == pytest.approx(wall)
        assert entry.options["expires"] < wall
    finally:
        monkeypatch.undo()
        clock.restart()
