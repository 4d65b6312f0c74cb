"""Is that process still there, and is it the one we mean?

Process ids are reused, so no signal is sent on the word of a pid file alone.
"""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

PROC = Path("/proc")


def command_of(pid: int) -> str:
    """The process's command line, or empty when it is gone or already dead."""
    if _has_proc():
        try:
            raw = (PROC / str(pid) / "cmdline").read_bytes()
        except OSError:
            return ""
        return raw.replace(b"\0", b" ").decode(errors="replace").strip()
    return next((command for _, command in _listed("-p", str(pid))), "")


def all_commands() -> Iterator[tuple[int, str]]:
    """Every process's id and command line."""
    if _has_proc():
        for folder in PROC.iterdir():
            if folder.name.isdigit():
                yield int(folder.name), command_of(int(folder.name))
        return
    yield from _listed("-ax")


def _has_proc() -> bool:
    return (PROC / "self" / "cmdline").exists()


def _listed(*which: str) -> Iterator[tuple[int, str]]:
    # -ww: without it the line is cut at the width of the terminal
    asked = ["ps", "-ww", *which, "-o", "pid=,stat=,args="]
    said = subprocess.run(asked, capture_output=True, text=True).stdout
    for line in said.splitlines():
        number, state, command = (line.split(maxsplit=2) + [""])[:3]
        if not state.startswith("Z"):  # dead, only not yet asked about by its parent
            yield int(number), command.strip()


def pid_in(path: Path) -> int:
    """The number in the first line of a pid file, or 0 for a missing or spoilt one."""
    try:
        first = path.read_text(encoding="utf-8", errors="replace").split("\n", 1)[0].strip()
    except OSError:
        return 0
    return abs(int(first)) if first.lstrip("-").isdigit() else 0


def listens(path: Path) -> bool:
    """Whether a server accepts connections on this socket; a dead one's file refuses them."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(10)
        try:
            client.connect(str(path))
        except (FileNotFoundError, ConnectionRefusedError):
            return False
        except TimeoutError:
            return True  # there, but with a full queue
    return True


def send(pid: int, number: signal.Signals) -> None:
    """Signal a process that may have ended meanwhile."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass


def wait_until(true: Callable[[], bool], seconds: float) -> bool:
    """Poll until it is true or the time is up; what it was last."""
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True
