"""Django's side: the first query brings everything up; commands that ask nothing start nothing."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from arbsite import servers
from arbsite.servers import identity
from arbsite.servers.config import PROJECT, ROLE, ServerConfig
from tests.arbsite.servers.conftest import pids, states, variant, works

Done = subprocess.CompletedProcess[str]


def manage(config: ServerConfig, *arguments: str, **variables: str) -> Done:
    """Run manage.py on these servers."""
    return run(config, "manage.py", *arguments, **variables)


def run(config: ServerConfig, *arguments: str, **variables: str) -> Done:
    """Run Python in the project with the configuration in its environment."""
    chosen = servers.environment(config) | {"DJANGO_SETTINGS_MODULE": "arbsite.settings"}
    return subprocess.run(
        [sys.executable, *arguments], cwd=PROJECT, capture_output=True, text=True, timeout=90,
        env=os.environ | chosen | variables,
    )


def query(config: ServerConfig, code: str) -> str:
    """Run code with Django set up; what it printed."""
    begin = "import os, signal, django; django.setup()\nfrom django.db import connection\n" \
            "from django.conf import settings\nfrom arbsite import servers\n" \
            "config = settings.SERVER_CONFIG\n" \
            "def one(q):\n" \
            "    with connection.cursor() as c: c.execute(q); return c.fetchone()[0]\n"
    done = run(config, "-c", begin + code)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["servers", "--help"], ["check"], ["servers", "status"],
     ["makemigrations", "--check", "--dry-run"]],
    ids=" ".join,
)
def test_a_command_that_asks_the_database_nothing_starts_nothing(
    config: ServerConfig, arguments: list[str]
) -> None:
    done = manage(config, *arguments)
    assert "Traceback" not in done.stderr
    assert "Warning" not in done.stderr
    assert not list(config.folder.glob("postgresql-*"))
    assert states(config) == ("stopped", "stopped")


@pytest.fixture(scope="module")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerConfig]:
    """Servers kept up, with the dataset migrated by the first query that was put to it."""
    config = ServerConfig("run", data_dir=tmp_path_factory.mktemp("backend"), durable=False)
    try:
        servers.start(config)
        known = query(config, "print(one('SELECT count(*) FROM django_migrations') > 20)")
        assert known == "True\n"
        yield config
    finally:
        servers.remove(config)


def test_the_first_query_migrates_and_leaves_the_stamp(migrated: ServerConfig) -> None:
    assert servers.schema_state(migrated) == "current"
    assert query(migrated, "print(one('SELECT dataset FROM arbsite_installation'))") == "run\n"


def test_a_single_query_leaves_nothing_running(config: ServerConfig) -> None:
    config = variant(config, dataset="run")
    assert query(config, "print(one('SELECT 1'), servers.status(config)['users'][0]['pid'] "
                         "== os.getpid())") == "1 True\n"
    assert states(config) == ("stopped", "stopped")


def test_a_new_connection_starts_a_server_that_has_gone(migrated: ServerConfig) -> None:
    said = query(
        migrated,
        "one('SELECT 1')\n"
        "connection.close()\n"
        "servers.stop(config, force=True)\n"
        "print(one('SELECT 7'))\n",
    )
    assert said == "7\n"
    servers.start(migrated)
    assert works(migrated)


def test_a_forked_child_takes_a_share_of_its_own(migrated: ServerConfig) -> None:
    said = query(
        migrated,
        "one('SELECT 1')\n"
        "connection.close()\n"
        "child = os.fork()\n"
        "if not child:\n"
        "    one('SELECT 1')\n"
        "    print(sorted(u['pid'] for u in servers.status(config)['users']) "
        "== sorted([os.getpid(), os.getppid()]), flush=True)\n"
        "    os._exit(0)\n"
        "os.waitpid(child, 0)\n",
    )
    assert said == "True\n"


def test_the_test_runner_can_make_and_drop_its_database(migrated: ServerConfig) -> None:
    said = query(
        migrated,
        "name = connection.creation.create_test_db(verbosity=0, serialize=False)\n"
        "print(name, one('SELECT dataset FROM arbsite_installation'))\n"
        "servers.note_sandbox(config, name)\n"
        "print(servers.has_sandbox(config, name), servers.has_sandbox(config))\n"
        "connection.creation.destroy_test_db('arbsite_run', verbosity=0)\n"
        "print(one(\"SELECT count(*) FROM pg_database WHERE datname = 'test_arbsite_run'\"))\n",
    )
    assert said == "test_arbsite_run test\nTrue False\n0\n"


def test_a_database_of_another_dataset_is_refused_in_one_line(migrated: ServerConfig) -> None:
    demo = variant(migrated, dataset="demo")
    servers.prepare_database(demo, migrate=lambda config: None)
    with identity.connect(demo) as connection:
        connection.execute("UPDATE arbsite_installation SET dataset = 'run'")
    done = manage(demo, "migrate")
    servers.drop_database(demo)
    assert done.returncode == 1
    assert done.stderr == \
        "database arbsite_demo holds dataset run; it will not be used as demo\n"


def test_an_external_database_is_migrated_by_hand_and_then_used(migrated: ServerConfig) -> None:
    with identity.connect(migrated, "postgres") as connection:
        connection.execute("CREATE DATABASE elsewhere")
    password = quote(servers.secret(migrated, "servers"))
    url = f"postgresql://{ROLE}:{password}@{quote(str(migrated.socket_folder), safe='')}/elsewhere"
    outside = variant(migrated, database_url=url)
    refused = run(outside, "-c", "import django; django.setup()\n"
                  "from django.db import connection; connection.cursor()")
    assert "run `manage.py migrate`" in refused.stderr
    done = manage(outside, "migrate")
    assert done.returncode == 0, done.stderr
    assert servers.schema_state(outside) == "current"
    assert query(outside, "print(one('SELECT current_database()'))") == "elsewhere\n"
    servers.start(migrated)


def test_migrating_one_app_does_not_count_as_having_seen_all(migrated: ServerConfig) -> None:
    with identity.connect(migrated) as connection:
        connection.execute("UPDATE arbsite_installation SET stamp = 'old'")
    assert manage(migrated, "migrate", "contenttypes").returncode == 0
    assert servers.schema_state(migrated) == "differs"
    assert manage(migrated, "migrate").returncode == 0
    assert servers.schema_state(migrated) == "current"


def test_servers_command_keeps_them_up_shows_and_stops_them(config: ServerConfig) -> None:
    assert manage(config, "servers", "start").returncode == 0
    assert works(config)
    shown = manage(config, "servers", "status", "--json")
    said = json.loads(shown.stdout.splitlines()[-1])
    assert (said["postgresql"]["pid"], said["redis"]["pid"]) == pids(config)
    assert said["kept"] is True and said["users"] == []
    text = manage(config, "servers", "status").stdout
    assert f"data {said['postgresql']['data']}" in text and "kept up until" in text
    assert manage(config, "servers", "stop").returncode == 0
    assert states(config) == ("stopped", "stopped")


def test_servers_stop_in_use_is_exit_1_with_one_line_and_force_overrides(
    config: ServerConfig, another: object
) -> None:
    user = another()  # type: ignore[operator]
    refused = manage(config, "servers", "stop")
    assert refused.returncode == 1
    assert f"pid {user.pid}" in refused.stderr and refused.stderr.count("\n") == 1
    assert manage(config, "servers", "stop", "--force").returncode == 0
    assert states(config) == ("stopped", "stopped")


@pytest.mark.parametrize("arguments", [[], ["restart"], ["status", "--loud"]])
def test_wrong_use_of_the_servers_command_is_exit_2(
    config: ServerConfig, arguments: list[str]
) -> None:
    assert manage(config, "servers", *arguments).returncode == 2


def test_the_servers_command_shows_an_example(config: ServerConfig) -> None:
    assert "example: manage.py servers start" in manage(config, "servers", "--help").stdout


def test_a_wrong_way_is_one_line_and_no_traceback(config: ServerConfig, tmp_path: Path) -> None:
    done = manage(variant(config, way="installed"), "servers", "start", PATH=str(tmp_path))
    if done.returncode:  # a machine with neither, or without Redis
        assert done.stderr.count("\n") == 1 and "install" in done.stderr
    else:
        assert works(config)
