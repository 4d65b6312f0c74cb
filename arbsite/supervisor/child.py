"""One supervised process: started, ended, counted."""

import logging
import os
import shutil
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

log = logging.getLogger(__name__)
HOUR_S = 3600.0
LONGEST_BACKOFF_S = 60.0
LOG_BYTES = 5_000_000


class State(StrEnum):
    """Where a child is in its life. DOWN is final: its budget is spent."""

    WAITING = "waiting"  # for its first start, or for the end of its back-off
    UP = "up"
    ENDING = "ending"
    DOWN = "down"


@dataclass(frozen=True)
class Spec:
    """What to run.

    `probe` returns what is wrong, or nothing; `stage` is the order of stopping; `needs` names the
    child that should have answered before this one starts.
    """

    name: str
    command: tuple[str, ...]
    stage: int = 0
    grace_s: float = 10.0
    probe: Callable[[], str] | None = None
    needs: str = ""
    environment: dict[str, str] = field(default_factory=dict)


class Child:
    """A process in a group of its own, its output in a log file. Times are monotonic seconds."""

    def __init__(self, spec: Spec, log_file: Path, budget: int) -> None:
        self.spec, self.log_file, self.budget = spec, log_file, budget
        self.state = State.WAITING
        self.process: subprocess.Popen[bytes] | None = None
        self.restarts: deque[float] = deque()
        self.due = self.started = self.kill_at = self.next_probe = 0.0
        self.wants_stop = False
        self.has_answered = False  # since its last start
        self.misses = 0  # probes failed in a row

    @property
    def pid(self) -> int:
        """The process id, or 0."""
        return self.process.pid if self.process else 0

    def start(self, now: float) -> None:
        """Run the command; it dies with us where the system can see to that."""
        self.log_file.parent.mkdir(parents=True, exist_ok=True)
        with self.log_file.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "arbsite.supervisor.tether", str(os.getpid())]
                + list(self.spec.command),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=os.environ | {"ARBSITE_COMPONENT": self.spec.name} | self.spec.environment,
                start_new_session=True,
            )
        self.state, self.started = State.UP, now
        self.next_probe, self.has_answered, self.misses = now, False, 0

    def end(self, now: float) -> None:
        """Ask it to end; `step` kills the whole group when it has not by its grace."""
        if self.process and self.state is State.UP:
            self.state, self.kill_at = State.ENDING, now + self.spec.grace_s
            self.process.send_signal(signal.SIGTERM)

    def stop(self, now: float) -> None:
        """End for good."""
        self.wants_stop = True
        self.end(now)

    def kill(self) -> None:
        """End the whole group at once."""
        if self.process:
            kill_group(self.process.pid)

    def step(self, now: float) -> bool:
        """Notice an end, escalate, restart when due; True when something changed."""
        if self.state is State.ENDING and now >= self.kill_at:
            self.kill()
        if self.process and self.process.poll() is not None:
            self._ended(now, self.process.returncode)
            return True
        if self.state is State.WAITING and not self.wants_stop and now >= self.due:
            self.start(now)
            return True
        return False

    def _ended(self, now: float, code: int) -> None:
        self.kill()  # what it left of its group would hold its port or its queue
        self.process = None
        if self.wants_stop:
            self.state = State.WAITING
            return
        while self.restarts and self.restarts[0] <= now - HOUR_S:
            self.restarts.popleft()
        if len(self.restarts) >= self.budget:
            self.state = State.DOWN
            log.error(
                "%s ended (%s) and stays down: it was restarted %s times within an hour; see %s",
                self.spec.name, _said(code), len(self.restarts), self.log_file,
            )  # fmt: skip
            return
        wait = min(LONGEST_BACKOFF_S, 2.0 ** len(self.restarts))
        self.restarts.append(now)
        self.state, self.due = State.WAITING, now + wait
        log.warning("%s ended (%s); again in %g s", self.spec.name, _said(code), wait)

    def rotate(self) -> None:
        """Keep one older log; the child writes on at the start of the emptied file."""
        try:
            if self.log_file.stat().st_size > LOG_BYTES:
                shutil.copyfile(self.log_file, self.log_file.with_suffix(".log.1"))
                os.truncate(self.log_file, 0)
        except FileNotFoundError:
            pass  # not started yet
        except OSError as problem:
            log.warning("%s was not rotated: %s", self.log_file, problem)


def kill_group(pid: int) -> None:
    """SIGKILL to what is left of a process group."""
    try:
        os.killpg(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        pass  # nothing is left, or only the dead that nobody has waited for


def _said(code: int) -> str:
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit {code}"
