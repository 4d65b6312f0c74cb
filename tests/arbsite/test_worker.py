"""A real worker on real servers, killed, and its Redis killed under it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection

from arbsite import servers
from arbsite.celery import app
from arbsite.redelivery import MOST_DELIVERIES
from arbsite.servers import private_redis
from arbsite.supervisor import probes
from markets.locks import AdvisoryLock
from markets.models import Incident, JobRun
from tests.arbsite import worker_tasks
from tests.arbsite.supervisor.conftest import is_alive, wait_for


@pytest.fixture
def worker(transactional_db: None, tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """One worker of the ingest queue with one child process."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "tests.arbsite.worker_settings",
        "WORKER_DATABASE": connection.settings_dict["NAME"],
        "REMAP_SIGTERM": "SIGQUIT",
    }
    command = [sys.executable, "-m", "celery", "--app=arbsite", "worker", "--queues=ingest"]
    options = ["--concurrency=1", "--hostname=test@here", "--include=tests.arbsite.worker_tasks"]
    log = tmp_path / "worker.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command + options + ["--loglevel=INFO", "--without-gossip", "--without-mingle"],
            env=environment, stdout=output, stderr=output, start_new_session=True,
        )  # fmt: skip
    try:
        assert wait_for(lambda: not probes.worker("test@here"), 40), log.read_text()
        yield process
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        with app.connection_for_write() as broker:
            broker.default_channel.queue_purge("ingest")


def runs(notes: Path) -> list[int]:
    """The process ids of the runs so far."""
    return [int(line) for line in notes.read_text().split()] if notes.exists() else []


def test_task_of_a_killed_worker_runs_again_and_leaves_one_row(
    worker: "subprocess.Popen[bytes]", tmp_path: Path
) -> None:
    notes = tmp_path / "notes"
    worker_tasks.write_row.delay("only-once", str(notes))
    assert wait_for(lambda: runs(notes), 20)
    os.kill(runs(notes)[0], signal.SIGKILL)
    assert wait_for(lambda: len(runs(notes)) == 2, 20)
    assert JobRun.objects.filter(job="only-once").count() == 1


def test_second_copy_of_a_running_task_skips(
    worker: "subprocess.Popen[bytes]", tmp_path: Path
) -> None:
    notes = tmp_path / "notes"
    worker_tasks.write_row.delay("alone", str(notes))
    assert wait_for(lambda: runs(notes), 20)
    assert worker_tasks.write_row("alone", str(notes)) == {"skipped": "running"}
    assert worker_tasks.write_row(notes=str(notes), name="alone") == {"skipped": "running"}
    assert len(runs(notes)) == 1
    assert worker_tasks.quick(str(tmp_path / "other")) == {}


def test_order_is_not_sent_twice_by_a_lost_worker(
    worker: "subprocess.Popen[bytes]", tmp_path: Path
) -> None:
    sent, after = tmp_path / "sent", tmp_path / "after"
    worker_tasks.send_order.delay(str(sent))
    assert wait_for(lambda: runs(sent), 20)
    worker_tasks.quick.delay(str(after))
    assert wait_for(lambda: runs(after), 20)
    assert len(runs(sent)) == 1


def test_task_that_always_kills_its_worker_is_given_up_loudly(
    worker: "subprocess.Popen[bytes]", tmp_path: Path
) -> None:
    notes = tmp_path / "notes"
    worker_tasks.deadly.delay(str(notes))
    assert wait_for(lambda: Incident.objects.filter(kind="task").exists(), 60)
    time.sleep(1.5)
    assert len(runs(notes)) == MOST_DELIVERIES
    assert "deadly was given up" in Incident.objects.get(kind="task").text


def test_worker_survives_a_killed_redis(worker: "subprocess.Popen[bytes]", tmp_path: Path) -> None:
    before, after = tmp_path / "before", tmp_path / "after"
    worker_tasks.quick.delay(str(before))
    assert wait_for(lambda: runs(before), 20)
    redis_pid = private_redis.pid(settings.SERVER_CONFIG)
    os.kill(redis_pid, signal.SIGKILL)
    assert wait_for(lambda: not is_alive(redis_pid))
    servers.use(settings.SERVER_CONFIG)
    worker_tasks.quick.delay(str(after))
    assert wait_for(lambda: runs(after), 60)
    assert len(runs(before)) == len(runs(after)) == 1


def test_lock_is_free_once_its_holder_is_killed(
    worker: "subprocess.Popen[bytes]", tmp_path: Path
) -> None:
    notes = tmp_path / "notes"
    worker_tasks.write_row.delay("held", str(notes))
    assert wait_for(lambda: runs(notes), 20)
    lock = AdvisoryLock(f"{worker_tasks.__name__}.write_row:held,{notes}")
    assert not lock.acquire()
    os.killpg(worker.pid, signal.SIGKILL)
    assert wait_for(lock.acquire, 10)
    lock.release()
