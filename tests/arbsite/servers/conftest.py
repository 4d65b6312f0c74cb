"""Real servers in folders of their own; every test ends what it started."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
import redis

from arbsite import servers
from arbsite.servers import binaries
from arbsite.servers.config import PROJECT, ServerConfig

AS_ROOT = os.getuid() == 0


class User:
    """Another process that uses the servers until it is told to end."""

    def __init__(self, config: ServerConfig, code: str = "", group: bool = False) -> None:
        script = (
            "import os, sys, time\n"
            "from pathlib import PosixPath\n"
            "from arbsite import servers\n"
            "from arbsite.servers.config import ServerConfig\n"
            f"config = {config!r}\n"
            "sys.stdin.readline()\n"
            "servers.use(config)\n"
            f"{code}\n"
            "print('ready', flush=True)\n"
            "sys.stdin.readline()\n"
        )
        self.process = subprocess.Popen(
            [sys.executable, "-c", script], cwd=PROJECT, text=True, start_new_session=group,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )
        self.pid = self.process.pid

    def go(self) -> "User":
        """Let it begin."""
        assert self.process.stdin
        self.process.stdin.write("go\n")
        self.process.stdin.flush()
        return self

    def ready(self) -> "User":
        """Wait until it uses the servers."""
        assert self.process.stdout and self.process.stderr
        line = self.process.stdout.readline()
        assert line == "ready\n", self.process.stderr.read()
        return self

    def end(self) -> None:
        """Let it end in the ordinary way."""
        _, errors = self.process.communicate("end\n", timeout=60)
        assert self.process.returncode == 0, errors

    def kill(self) -> None:
        """End it at once, with no chance to tidy up."""
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def room() -> Iterator[Path]:
    """An empty folder that every user may pass through (pytest's own are 0700)."""
    folder = Path(tempfile.mkdtemp(prefix="arbsite-servers-")).resolve()
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def made() -> Iterator[list[ServerConfig]]:
    """Configurations whose servers are to be removed at the end."""
    configs: list[ServerConfig] = []
    yield configs
    for config in configs:
        servers.leave(config)
        servers.remove(config)


@pytest.fixture
def config(room: Path, made: list[ServerConfig]) -> ServerConfig:
    """Servers of this test alone."""
    made.append(ServerConfig("test", data_dir=room / "var", durable=False))
    return made[0]


@pytest.fixture
def another(config: ServerConfig) -> Iterator[Callable[..., User]]:
    """Starts other users of the same servers."""
    users: list[User] = []

    def begin(code: str = "", go: bool = True, group: bool = False) -> User:
        users.append(User(config, code, group))
        return users[-1].go().ready() if go else users[-1]

    yield begin
    for user in users:
        if user.process.poll() is None:
            user.kill()
        for pipe in (user.process.stdin, user.process.stdout, user.process.stderr):
            if pipe:
                pipe.close()


@pytest.fixture
def installed_redis(room: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A redis-server on PATH, as a package manager would put it."""
    wheel = binaries.find("redis", "wheel")[0].folder
    folder = room / "redis-bin"
    folder.mkdir()
    shutil.copy2(wheel / "redis-server", folder)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    return folder


def states(config: ServerConfig) -> tuple[str, str]:
    """PostgreSQL's and Redis's state."""
    said = servers.status(config)
    return said["postgresql"]["state"], said["redis"]["state"]


def pids(config: ServerConfig) -> tuple[int, int]:
    """PostgreSQL's and Redis's process ids."""
    said = servers.status(config)
    return said["postgresql"]["pid"], said["redis"]["pid"]


def works(config: ServerConfig) -> bool:
    """Whether both servers answer through the addresses that settings get."""
    with psycopg.connect(**servers.connection_parameters(config, "postgres")) as connection:
        row = connection.execute("SELECT 1").fetchone()
    with redis.Redis.from_url(servers.redis_url(config)) as client:
        return row == (1,) and bool(client.ping())


def ask(config: ServerConfig, question: str) -> str:
    """One value from the private PostgreSQL."""
    with psycopg.connect(**servers.connection_parameters(config, "postgres")) as connection:
        row = connection.execute(question).fetchone()
    assert row
    return str(row[0])


def variant(config: ServerConfig, **changes: object) -> ServerConfig:
    """The same configuration but for one thing."""
    return replace(config, **changes)  # type: ignore[arg-type]
