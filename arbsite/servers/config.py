"""Which servers a process uses, as one frozen value; nothing here starts anything.

Every address is a function of the configuration alone, so that settings can name a database
before it exists and two processes with the same settings always meet at the same socket.
"""

import hashlib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

import psycopg
from psycopg.conninfo import conninfo_to_dict

from arbsite.servers.errors import WrongSetting
from arbsite.servers.secrets import secret

PROJECT = Path(__file__).resolve().parents[2]
WAYS = ("auto", "installed", "wheel")
ROLE = "arbsite"
PORT = 5432  # names the socket file only: no server listens on TCP
LONGEST_SOCKET = 107  # bytes in sockaddr_un; one more and bind() fails
_DATASET = re.compile(r"[a-z][a-z0-9_]{0,30}")


@dataclass(frozen=True)
class ServerConfig:
    """Where rows and messages live. An empty URL means a private server under `data_dir`."""

    dataset: str
    database_url: str = ""
    redis_url: str = ""
    way: str = "auto"
    data_dir: Path = field(default=PROJECT / "var")
    durable: bool = True  # False gives up crash safety for speed: tests only

    def __post_init__(self) -> None:
        if not _DATASET.fullmatch(self.dataset):
            raise WrongSetting(
                f"DATASET={self.dataset!r} is not allowed; allowed: a lower-case letter, then up "
                "to 30 lower-case letters, digits or _"
            )
        if self.way not in WAYS:
            raise WrongSetting(f"SERVERS={self.way!r} is not allowed; allowed: {', '.join(WAYS)}")
        for name, url, schemes in (
            ("DATABASE_URL", self.database_url, ("postgres", "postgresql")),
            ("REDIS_URL", self.redis_url, ("redis", "rediss", "unix")),
        ):
            if url and urlsplit(url).scheme not in schemes:
                raise WrongSetting(f"{name} is not allowed; allowed: {'://…, '.join(schemes)}://…")
        object.__setattr__(self, "data_dir", Path(self.data_dir).resolve())

    @property
    def private_postgresql(self) -> bool:
        """Whether PostgreSQL is ours to start and stop."""
        return not self.database_url

    @property
    def private_redis(self) -> bool:
        """Whether Redis is ours to start and stop."""
        return not self.redis_url

    @property
    def database(self) -> str:
        """The name of the dataset's database."""
        if self.private_postgresql:
            return f"arbsite_{self.dataset}"
        return str(external_parameters(self).get("dbname", ""))

    @property
    def folder(self) -> Path:
        """Locks, passwords and, where the server's user can reach it, data."""
        return self.data_dir / "servers"

    @property
    def key(self) -> str:
        """A short name for this data folder, the same in every process."""
        return hashlib.sha256(os.fsencode(self.data_dir)).hexdigest()[:12]

    @property
    def socket_folder(self) -> Path:
        """A short folder for the sockets.

        Not under XDG_RUNTIME_DIR or TMPDIR: a shell, cron and a login manager set these
        differently, and each would then start a server of its own on the same data.
        """
        uid = os.getuid()
        if uid == 0 and os.access("/run", os.W_OK):
            return Path(f"/run/arbsite-{self.key}")
        return Path(f"/tmp/arbsite-{uid}-{self.key}")

    @property
    def postgresql_socket(self) -> Path:
        """PostgreSQL's socket file."""
        return self.socket_folder / f".s.PGSQL.{PORT}"

    @property
    def redis_socket(self) -> Path:
        """Redis's socket file."""
        return self.socket_folder / "redis.sock"


def from_environment(environ: Mapping[str, str], base_dir: Path) -> ServerConfig:
    """The configuration that DATASET, DATABASE_URL, REDIS_URL, SERVERS and DATA_DIR describe."""
    return ServerConfig(
        dataset=environ.get("DATASET") or "demo",
        database_url=environ.get("DATABASE_URL", ""),
        redis_url=environ.get("REDIS_URL", ""),
        way=environ.get("SERVERS") or "auto",
        data_dir=Path(environ.get("DATA_DIR") or base_dir / "var"),
    )


def environment(config: ServerConfig) -> dict[str, str]:
    """The variables that make a child process arrive at this configuration."""
    return {
        "DATASET": config.dataset,
        "DATABASE_URL": config.database_url,
        "REDIS_URL": config.redis_url,
        "SERVERS": config.way,
        "DATA_DIR": str(config.data_dir),
    }


def database_settings(config: ServerConfig) -> dict[str, Any]:
    """Django's DATABASES["default"]."""
    if config.private_postgresql:
        return {
            "ENGINE": "arbsite.postgresql",
            "NAME": config.database,
            "USER": ROLE,
            "PASSWORD": secret(config, "servers"),
            "HOST": str(config.socket_folder),
            "PORT": str(PORT),
        }
    options = external_parameters(config)
    return {
        "ENGINE": "arbsite.postgresql",
        "NAME": config.database,
        "USER": options.pop("user", ""),
        "PASSWORD": options.pop("password", ""),
        "HOST": options.pop("host", ""),
        "PORT": options.pop("port", ""),
        "OPTIONS": {name: value for name, value in options.items() if name != "dbname"},
    }


def external_parameters(config: ServerConfig) -> dict[str, Any]:
    """DATABASE_URL taken apart by libpq itself, so that every form it knows is right."""
    try:
        return {name: str(value) for name, value in conninfo_to_dict(config.database_url).items()}
    except psycopg.ProgrammingError:
        # libpq's own words would repeat the URL and so the password
        raise WrongSetting(
            "DATABASE_URL is not allowed; allowed: postgresql://user:password@host:port/database"
        ) from None


def connection_parameters(config: ServerConfig, database: str | None = None) -> dict[str, Any]:
    """Keywords for `psycopg.connect`, to the dataset's database or another on the same server."""
    if not config.private_postgresql:
        return external_parameters(config) | ({"dbname": database} if database else {})
    return {
        "host": str(config.socket_folder),
        "port": PORT,
        "user": ROLE,
        "password": secret(config, "servers"),
        "dbname": database or config.database,
    }


def redis_url(config: ServerConfig) -> str:
    """A URL for redis-py."""
    if not config.private_redis:
        return config.redis_url
    return f"unix://:{quote(secret(config, 'servers'))}@{config.redis_socket}?db=0"


def celery_broker_url(config: ServerConfig) -> str:
    """The same server as a URL for Celery, which spells sockets differently."""
    url = redis_url(config)
    if not url.startswith("unix://"):
        return url
    address, _, query = url.removeprefix("unix://").partition("?")
    database = dict(parse_qsl(query)).get("db", "0")
    return f"redis+socket://{address}?virtual_host={database}"
