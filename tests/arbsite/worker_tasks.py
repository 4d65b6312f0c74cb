"""Tasks that a worker is killed in."""

import os
import signal
import time
from pathlib import Path
from typing import Any

from arbsite import clock
from markets.models import JobRun
from markets.periodic import at_most_once, periodic


@periodic(queue="ingest", seconds=60)
def write_row(name: str, notes: str) -> dict[str, Any]:
    """A row, and on its first run time enough to be killed after writing it."""
    JobRun.objects.get_or_create(job=name, app_day=clock.now().date())
    is_first = _note(notes)
    if is_first:
        time.sleep(60)
    return {"done": name}


@periodic(queue="ingest", seconds=60)
def quick(notes: str) -> dict[str, Any]:
    """Only leaves a note."""
    _note(notes)
    return {}


@periodic(queue="ingest", seconds=60)
def deadly(notes: str) -> dict[str, Any]:
    """Kills its worker, every time."""
    _note(notes)
    os.kill(os.getpid(), signal.SIGKILL)
    return {}


@at_most_once(queue="ingest", seconds=60)
def send_order(notes: str) -> dict[str, Any]:
    """Must never run twice."""
    _note(notes)
    os.kill(os.getpid(), signal.SIGKILL)
    return {}


def _note(notes: str) -> bool:
    """One line a run, the process id in it; True for the first."""
    path = Path(notes)
    is_first = not path.exists()
    with path.open("a") as file:
        file.write(f"{os.getpid()}\n")
    return is_first
