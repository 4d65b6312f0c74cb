"""One private PostgreSQL: made, started, asked, stopped. It listens on a socket only."""

import os
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import psycopg

from arbsite.servers import places, processes
from arbsite.servers.binaries import Binaries
from arbsite.servers.config import PORT, ROLE, ServerConfig, connection_parameters
from arbsite.servers.errors import ServerError
from arbsite.servers.leftovers import STOP_SECONDS, clear_leftovers, interrupt
from arbsite.servers.secrets import secret

START_SECONDS = 120  # a crashed server replays its log first


def probe(config: ServerConfig) -> str:
    """The running server's version, or empty when there is none.

    One that is there but refuses us (starting for too long, all connections taken) is a
    ServerError, so that it is never taken for dead and started a second time.
    """
    deadline = time.monotonic() + START_SECONDS
    while processes.listens(config.postgresql_socket):
        try:
            with _connect(config) as connection:
                row = connection.execute("SHOW server_version").fetchone()
                return str(row[0]).split()[0] if row else ""
        except psycopg.OperationalError as problem:
            if not _passes(str(problem)) or time.monotonic() > deadline:
                raise _refused(str(problem)) from None
        time.sleep(0.05)
    return ""


def _passes(problem: str) -> bool:
    return any(word in problem for word in ("starting up", "shutting down", "Connection refused",
                                            "closed the connection", "No such file"))


def _refused(problem: str) -> ServerError:
    if "authentication failed" in problem:
        return ServerError(
            "the private PostgreSQL runs with another password (was servers.secret removed?): "
            "`manage.py servers stop --force`, then start again"
        )
    return ServerError(f"the private PostgreSQL refuses: {problem.strip().splitlines()[-1]}")


def _connect(config: ServerConfig) -> "psycopg.Connection[Any]":
    parameters = connection_parameters(config, "postgres")
    return psycopg.connect(**parameters, connect_timeout=10, autocommit=True)


def pid(config: ServerConfig) -> int:
    """The postmaster's process id, or 0; a reused id is not taken for it."""
    lock = config.postgresql_socket.with_name(f"{config.postgresql_socket.name}.lock")
    found = processes.pid_in(lock)
    return found if found and "postgres" in processes.command_of(found) else 0


def start(config: ServerConfig, binaries: Binaries, holder: Path) -> None:
    """Start a server on the holder's data, which is made first when there is none."""
    data = holder / "data"
    if not data.exists():
        _make(config, binaries, holder)
    clear_leftovers(config, data)
    _configure(config, data)
    _set_password(config, binaries, holder)
    log = holder / "log"
    for wait in (0.5, 1, 2, 4, 8, None):
        size = log.stat().st_size if log.exists() else 0
        if _launch(binaries, data, log) and probe(config):
            return
        # After a kill -9 the old server's last children take a moment to notice.
        if wait is None or "shared memory block" not in _said_since(log, size):
            break
        time.sleep(wait)
    raise ServerError(f"PostgreSQL did not start: {_last_line(_said_since(log, size))} "
                      f"(all of it in {log})")


# Not `pg_ctl start`, which pastes the folder's name into a shell command unquoted.
_DETACHED = '"$0" -D "$1" >>"$2" 2>&1 </dev/null & echo $!'


def _launch(binaries: Binaries, data: Path, log: Path) -> bool:
    """Start the program, orphaned at once; False when it ends before it listens."""
    program = binaries.folder / "postgres"
    command = ["/bin/sh", "-c", _DETACHED, str(program), str(data), str(log)]
    number = int(places.owner().run(command, stdout=subprocess.PIPE).stdout)
    pid_file = data / "postmaster.pid"

    def settled() -> bool:
        # Until the new server overwrites it, the file is the last one's.
        ready = processes.pid_in(pid_file) == number and "ready" in _status_in(pid_file)
        return ready or not processes.command_of(number)

    return processes.wait_until(settled, START_SECONDS) and bool(processes.command_of(number))


def _status_in(pid_file: Path) -> str:
    """What the server itself says in the last line of its pid file: starting, ready, stopping."""
    try:
        return pid_file.read_text(encoding="utf-8", errors="replace").strip().split("\n")[-1]
    except OSError:
        return ""


def _make(config: ServerConfig, binaries: Binaries, holder: Path) -> None:
    """`initdb` under another name, renamed when complete: a killed one leaves nothing half."""
    making, password = holder / "data.new", holder / "password"
    shutil.rmtree(making, ignore_errors=True)
    _write(password, secret(config, "servers"))
    done = places.owner().run(
        [
            binaries.folder / "initdb",
            "-D",
            making,
            "-U",
            ROLE,
            "-E",
            "UTF8",
            "--locale=C.UTF-8",
            "--auth=scram-sha-256",
            f"--pwfile={password}",
            *([] if config.durable else ["-N"]),
        ],
        capture_output=True,
    )
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise ServerError(f"initdb failed: {reason}")
    with (making / "postgresql.conf").open("a", encoding="utf-8") as file:
        file.write("include = 'arbsite.conf'\n")
    making.rename(holder / "data")


def _write(path: Path, text: str) -> None:
    """Write a file that the server's user alone may read."""
    who = places.owner()
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text + "\n")
    os.chown(path, who.uid, who.gid)


def _configure(config: ServerConfig, data: Path) -> None:
    values = {
        "listen_addresses": "''",
        "port": PORT,
        "unix_socket_directories": f"'{config.socket_folder}'",
        "unix_socket_permissions": "0700",
        "max_connections": 100,
        "shared_buffers": f"{_shared_megabytes()}MB",
        "max_wal_size": "2GB",
        "jit": "off",
        "timezone": "'UTC'",
        "log_timezone": "'UTC'",
        "fsync": "on" if config.durable else "off",
        "full_page_writes": "on" if config.durable else "off",
        "synchronous_commit": "on" if config.durable else "off",
    }
    lines = [f"{name} = {value}" for name, value in values.items()]
    _write(data / "arbsite.conf", "\n".join(lines))


def _shared_megabytes() -> int:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20
    return max(32, min(256, memory // 16))


def _set_password(config: ServerConfig, binaries: Binaries, holder: Path) -> None:
    """Give old data the current password, should the checkout's secret have been made anew."""
    kept, wanted = holder / "password", secret(config, "servers")
    if kept.exists() and kept.read_text(encoding="ascii").strip() == wanted:
        return
    done = places.owner().run(
        [binaries.folder / "postgres", "--single", "-D", holder / "data", "postgres"],
        input=f"ALTER ROLE {ROLE} PASSWORD '{wanted}'\n",
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    if done.returncode:
        raise ServerError(
            f"the password of {holder / 'data'} could not be set: "
            f"{(done.stderr.strip().splitlines() or [''])[-1]}"
        )
    _write(kept, wanted)


def stop(config: ServerConfig) -> None:
    """Fast shutdown; ServerError when it has not ended in a minute."""
    number = pid(config)
    if not number:
        return
    if not interrupt(number):
        raise ServerError(f"PostgreSQL (pid {number}) did not stop within {STOP_SECONDS} s")


def _said_since(log: Path, size: int) -> str:
    try:
        return log.read_bytes()[size:].decode(errors="replace")
    except OSError:
        return ""


def _last_line(said: str) -> str:
    """The reason among what was said: the last FATAL line, or else the last."""
    lines = said.strip().splitlines() or ["it left no reason"]
    return next((line for line in reversed(lines) if "FATAL" in line), lines[-1])
