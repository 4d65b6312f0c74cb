"""A supervisor that is a process of its own: signals, -9, leftovers, a second one."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from arbsite.servers.config import PROJECT
from arbsite.servers.errors import ServerError
from arbsite.supervisor.holding import Holding, card
from tests.arbsite.supervisor.conftest import is_alive, wait_for

SCRIPT = """
import sys
from pathlib import Path
import django
django.setup()
from arbsite.supervisor import reports
from arbsite.supervisor.child import Spec
from arbsite.supervisor.holding import Holding
from arbsite.supervisor.run import Supervisor
reports.quietly = lambda *call: None
folder = Path(sys.argv[1])
code = "import time; time.sleep(300)"
specs = [Spec(name, (sys.executable, "-c", code + "  # " + name)) for name in ("web", "beat")]
with Holding(folder) as holding:
    supervisor = Supervisor(specs, folder / "logs", 3)
    supervisor.listen()
    def note():
        running = {c.spec.name: (c.pid, " ".join(c.spec.command)) for c in supervisor.children}
        holding.note(children=running, url="http://127.0.0.1:1")
    supervisor.on_change = note
    supervisor.run()
"""


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen([sys.executable, "-c", SCRIPT, str(tmp_path)], cwd=PROJECT)
    yield process
    process.kill()
    process.wait()
    for pid in _children(tmp_path):
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass


def _children(folder: Path) -> list[int]:
    who = card(folder / "up.json")
    return [pid for pid, _ in who.get("children", {}).values() if pid]


def _two_up(folder: Path) -> bool:
    pids = _children(folder)
    return len(pids) == 2 and all(is_alive(pid) for pid in pids)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_leaves_nothing(
    supervisor: "subprocess.Popen[bytes]", tmp_path: Path, number: signal.Signals
) -> None:
    assert wait_for(lambda: _two_up(tmp_path), 30)
    pids = _children(tmp_path)
    supervisor.send_signal(number)
    assert supervisor.wait(timeout=20) == 0
    assert not [pid for pid in pids if is_alive(pid)]
    assert not (tmp_path / "up.json").exists()


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere nothing tells a child")
def test_children_do_not_outlive_a_killed_supervisor(
    supervisor: "subprocess.Popen[bytes]", tmp_path: Path
) -> None:
    assert wait_for(lambda: _two_up(tmp_path), 30)
    time.sleep(0.5)  # past the exec of both
    pids = _children(tmp_path)
    supervisor.kill()
    assert wait_for(lambda: not [pid for pid in pids if is_alive(pid)])


def test_second_one_is_told_who_holds_the_dataset(
    supervisor: "subprocess.Popen[bytes]", tmp_path: Path
) -> None:
    assert wait_for(lambda: _two_up(tmp_path), 30)
    with pytest.raises(ServerError) as refusal, Holding(tmp_path):
        pass
    said = str(refusal.value)
    assert f"pid {supervisor.pid}" in said
    assert "since 20" in said
    assert "http://127.0.0.1:1" in said
    assert all(is_alive(pid) for pid in _children(tmp_path))


def test_leftovers_are_ended_and_strangers_are_not(tmp_path: Path) -> None:
    code = "import time; time.sleep(300)"
    left, stranger = (
        subprocess.Popen([sys.executable, "-c", code], start_new_session=True) for _ in range(2)
    )
    try:
        with Holding(tmp_path) as holding:
            pass
        with Holding(tmp_path) as holding:
            holding.note(
                children={
                    "web": (left.pid, f"{sys.executable} -c {code}"),
                    "beat": (stranger.pid, f"{sys.executable} -m celery beat"),
                }
            )
            text = holding.path.read_text()
        holding.path.write_text(text)  # as a killed one leaves it
        with Holding(tmp_path):
            assert left.wait(timeout=10) == -signal.SIGTERM
            assert stranger.poll() is None
    finally:
        for process in (left, stranger):
            process.kill()
            process.wait()


def test_stubborn_leftover_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("arbsite.supervisor.holding.LEFTOVER_GRACE_S", 0.5)
    code = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
        "print('ready', flush=True); time.sleep(300)"
    )
    left = subprocess.Popen(
        [sys.executable, "-c", code], start_new_session=True, stdout=subprocess.PIPE
    )
    try:
        assert left.stdout
        left.stdout.readline()
        (tmp_path / "up.json").write_text(
            f'{{"children": {{"web": [{left.pid}, "{sys.executable} -c {code}"]}}}}'
        )
        with Holding(tmp_path):
            assert left.wait(timeout=10) == -signal.SIGKILL
    finally:
        left.kill()
        left.wait()
        left.stdout.close()


def test_spoilt_card_is_no_obstacle(tmp_path: Path) -> None:
    (tmp_path / "up.json").write_text("{half a")
    with Holding(tmp_path) as holding:
        assert card(holding.path)["pid"] == os.getpid()
