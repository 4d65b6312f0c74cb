"""Who uses the servers: one lock shared by all users, and a gate around every decision.

A lock belongs to an open file description, so the kernel drops it when its last holder dies,
however it dies. Locks are given up by closing, never by LOCK_UN, which would also take it
from a forked child that still holds the same description.
"""

import fcntl
import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from arbsite.servers.config import ServerConfig
from arbsite.servers.errors import ServerError
from arbsite.servers.secrets import make_folder

GATE_SECONDS = 180


@dataclass
class Membership:
    """This process's share in the servers."""

    config: ServerConfig
    pid: int
    lock: int
    card: int
    card_path: Path

    def release(self) -> None:
        """Give up the share (in a forked child: only its copy of it)."""
        os.close(self.lock)
        if self.pid == os.getpid():
            self.card_path.unlink(missing_ok=True)
        os.close(self.card)


def _open(path: Path) -> int:
    make_folder(path.parent)
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT, 0o600)  # never inherited by programs run
    except PermissionError:
        raise ServerError(f"{path} belongs to another user; run as the checkout's owner") from None


@contextmanager
def gate(config: ServerConfig) -> Iterator[None]:
    """Alone in starting, stopping or joining."""
    path = config.folder / "gate.lock"
    handle = _open(path)
    try:
        deadline = time.monotonic() + GATE_SECONDS
        while not _try(handle, fcntl.LOCK_EX):
            if time.monotonic() > deadline:
                raise ServerError(f"{path} has been held for {GATE_SECONDS} s by a process that "
                                  "is starting or stopping servers")
            time.sleep(0.02)
        yield
    finally:
        os.close(handle)


def _try(handle: int, kind: int) -> bool:
    try:
        fcntl.flock(handle, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def join(config: ServerConfig) -> Membership:
    """Take a share; called inside the gate."""
    lock = _open(config.folder / "users.lock")
    fcntl.flock(lock, fcntl.LOCK_SH)
    path = config.folder / "users" / f"{os.getpid()}-{time.time_ns()}.json"
    card = _open(path)
    fcntl.flock(card, fcntl.LOCK_EX)
    os.write(card, json.dumps({"pid": os.getpid(), "command": _command()}).encode())
    return Membership(config, os.getpid(), lock, card, path)


def _command() -> str:
    return " ".join([Path(sys.argv[0] or sys.executable).name, *sys.argv[1:]])[:300]


def is_free(config: ServerConfig) -> bool:
    """Whether nobody holds a share."""
    handle = _open(config.folder / "users.lock")
    try:
        return _try(handle, fcntl.LOCK_EX)
    finally:
        os.close(handle)


def users(config: ServerConfig) -> list[dict[str, Any]]:
    """`{pid, command}` of every holder; cards of the dead are removed on the way."""
    found = []
    for path in sorted((config.folder / "users").glob("*.json")):
        try:
            handle = os.open(path, os.O_RDWR)
        except FileNotFoundError:
            continue
        try:
            if _try(handle, fcntl.LOCK_SH):
                path.unlink(missing_ok=True)
            else:
                found.append(_card(handle))
        finally:
            os.close(handle)
    return found


def _card(handle: int) -> dict[str, Any]:
    try:
        return dict(json.loads(os.read(handle, 4096)))
    except ValueError:
        return {"pid": 0, "command": "joining"}
