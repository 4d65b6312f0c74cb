"""Addresses are functions of the configuration; bad configurations are refused in one line."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from kombu import Connection

from arbsite import servers
from arbsite.env import SettingError
from arbsite.servers import lifecycle
from arbsite.servers.config import PROJECT, ServerConfig, from_environment


@pytest.mark.parametrize("dataset", ["", "Demo", "1st", "a-b", "a;drop", "x" * 32, "été", "a\n"])
def test_a_dataset_that_cannot_name_a_database_is_refused(dataset: str) -> None:
    with pytest.raises(servers.ServerError, match="DATASET.*allowed"):
        ServerConfig(dataset)


@pytest.mark.parametrize("dataset", ["demo", "run", "recorded", "replay_20260301", "x" * 31])
def test_a_dataset_names_its_database(dataset: str) -> None:
    assert ServerConfig(dataset).database == f"arbsite_{dataset}"


@pytest.mark.parametrize(
    ("field", "value", "names"),
    [
        ("way", "docker", "SERVERS='docker'.*auto, installed, wheel"),
        ("database_url", "mysql://u:hidden@h/d", "DATABASE_URL.*postgres"),
        ("database_url", "sqlite:///x", "DATABASE_URL.*postgres"),
        ("redis_url", "http://h", "REDIS_URL.*redis"),
    ],
)
def test_a_wrong_setting_is_one_line_naming_what_is_allowed(
    field: str, value: str, names: str
) -> None:
    with pytest.raises(servers.ServerError, match=names) as caught:
        ServerConfig("test", **{field: value})  # type: ignore[arg-type]
    assert "\n" not in str(caught.value) and "hidden" not in str(caught.value)
    assert isinstance(caught.value, SettingError)  # which manage.py turns into exit 2


def test_a_malformed_database_url_is_refused_without_showing_its_password() -> None:
    config = ServerConfig("test", database_url="postgresql://u:hidden@h:12:34/d?nonsense=1")
    with pytest.raises(servers.ServerError, match="DATABASE_URL") as caught:
        servers.database_settings(config)
    assert "hidden" not in str(caught.value)


def test_settings_can_be_made_before_any_server_runs(config: ServerConfig) -> None:
    first = servers.database_settings(config), servers.redis_url(config)
    assert first == (servers.database_settings(config), servers.redis_url(config))
    assert first[0]["ENGINE"] == "arbsite.postgresql"
    assert first[0]["NAME"] == "arbsite_test"
    assert not config.socket_folder.exists()
    assert [path.name for path in config.folder.iterdir()] == ["servers.secret"]


def test_one_data_folder_has_one_address_however_it_is_spelt(room: Path) -> None:
    (room / "real").mkdir()
    (room / "link").symlink_to(room / "real")
    spelt = [room / "real", room / "link", room / "x" / ".." / "real"]
    assert len({ServerConfig("test", data_dir=path).socket_folder for path in spelt}) == 1
    assert ServerConfig("test", data_dir=room / "other").socket_folder != \
        ServerConfig("test", data_dir=room / "real").socket_folder


def test_the_address_does_not_follow_the_callers_environment(
    room: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = ServerConfig("test", data_dir=room).socket_folder
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(room))
    monkeypatch.setenv("TMPDIR", str(room))
    assert ServerConfig("test", data_dir=room).socket_folder == before


def test_an_external_database_url_is_taken_apart_in_full() -> None:
    url = "postgresql://me%40x:p%2Fw%3A@db.example:6543/my%20data?sslmode=require"
    said = servers.database_settings(ServerConfig("run", database_url=url))
    assert said == {
        "ENGINE": "arbsite.postgresql", "NAME": "my data", "USER": "me@x", "PASSWORD": "p/w:",
        "HOST": "db.example", "PORT": "6543", "OPTIONS": {"sslmode": "require"},
    }


def test_an_external_socket_folder_is_kept_in_its_own_case() -> None:
    url = "postgresql://me@%2Frun%2FPostgres/x"
    assert servers.database_settings(ServerConfig("run", database_url=url))["HOST"] == \
        "/run/Postgres"


def test_an_external_redis_url_is_used_as_it_is_by_both() -> None:
    config = ServerConfig("run", redis_url="rediss://:pw@cache:6380/3")
    assert servers.redis_url(config) == servers.celery_broker_url(config) == config.redis_url


def test_celery_reaches_the_private_redis_by_its_own_spelling(config: ServerConfig) -> None:
    servers.use(config)
    with Connection(servers.celery_broker_url(config)) as broker:
        queue = broker.SimpleQueue("sent")
        queue.put({"n": 1})
        assert queue.get(timeout=5).payload == {"n": 1}
        queue.close()


def test_use_starts_nothing_when_both_servers_are_elsewhere(room: Path) -> None:
    config = ServerConfig("run", "postgresql://h/d", "redis://h", data_dir=room / "var")
    assert servers.use(config) == servers.start(config) == \
        lifecycle.Running("external", "external")
    assert not (room / "var").exists()


def test_the_environment_describes_a_configuration_both_ways(room: Path) -> None:
    config = ServerConfig("replay_1", "postgresql://h/d", "redis://h", "wheel", room)
    assert from_environment(servers.environment(config), Path("/elsewhere")) == config
    assert from_environment({}, room) == ServerConfig("demo", data_dir=room / "var")


def test_a_secret_is_made_once_and_readable_by_its_owner_alone(config: ServerConfig) -> None:
    value = servers.secret(config, "some")
    assert len(value) >= 32
    assert servers.secret(config, "some") == value != servers.secret(config, "other")
    assert servers.secret(config, "some", "given") == "given"
    assert stat.S_IMODE((config.folder / "some.secret").stat().st_mode) == 0o600


def test_an_empty_secret_file_is_made_anew(config: ServerConfig) -> None:
    config.folder.mkdir(parents=True)
    (config.folder / "some.secret").touch()
    assert len(servers.secret(config, "some")) >= 32


def test_processes_racing_for_a_secret_get_the_same_one(config: ServerConfig) -> None:
    script = f"from pathlib import PosixPath\nfrom arbsite.servers import *\n" \
             f"print(secret({config!r}, 'raced'))"
    racers = [
        subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, cwd=PROJECT)
        for _ in range(4)
    ]
    assert len({racer.communicate()[0] for racer in racers}) == 1


def test_a_private_folder_is_made_passable_whatever_the_umask(config: ServerConfig) -> None:
    before = os.umask(0o077)
    try:
        servers.secret(config, "some")
    finally:
        os.umask(before)
    assert stat.S_IMODE(config.data_dir.stat().st_mode) == 0o711
