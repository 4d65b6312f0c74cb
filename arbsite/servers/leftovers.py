"""What a killed PostgreSQL leaves behind, made harmless before the next start."""

import signal
from pathlib import Path

from arbsite.servers import processes
from arbsite.servers.config import ServerConfig
from arbsite.servers.errors import ServerError

STOP_SECONDS = 60
NOBODYS_PID = b"99999999"  # above any system's limit


def clear_leftovers(config: ServerConfig, data: Path) -> None:
    """Remove what a killed server left, once it is certain that none runs on this data."""
    running = _postmaster_on(data)
    if running:  # alive, but its socket is gone: nobody can reach it any more
        if not interrupt(running):
            raise ServerError(f"PostgreSQL (pid {running}) holds {data} but cannot be reached")
    _disown(data / "postmaster.pid")
    socket = config.postgresql_socket
    for leftover in (socket, socket.with_name(f"{socket.name}.lock")):
        leftover.unlink(missing_ok=True)


def _disown(pid_file: Path) -> None:
    """Make PostgreSQL see that the file's process is gone.

    It cannot itself where the file is spoilt, or where the number is now that of another
    process of its user or of a zombie. The rest of the file stays: with it PostgreSQL makes
    sure that no child of the dead server still holds the shared memory.
    """
    try:
        _, line, rest = pid_file.read_bytes().partition(b"\n")
    except FileNotFoundError:
        return
    if processes.pid_in(pid_file) and line:
        with pid_file.open("r+b") as file:  # in place, so that owner and mode stay
            file.truncate()
            file.write(NOBODYS_PID + line + rest)
    else:
        pid_file.unlink()


def _postmaster_on(data: Path) -> int:
    """The server process started on this data, looked for among all processes, or 0."""
    ours = (number for number, command in processes.all_commands()
            if command.endswith(f"postgres -D {data}"))
    return next(ours, 0)


def interrupt(number: int) -> bool:
    """PostgreSQL's "fast" shutdown; whether the process has ended within a minute."""
    processes.send(number, signal.SIGINT)
    return processes.wait_until(lambda: not processes.command_of(number), STOP_SECONDS)
