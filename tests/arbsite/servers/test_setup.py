"""The private servers are set up as promised."""

import os
import subprocess
from collections.abc import Iterator

import psycopg
import pytest
import redis

from arbsite import servers
from arbsite.servers.config import ServerConfig
from tests.arbsite.servers.conftest import ask, pids, variant


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("listen_addresses", ""), ("timezone", "UTC"), ("log_timezone", "UTC"), ("jit", "off"),
        ("server_encoding", "UTF8"), ("lc_collate", "C.UTF-8"), ("max_connections", "100"),
        ("fsync", "off"), ("password_encryption", "scram-sha-256"), ("max_wal_size", "2GB"),
    ],
)
def test_postgresql_is_set_up_as_promised(kept: ServerConfig, name: str, value: str) -> None:
    source = "pg_database WHERE datname = 'postgres'"
    question = {"lc_collate": f"SELECT datcollate FROM {source}"}.get(name, f"SHOW {name}")
    assert ask(kept, question) == value


@pytest.mark.parametrize(
    ("name", "value"),
    [("port", "0"), ("maxmemory-policy", "noeviction"), ("appendonly", "yes"), ("save", "")],
)
def test_redis_is_set_up_as_promised(kept: ServerConfig, name: str, value: str) -> None:
    with redis.Redis.from_url(servers.redis_url(kept), decode_responses=True) as client:
        assert client.config_get(name)[name] == value


def test_neither_server_answers_without_the_password(kept: ServerConfig) -> None:
    with pytest.raises(psycopg.OperationalError, match="authentication failed"):
        psycopg.connect(**servers.connection_parameters(kept, "postgres") | {"password": "guess"})
    with pytest.raises(redis.exceptions.AuthenticationError):
        redis.Redis(unix_socket_path=str(kept.redis_socket)).ping()


def test_no_password_is_shown_in_the_list_of_processes(kept: ServerConfig) -> None:
    listed = subprocess.run(["ps", "-axo", "args="], capture_output=True, text=True).stdout
    assert "redis-server" in listed and servers.secret(kept, "servers") not in listed


def test_servers_run_in_sessions_of_their_own(kept: ServerConfig) -> None:
    assert all(os.getsid(pid) != os.getsid(0) for pid in pids(kept))


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerConfig]:
    """Servers that several reading tests share."""
    config = ServerConfig("test", data_dir=tmp_path_factory.mktemp("kept"), durable=False)
    try:
        servers.use(config)
        yield config
    finally:
        servers.leave(config)
        servers.remove(config)


def test_a_durable_server_keeps_its_promise_on_a_crash(config: ServerConfig) -> None:
    config = variant(config, durable=True)
    servers.use(config)
    assert {ask(config, f"SHOW {name}") for name in
            ("fsync", "full_page_writes", "synchronous_commit")} == {"on"}
