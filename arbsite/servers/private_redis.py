"""One private Redis: started, asked, stopped. It listens on a socket only."""

import signal
import subprocess
import time
from pathlib import Path

import redis

from arbsite.servers import places, processes
from arbsite.servers.binaries import Binaries
from arbsite.servers.config import ServerConfig, redis_url
from arbsite.servers.errors import ServerError
from arbsite.servers.secrets import secret

START_SECONDS = 60
STOP_SECONDS = 30


def _client(config: ServerConfig) -> redis.Redis:
    return redis.Redis.from_url(
        redis_url(config), socket_timeout=5, socket_connect_timeout=5, protocol=2
    )


def probe(config: ServerConfig) -> str:
    """The running server's version, or empty when there is none.

    One that is there but refuses us is a ServerError, never taken for dead.
    """
    deadline = time.monotonic() + START_SECONDS
    while processes.listens(config.redis_socket):
        try:
            with _client(config) as client:
                return str(client.info("server")["redis_version"])
        except redis.exceptions.AuthenticationError:
            raise ServerError(
                "the private Redis runs with another password (was servers.secret removed?): "
                "`manage.py servers stop --force`, then start again"
            ) from None
        except redis.exceptions.RedisError as problem:
            if time.monotonic() > deadline:
                raise ServerError(f"the private Redis refuses: {problem}") from None
        time.sleep(0.05)  # still reading its file, or just ending
    return ""


def pid(config: ServerConfig) -> int:
    """The server's process id, or 0; a reused id is not taken for it."""
    number = processes.pid_in(_pid_file(config))
    program, _, address = processes.command_of(number).partition(" ") if number else ("", "", "")
    # Redis writes its address into its command line, cut off where there is no more room.
    ours = f"unixsocket:{config.redis_socket}".startswith(address.split(" ")[0])
    return number if ours and program.endswith("redis-server") else 0


def _pid_file(config: ServerConfig) -> Path:
    return config.socket_folder / "redis.pid"


def start(config: ServerConfig, binaries: Binaries, holder: Path) -> None:
    """Start a server on the holder's data."""
    stop(config)  # one that lives but does not answer must not share the file with a second
    config.redis_socket.unlink(missing_ok=True)
    log = holder / "log"
    done = places.owner().run(
        [binaries.folder / "redis-server", "-"],
        input=_settings(config, holder, log),  # not as arguments: others can read those
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    ready = done.returncode == 0 and processes.wait_until(
        lambda: bool(probe(config)), START_SECONDS
    )
    if not ready:
        raise ServerError(
            f"Redis did not start: {_last_line(done.stdout, log)} (all of it in {log})"
        )


def _settings(config: ServerConfig, holder: Path, log: Path) -> str:
    values = {
        "port": "0",
        "unixsocket": config.redis_socket,
        "unixsocketperm": "700",
        "requirepass": secret(config, "servers"),
        "daemonize": "yes",
        "pidfile": _pid_file(config),
        "logfile": log,
        "dir": holder,
        "save": "",
        "appendonly": "yes",
        "appendfsync": "everysec" if config.durable else "no",
        "maxmemory-policy": "noeviction",
    }
    return "".join(f'{name} "{_quoted(value)}"\n' for name, value in values.items())


def _quoted(value: object) -> str:
    return str(value).replace("\\", "\\\\").replace('"', '\\"')


def stop(config: ServerConfig) -> None:
    """Save and end; ServerError when it has not ended in half a minute."""
    number = pid(config)
    if not number:
        return
    processes.send(number, signal.SIGTERM)  # writes out its append-only file, then ends
    if not processes.wait_until(lambda: not processes.command_of(number), STOP_SECONDS):
        raise ServerError(f"Redis (pid {number}) did not stop within {STOP_SECONDS} s")


def _last_line(said: str, log: Path) -> str:
    try:
        said += log.read_text(encoding="utf-8", errors="replace")
    except OSError:
        pass
    lines = said.strip().splitlines()
    return lines[-1] if lines else "it left no reason"
