"""Whatever was killed, swept away, spoilt or lost, the next user gets working servers."""

import os
import signal
import subprocess
from pathlib import Path

import psycopg
import pytest

from arbsite import servers
from arbsite.servers import places, private_postgresql, processes
from arbsite.servers.config import ServerConfig
from tests.arbsite.servers.conftest import pids, works


@pytest.mark.parametrize("victims", [[0], [1], [0, 1]], ids=["postgresql", "redis", "both"])
def test_a_killed_server_is_started_again_for_the_next_connection(
    config: ServerConfig, victims: list[int]
) -> None:
    servers.use(config)
    before = pids(config)
    for victim in victims:
        os.kill(before[victim], signal.SIGKILL)
        assert processes.wait_until(lambda: not processes.command_of(before[victim]), 10)  # noqa: B023
    servers.use(config)
    assert works(config)
    assert [now != then for now, then in zip(pids(config), before, strict=True)] == \
        [index in victims for index in (0, 1)]


def kill_postgresql(config: ServerConfig) -> Path:
    """End PostgreSQL with no chance to tidy up; its data folder."""
    servers.use(config)
    data = Path(servers.status(config)["postgresql"]["data"]) / "data"
    number = pids(config)[0]
    os.kill(number, signal.SIGKILL)
    assert processes.wait_until(lambda: not processes.command_of(number), 10)
    return data


@pytest.mark.parametrize("content", ["", "no number\n", "-5\n", "99999999\n/elsewhere\n", "\0\xff"])
def test_a_spoilt_pid_file_does_not_keep_postgresql_from_starting(
    config: ServerConfig, content: str
) -> None:
    data = kill_postgresql(config)
    (data / "postmaster.pid").write_text(content, encoding="latin-1")
    servers.use(config)
    assert works(config)


def test_a_pid_that_now_belongs_to_another_process_is_neither_believed_nor_signalled(
    config: ServerConfig,
) -> None:
    data = kill_postgresql(config)
    who = places.owner()
    stranger = subprocess.Popen(["sleep", "60"], user=who.uid, start_new_session=True)
    try:
        lock = config.postgresql_socket.with_name(f"{config.postgresql_socket.name}.lock")
        for path in (data / "postmaster.pid", lock):
            lines = path.read_text().split("\n")
            path.write_text("\n".join([str(stranger.pid), *lines[1:]]))
        servers.use(config)
        assert works(config)
        servers.leave(config)
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


@pytest.mark.parametrize("content", ["", "junk", "1\n", "99999999\n"])
def test_a_spoilt_redis_pid_file_harms_nothing(config: ServerConfig, content: str) -> None:
    servers.use(config)
    number = pids(config)[1]
    os.kill(number, signal.SIGKILL)
    assert processes.wait_until(lambda: not processes.command_of(number), 10)
    (config.socket_folder / "redis.pid").write_text(content)
    servers.use(config)
    assert works(config)


def test_a_redis_pid_that_now_belongs_to_another_process_is_not_signalled(
    config: ServerConfig,
) -> None:
    servers.use(config)
    number = pids(config)[1]
    os.kill(number, signal.SIGKILL)
    assert processes.wait_until(lambda: not processes.command_of(number), 10)
    stranger = subprocess.Popen(["cat"], stdin=subprocess.PIPE)
    try:
        (config.socket_folder / "redis.pid").write_text(f"{stranger.pid}\n")
        servers.use(config)
        assert works(config) and stranger.poll() is None
    finally:
        stranger.communicate()


@pytest.mark.parametrize("kind", ["postgresql", "redis"])
def test_a_server_whose_socket_was_swept_away_is_replaced_not_doubled(
    config: ServerConfig, kind: str
) -> None:
    servers.use(config)
    before = dict(zip(("postgresql", "redis"), pids(config), strict=True))
    {"postgresql": config.postgresql_socket, "redis": config.redis_socket}[kind].unlink()
    servers.use(config)
    assert works(config)
    assert not processes.command_of(before[kind])


def test_a_server_with_all_connections_taken_is_not_taken_for_dead(config: ServerConfig) -> None:
    servers.use(config)
    before = pids(config)
    held = []
    with pytest.raises(psycopg.OperationalError, match="too many|reserved"):
        while True:
            held.append(psycopg.connect(**servers.connection_parameters(config, "postgres")))
    try:
        with pytest.raises(servers.ServerError, match="too many clients"):
            servers.use(config)
        assert private_postgresql.pid(config) == before[0]
    finally:
        for connection in held:
            connection.close()


def test_a_killed_initdb_leaves_nothing_that_counts(config: ServerConfig) -> None:
    servers.use(config)
    holder = Path(servers.status(config)["postgresql"]["data"])
    servers.leave(config)
    (holder / "data").rename(holder / "data.new")
    (holder / "data.new" / "PG_VERSION").unlink()
    servers.use(config)
    assert works(config)


def test_data_outlives_a_lost_password_file(config: ServerConfig) -> None:
    servers.use(config)
    servers.prepare_database(config, migrate=lambda config: None)
    servers.note_sandbox(config)
    servers.leave(config)
    (config.folder / "servers.secret").unlink()
    servers.use(config)
    assert works(config)
    assert servers.has_sandbox(config)


def test_a_password_lost_while_servers_run_is_said_and_force_ends_them(
    config: ServerConfig
) -> None:
    servers.start(config)
    (config.folder / "servers.secret").unlink()
    with pytest.raises(servers.ServerError, match="another password.*stop --force"):
        servers.use(config)
    servers.stop(config, force=True)
    servers.use(config)
    assert works(config)


def test_a_server_that_cannot_start_says_why_in_one_line(config: ServerConfig) -> None:
    servers.use(config)
    data = Path(servers.status(config)["postgresql"]["data"]) / "data"
    servers.leave(config)
    (data / "global" / "pg_control").unlink()
    with pytest.raises(servers.ServerError, match="did not start: .*pg_control.*log") as caught:
        servers.use(config)
    assert "\n" not in str(caught.value)
