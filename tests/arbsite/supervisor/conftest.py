"""Small children in place of web and workers; every test ends what it started."""

import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from arbsite.supervisor import reports
from arbsite.supervisor.child import Spec
from arbsite.supervisor.run import Supervisor

SLEEP = "import time; time.sleep(300)"


def sleeper(name: str, code: str = SLEEP, **options: Any) -> Spec:
    """A child that runs a line of Python."""
    return Spec(name, (sys.executable, "-c", code), **options)


def is_alive(pid: int) -> bool:
    """Whether the process runs (a zombie does not)."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def wait_for(true: Callable[[], object], seconds: float = 15.0) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if true():
            return True
        time.sleep(0.02)
    return bool(true())


Start = Callable[..., Supervisor]


@pytest.fixture
def supervise(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Start]:
    """Supervisors that are stepped by the test; what they would report is kept in `.reported`."""
    running: list[Supervisor] = []
    reported: list[tuple[Any, ...]] = []
    monkeypatch.setattr(reports, "quietly", lambda *call: reported.append(call))

    def start(*specs: Spec, budget: int = 3, deadman: str = "") -> Supervisor:
        supervisor = Supervisor(specs, tmp_path / "logs", budget, deadman)
        supervisor.reported = reported  # type: ignore[attr-defined]
        running.append(supervisor)
        return supervisor

    yield start
    for supervisor in running:
        supervisor.impatient = True
        supervisor.drain()


def step_until(supervisor: Supervisor, true: Callable[[], object], seconds: float = 15.0) -> bool:
    """Let the supervisor work until it is true or the time is up."""

    def look() -> object:
        supervisor.step()
        return true()

    return wait_for(look, seconds)
