"""Secrets made on first use and kept in 0600 files beside the data."""

import os
import tempfile
from pathlib import Path
from secrets import token_urlsafe
from typing import TYPE_CHECKING

from arbsite.servers.errors import ServerError

if TYPE_CHECKING:
    from arbsite.servers.config import ServerConfig


def secret(config: "ServerConfig", name: str, given: str = "") -> str:
    """`given` when there is one, else the secret of that name, made when missing."""
    if given:
        return given
    path = config.folder / f"{name}.secret"
    try:
        return _read(path) or _make(path)
    except OSError as problem:
        raise ServerError(
            f"{path}: {problem.strerror}; it holds a secret of this checkout "
            "and must be readable and writable by you"
        ) from None


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return ""


def _make(path: Path) -> str:
    """Link a finished file into place: of two processes racing, both return the first's."""
    make_folder(path.parent)
    handle, temporary = tempfile.mkstemp(dir=path.parent)  # 0600 from the start
    try:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(token_urlsafe(32) + "\n")
        try:
            path.hardlink_to(temporary)
        except FileExistsError:
            if not _read(path):  # left empty by a disk that was full, and not by another racer
                Path(temporary).replace(path)
    finally:
        Path(temporary).unlink(missing_ok=True)
    return _read(path)


def make_folder(path: Path) -> None:
    """Make a folder others may pass through but not list; one that exists stays as it is."""
    for folder in reversed([path, *path.parents]):
        if not folder.exists():
            try:
                folder.mkdir(mode=0o711)
            except FileExistsError:
                continue
            folder.chmod(0o711)  # whatever the umask
