"""Where a server's files go, whose they are, and as whom it runs."""

import os
import pwd
import shutil
import stat
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from arbsite.servers.binaries import Binaries
from arbsite.servers.config import LONGEST_SOCKET, ServerConfig
from arbsite.servers.errors import ServerError
from arbsite.servers.secrets import make_folder

SYSTEM_FOLDER = Path("/var/lib/arbsite")  # for root alone, where the checkout is out of reach


@dataclass(frozen=True)
class Owner:
    """The user a server runs as."""

    name: str
    uid: int
    gid: int

    def run(
        self,
        command: Sequence[str | Path],
        timeout: float = 120,
        input: str | None = None,
        stdout: int | None = None,
        stderr: int | None = None,
        capture_output: bool = False,
    ) -> "subprocess.CompletedProcess[str]":
        """Run a program as this user, in a session of its own, with a bare environment."""
        is_root = os.getuid() == 0
        return subprocess.run(
            [str(part) for part in command],
            cwd="/",
            env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "TZ": "UTC"},
            start_new_session=True,  # Ctrl-C in the terminal must not reach a server
            text=True,
            timeout=timeout,
            input=input,
            stdout=stdout,
            stderr=stderr,
            capture_output=capture_output,
            user=self.uid if is_root else None,
            group=self.gid if is_root else None,
            extra_groups=[] if is_root else None,
        )


def owner() -> Owner:
    """Ourselves; as root, which servers refuse to be, `postgres` or else `nobody`."""
    uid = os.getuid()
    if uid:
        return Owner(str(uid), uid, os.getgid())
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Owner(name, entry.pw_uid, entry.pw_gid)
    raise ServerError("running as root needs a user postgres or nobody for the servers to run as")


def prepare_socket_folder(config: ServerConfig) -> Path:
    """Make the socket folder or verify the one that is there; refuse one we cannot trust."""
    folder, who = config.socket_folder, owner()
    longest = max(len(os.fsencode(p)) for p in (config.postgresql_socket, config.redis_socket))
    if longest > LONGEST_SOCKET:
        raise ServerError(f"{folder}: socket paths of {longest} bytes are over the system's limit")
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        pass
    else:
        os.chown(folder, who.uid, who.gid)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != who.uid or found.st_mode & 0o077:
        raise ServerError(
            f"{folder} is not a private folder of {who.name}: someone else made it; "
            "remove it and try again"
        )
    return folder


def data_folder(config: ServerConfig, binaries: Binaries) -> Path:
    """The folder of this way and major version, owned by the server's user.

    Under the checkout where that user gets there (tried, not guessed), else under /var/lib.
    """
    near, far = config.folder / binaries.name, far_folder(config) / binaries.name
    who = owner()
    if _make_owned(near, who):
        return near
    try:
        near.rmdir()
    except OSError:
        raise ServerError(f"{who.name}, as whom servers run for root, can no longer reach the "
                          f"data in {near}: open the folders above it, or move it to {far}"
                          ) from None
    if not far.exists():
        _say(f"{who.name} cannot reach {config.folder}: data is kept in {far}")
    if not _make_owned(far, who):
        raise ServerError(f"{who.name} can write neither {near} nor {far}")
    return far


def far_folder(config: ServerConfig) -> Path:
    """This checkout's part of the system folder."""
    return SYSTEM_FOLDER / config.key


def _make_owned(folder: Path, who: Owner) -> bool:
    """Make the folder 0700 for its user; whether that user can write in it."""
    make_folder(folder.parent)
    if not folder.exists():
        folder.mkdir(mode=0o700)
        os.chown(folder, who.uid, who.gid)
    probe = 'cd "$0" && : > .probe && rm .probe'
    tried = who.run(["/bin/sh", "-c", probe, folder], stderr=subprocess.DEVNULL)
    return tried.returncode == 0


def reachable(config: ServerConfig, binaries: Binaries) -> Binaries:
    """The same programs where the server's user can run them: there, or a copy."""
    who = owner()
    if _runs(binaries.folder, binaries, who):
        return binaries
    target = far_folder(config) / "bin" / f"{binaries.name}-{binaries.version}"
    folder = target / _inner(binaries)
    if not _runs(folder, binaries, who) and _movable(binaries):
        _say(f"{who.name} cannot reach {binaries.folder}: a copy is kept in {target}")
        _copy(binaries, target)
    if not _runs(folder, binaries, who):
        raise ServerError(
            f"{who.name} cannot run {binaries.folder}, nor its copy in {folder}; "
            f"move the checkout to a folder that {who.name} can read"
        )
    return replace(binaries, folder=folder)


def _runs(folder: Path, binaries: Binaries, who: Owner) -> bool:
    name = "initdb" if binaries.kind == "postgresql" else "redis-server"
    try:
        quiet = subprocess.DEVNULL
        return who.run([folder / name, "--version"], stdout=quiet, stderr=quiet).returncode == 0
    except OSError:
        return False


def _inner(binaries: Binaries) -> Path:
    """Where the programs are inside a copy: as deep as in the original.

    The wheel's programs look for their libraries by a path relative to themselves.
    """
    if binaries.kind == "redis":
        return Path("bin")
    return Path(*binaries.folder.parts[-3:])


def _movable(binaries: Binaries) -> bool:
    """Whether the folder above holds this installation alone, not a whole home or /usr."""
    return binaries.kind == "redis" or (binaries.folder.parent / "share").is_dir()


def _copy(binaries: Binaries, target: Path) -> None:
    making = target.with_name(f"{target.name}.new")
    for leftover in (making, target):
        shutil.rmtree(leftover, ignore_errors=True)
    make_folder(making.parent)
    making.mkdir()
    if binaries.kind == "redis":
        (making / "bin").mkdir()
        shutil.copy2(binaries.folder / "redis-server", making / "bin")
    else:
        prefix = binaries.folder.parent
        skip = shutil.ignore_patterns("include", "pgxs", "__pycache__")
        shutil.copytree(prefix, making / _inner(binaries).parent, symlinks=True, ignore=skip)
        libraries = prefix.parent.with_name(f"{prefix.parent.name}.libs")
        if libraries.is_dir():
            shutil.copytree(libraries, making / libraries.name, symlinks=True)
    for path in [making, *making.rglob("*")]:
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
    making.rename(target)


def _say(line: str) -> None:
    print(f"arbsite: {line}", file=sys.stderr)
