"""One supervisor a dataset; and nothing of a killed one lives on."""

import fcntl
import json
import os
import signal
import time
from pathlib import Path
from typing import Any, Self

from arbsite import clock
from arbsite.servers import processes
from arbsite.servers.errors import ServerError
from arbsite.supervisor.child import kill_group

LEFTOVER_GRACE_S = 20.0


class Holding:
    """A lock on the dataset's folder, with a card that says who holds it and what it runs."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "up.json"
        self._lock_path = folder / "up.lock"
        self._handle = -1
        self.card: dict[str, Any] = {}

    def __enter__(self) -> Self:
        self._lock_path.parent.mkdir(parents=True, exist_ok=True)
        self._handle = os.open(self._lock_path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._handle)
            raise ServerError(f"{self._lock_path.parent.name} {told(card(self.path))}") from None
        end_leftovers(card(self.path))
        since = clock.wall_now().isoformat(timespec="seconds")
        self.note(pid=os.getpid(), since=since, url="", children={})
        return self

    def __exit__(self, *_: object) -> None:
        self.path.unlink(missing_ok=True)
        os.close(self._handle)

    def note(self, **values: Any) -> None:
        """Write down what a second `up`, or the next one, has to know."""
        self.card |= values
        new = self.path.with_suffix(".new")
        new.write_text(json.dumps(self.card), encoding="utf-8")
        new.replace(self.path)


def card(path: Path) -> dict[str, Any]:
    """What was written down; nothing when there is none or it is spoilt."""
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return {}


def told(who: dict[str, Any]) -> str:
    """Who holds the dataset, for a person."""
    where = f" at {who['url']}" if who.get("url") else ""
    pid = who.get("pid", "unknown")
    return f"is already up: pid {pid}, since {who.get('since', 'just now')}{where}"


def end_leftovers(who: dict[str, Any]) -> None:
    """End the children of a supervisor that was killed; a reused process id is left alone."""
    alive = {
        int(pid): command
        for pid, command in who.get("children", {}).values()
        if is_same(int(pid), command)
    }
    for pid in alive:
        processes.send(pid, signal.SIGTERM)
    deadline = time.monotonic() + LEFTOVER_GRACE_S
    while alive and time.monotonic() < deadline:
        alive = {pid: command for pid, command in alive.items() if is_same(pid, command)}
        time.sleep(0.05)
    for pid in alive:
        kill_group(pid)


def is_same(pid: int, command: str) -> bool:
    """Whether the process is the one that was started with this command."""
    return bool(command) and processes.command_of(pid) == command
