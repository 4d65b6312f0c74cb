"""The loop that keeps children alive and, at the end, lets them go in order."""

import logging
import signal
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import groupby
from pathlib import Path

from arbsite import pinned
from arbsite.supervisor import reports
from arbsite.supervisor.child import Child, Spec, State

log = logging.getLogger(__name__)
TICK_S = 0.2
CHECK_S = 30.0
MINUTE_S = 60.0
START_GRACE_S = 60.0  # in which a child is asked often, and may fail to answer
EAGER_S = 0.5
MISSES = 2


class Supervisor:
    """Children by name. Everything that could block (network, database) runs in `pool`."""

    def __init__(self, specs: Iterable[Spec], logs: Path, budget: int, deadman: str = "") -> None:
        self.children = [Child(spec, logs / f"{spec.name}.log", budget) for spec in specs]
        self.deadman = deadman
        self.stopping = threading.Event()
        self.impatient = False
        self.on_change: Callable[[], None] = lambda: None
        self.on_note: Callable[[], None] = lambda: None  # every few seconds
        self.on_answer: Callable[[Child], None] = lambda child: None
        self.pool = ThreadPoolExecutor(max_workers=8, thread_name_prefix="supervisor")
        self._probes: dict[str, Future[str]] = {}
        self._next_minute = self._next_note = 0.0

    def listen(self) -> None:
        """SIGTERM and SIGINT drain; the second one does not wait any more."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)

    def _on_signal(self, number: int, frame: object) -> None:
        self.impatient = self.stopping.is_set()
        self.stopping.set()

    def run(self) -> None:
        """Until told to stop."""
        try:
            while not self.stopping.is_set():
                self.step()
                self.stopping.wait(TICK_S)
        finally:
            self.drain()

    def step(self) -> None:
        """One look at everything."""
        now = time.monotonic()
        for child in self.children:
            if self._may_start(child, now) and child.step(now):
                self._changed(child)
            self._judge(child, now)
            self._ask(child, now)
        if now >= self._next_note:
            self._next_note = now + pinned.NOTE_S
            self.on_note()
        if now >= self._next_minute:
            self._next_minute = now + MINUTE_S
            self._minute()

    def _may_start(self, child: Child, now: float) -> bool:
        """Whether what it needs has answered, or has had its time to (one never stops others)."""
        if child.state is not State.WAITING or child.started:
            return True
        needed = next((one for one in self.children if one.spec.name == child.spec.needs), None)
        return (
            needed is None
            or needed.has_answered
            or needed.state is State.DOWN
            or bool(needed.started and now - needed.started > START_GRACE_S)
        )

    def _changed(self, child: Child) -> None:
        self.on_change()
        if child.state is State.DOWN:
            text = (
                f"{child.spec.name} stays down: it ended {len(child.restarts) + 1} times within "
                f"an hour. See {child.log_file}; restart arbsite when it is cured."
            )
            self.pool.submit(reports.quietly, reports.alarm, child.spec.name, text)
        self._tell()

    def _tell(self) -> None:
        self.pool.submit(reports.quietly, reports.write_rows, self.figures())

    def figures(self) -> dict[str, dict[str, object]]:
        """State, process id and restarts of the last hour, by name."""
        return {
            child.spec.name: {
                "state": str(child.state),
                "pid": child.pid,
                "restarts": len(child.restarts),
            }
            for child in self.children
        }

    def _ask(self, child: Child, now: float) -> None:
        name, probe = child.spec.name, child.spec.probe
        if not probe or child.state is not State.UP or name in self._probes:
            return
        if now < child.next_probe:
            return
        eager = not child.has_answered and now - child.started < START_GRACE_S
        child.next_probe = now + (EAGER_S if eager else CHECK_S)
        self._probes[name] = self.pool.submit(probe)

    def _judge(self, child: Child, now: float) -> None:
        """Two failed probes in a row end a child; it comes back as if it had died."""
        answer = self._probes.get(child.spec.name)
        if answer is None or not answer.done():
            return
        del self._probes[child.spec.name]
        wrong = str(answer.exception() or answer.result())
        if not wrong:
            child.misses = 0
            if not child.has_answered:
                child.has_answered = True
                self.on_answer(child)
        elif child.state is State.UP and now - child.started >= START_GRACE_S:
            child.misses += 1
            log.warning("%s: %s", child.spec.name, wrong)
            if child.misses >= MISSES:
                child.end(now)

    def _minute(self) -> None:
        for child in self.children:
            child.rotate()
        self._tell()
        if self.deadman and self.is_well():
            self.pool.submit(reports.ping_deadman, self.deadman)

    def is_well(self) -> bool:
        """Every child is up and none has just failed a probe."""
        return all(child.state is State.UP and not child.misses for child in self.children)

    def drain(self) -> None:
        """End stage by stage; what does not end within its grace is killed with its group."""
        ordered = sorted(self.children, key=lambda child: child.spec.stage)
        for _, stage in groupby(ordered, key=lambda child: child.spec.stage):
            self._drain_stage(list(stage))
        self.pool.shutdown(wait=True, cancel_futures=True)

    def _drain_stage(self, stage: list[Child]) -> None:
        for child in stage:
            child.stop(time.monotonic())
        while any(child.process for child in stage):
            for child in stage:
                if self.impatient:
                    child.kill()
                child.step(time.monotonic())
            time.sleep(0.05)
