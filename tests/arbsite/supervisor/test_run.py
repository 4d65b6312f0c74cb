"""Children come back, stay down when they must, and are gone at the end."""

import os
import signal
import time
from pathlib import Path

import pytest

from arbsite.supervisor import reports, run
from arbsite.supervisor.child import State
from tests.arbsite.supervisor.conftest import Start, is_alive, sleeper, step_until, wait_for

STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(300)"
FAMILY = (
    "import subprocess, sys, time; p = subprocess.Popen([sys.executable, '-c', "
    "'import time; time.sleep(300)']); print(p.pid, flush=True); time.sleep(300)"
)


def test_killed_child_is_back_within_its_back_off(supervise: Start) -> None:
    supervisor = supervise(sleeper("web"))
    child = supervisor.children[0]
    assert step_until(supervisor, lambda: child.pid)
    first = child.pid
    os.kill(first, signal.SIGKILL)
    killed = time.monotonic()
    assert step_until(supervisor, lambda: child.pid not in {0, first})
    assert 1.0 <= time.monotonic() - killed < 4.0


def test_back_off_doubles(supervise: Start) -> None:
    supervisor = supervise(sleeper("web", "raise SystemExit(3)"), budget=2)
    child = supervisor.children[0]
    assert step_until(supervisor, lambda: child.state is State.DOWN)
    assert child.restarts[1] - child.restarts[0] >= 1.0
    assert child.due - child.restarts[1] == pytest.approx(2.0)


def test_child_beyond_its_budget_stays_down_and_others_live(
    supervise: Start, caplog: pytest.LogCaptureFixture
) -> None:
    supervisor = supervise(sleeper("bad", "raise SystemExit(3)"), sleeper("good"), budget=1)
    bad, good = supervisor.children
    assert step_until(supervisor, lambda: bad.state is State.DOWN)
    for _ in range(5):
        supervisor.step()
    assert not bad.process
    assert good.state is State.UP
    assert is_alive(good.pid)
    supervisor.pool.shutdown(wait=True)
    alarms = [call for call in supervisor.reported if call[0] is reports.alarm]  # type: ignore[attr-defined]
    assert [call[1] for call in alarms] == ["bad"]
    assert "bad ended (exit 3) and stays down" in caplog.text


def test_restarts_older_than_an_hour_are_forgiven(supervise: Start) -> None:
    supervisor = supervise(sleeper("web", "raise SystemExit(3)"), budget=1)
    child = supervisor.children[0]
    child.restarts.append(time.monotonic() - 3601)
    assert step_until(supervisor, lambda: len(child.restarts) == 1 and child.restarts[0] > 0)
    assert child.state is not State.DOWN


def test_end_kills_what_the_child_left(supervise: Start) -> None:
    supervisor = supervise(sleeper("web", FAMILY))
    child = supervisor.children[0]
    assert step_until(supervisor, lambda: child.log_file.exists() and child.log_file.read_text())
    grandchild = int(child.log_file.read_text().split()[0])
    os.kill(child.pid, signal.SIGKILL)
    assert step_until(supervisor, lambda: not is_alive(grandchild))


def test_drain_ends_stage_by_stage_and_kills_the_stubborn(supervise: Start, tmp_path: Path) -> None:
    order = tmp_path / "order"
    noted = (
        "import signal, sys, time\n"
        "def end(*_):\n"
        "    open({path!r}, 'a').write({name!r} + ' ')\n"
        "    sys.exit()\n"
        "signal.signal(signal.SIGTERM, end)\n"
        "print('ready', flush=True)\n"
        "time.sleep(300)"
    )
    specs = [
        sleeper("sandbox", noted.format(path=str(order), name="sandbox"), stage=3),
        sleeper("beat", noted.format(path=str(order), name="beat"), stage=0),
        sleeper("web", noted.format(path=str(order), name="web"), stage=2),
        sleeper("worker", STUBBORN, stage=1, grace_s=0.5),
    ]
    supervisor = supervise(*specs)
    ready = [child for child in supervisor.children if child.spec.name != "worker"]
    assert step_until(
        supervisor,
        lambda: all(c.log_file.exists() and "ready" in c.log_file.read_text() for c in ready),
    )
    time.sleep(0.3)  # the stubborn one cannot say that it is ready
    pids = [child.pid for child in supervisor.children]
    supervisor.drain()
    assert order.read_text().split() == ["beat", "web", "sandbox"]
    assert not [pid for pid in pids if is_alive(pid)]


def test_child_that_does_not_answer_is_restarted(
    supervise: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "START_GRACE_S", 0.0)
    monkeypatch.setattr(run, "CHECK_S", 0.1)
    supervisor = supervise(sleeper("web", probe=lambda: "no answer"))
    child = supervisor.children[0]
    assert step_until(supervisor, lambda: child.pid)
    first = child.pid
    assert step_until(supervisor, lambda: child.pid not in {0, first})
    assert len(child.restarts) == 1


def test_one_failed_probe_restarts_nothing(
    supervise: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "START_GRACE_S", 0.0)
    monkeypatch.setattr(run, "CHECK_S", 0.1)
    answers = ["no answer", *[""] * 1000]
    supervisor = supervise(sleeper("web", probe=lambda: answers.pop(0)))
    child = supervisor.children[0]
    assert step_until(supervisor, lambda: len(answers) < 997)
    assert not child.restarts
    assert child.has_answered


def test_child_waits_for_the_one_it_needs(supervise: Start) -> None:
    answers = ["not yet"]
    supervisor = supervise(
        sleeper("sandbox", probe=lambda: answers[0]), sleeper("beat", needs="sandbox")
    )
    _, beat = supervisor.children
    step_until(supervisor, lambda: False, seconds=1.2)
    assert not beat.process
    answers[0] = ""
    assert step_until(supervisor, lambda: beat.process)


def test_child_starts_though_the_one_it_needs_stays_down(supervise: Start) -> None:
    supervisor = supervise(
        sleeper("sandbox", "raise SystemExit(2)"), sleeper("beat", needs="sandbox"), budget=0
    )
    assert step_until(supervisor, lambda: supervisor.children[1].process)


def test_log_is_rotated_by_size(supervise: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("arbsite.supervisor.child.LOG_BYTES", 10)
    supervisor = supervise(sleeper("web", "print('x' * 50, flush=True); input()"), budget=0)
    child = supervisor.children[0]
    assert step_until(supervisor, lambda: child.log_file.exists() and child.log_file.stat().st_size)
    child.rotate()
    assert child.log_file.stat().st_size == 0
    assert "x" * 50 in child.log_file.with_suffix(".log.1").read_text()


def test_on_change_sees_every_process_id(supervise: Start) -> None:
    seen: list[int] = []
    supervisor = supervise(sleeper("web"))
    supervisor.on_change = lambda: seen.append(supervisor.children[0].pid)
    assert step_until(supervisor, lambda: seen)
    assert wait_for(lambda: is_alive(seen[0]))


def test_app_time_is_noted_while_it_runs(supervise: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("arbsite.pinned.NOTE_S", 0.1)
    notes: list[float] = []
    supervisor = supervise(sleeper("web"))
    supervisor.on_note = lambda: notes.append(time.monotonic())
    assert step_until(supervisor, lambda: len(notes) >= 3)
