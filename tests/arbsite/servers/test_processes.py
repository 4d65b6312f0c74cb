"""What is said of processes holds on systems with and without /proc."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from arbsite.servers import processes


@pytest.fixture(params=["proc", "ps"], autouse=True)
def way(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both ways of asking."""
    if request.param == "ps":
        monkeypatch.setattr(processes, "PROC", tmp_path)


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    long = "x" * 300
    child = subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()", long],
                             stdin=subprocess.PIPE)
    yield child
    child.kill()
    child.communicate()


def test_a_running_process_has_its_whole_command_line(sleeper: subprocess.Popen[bytes]) -> None:
    assert processes.command_of(sleeper.pid).endswith("x" * 300)
    assert (sleeper.pid, processes.command_of(sleeper.pid)) in list(processes.all_commands())


def test_a_dead_process_nobody_has_asked_about_counts_as_gone(
    sleeper: subprocess.Popen[bytes],
) -> None:
    sleeper.kill()
    assert processes.wait_until(lambda: processes.command_of(sleeper.pid) == "", 5)
    os.kill(sleeper.pid, 0)  # the system itself still says it exists


def test_a_pid_nobody_has_is_gone() -> None:
    assert processes.command_of(99_999_999) == ""


@pytest.mark.parametrize(
    ("text", "pid"), [("12\nrest", 12), (" 12 ", 12), ("-12", 12), ("", 0), ("x1", 0), ("1e3", 0)]
)
def test_a_pid_file_is_read_by_its_first_line(tmp_path: Path, text: str, pid: int) -> None:
    (tmp_path / "pid").write_text(text)
    assert processes.pid_in(tmp_path / "pid") == pid
    assert processes.pid_in(tmp_path / "missing") == 0


def test_a_socket_file_without_a_server_does_not_listen(tmp_path: Path) -> None:
    path = Path(f"/tmp/arbsite-listens-{os.getpid()}")
    with socket.socket(socket.AF_UNIX) as server:
        assert not processes.listens(path)
        server.bind(str(path))
        assert not processes.listens(path)
        server.listen()
        assert processes.listens(path)
    assert not processes.listens(path)
    path.unlink()
