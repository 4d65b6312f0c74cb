"""A database remembers what it holds, and its tables follow the code once."""

import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from arbsite import servers
from arbsite.servers import identity
from arbsite.servers.config import ROLE, ServerConfig
from tests.arbsite.servers.conftest import variant


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerConfig]:
    """Servers for all of these tests; each takes a dataset of its own."""
    config = ServerConfig("test", data_dir=tmp_path_factory.mktemp("shared"), durable=False)
    try:
        servers.use(config)
        yield config
    finally:
        servers.leave(config)
        servers.remove(config)


@pytest.fixture
def config(shared: ServerConfig, request: pytest.FixtureRequest) -> Iterator[ServerConfig]:
    """A dataset that is dropped afterwards."""
    config = variant(shared, dataset=f"test_{abs(hash(request.node.name)) % 10**9}")
    yield config
    servers.drop_database(config)


class Migrate:
    """Stands in for `manage.py migrate`; counts, and may fail."""

    def __init__(self) -> None:
        self.runs = 0
        self.fails = False

    def __call__(self, config: ServerConfig) -> None:
        if self.fails:
            raise servers.ServerError("no space left")
        self.runs += 1
        with identity.connect(config) as connection:
            connection.execute("CREATE TABLE IF NOT EXISTS django_migrations (id int)")


@pytest.fixture
def migrate() -> Migrate:
    return Migrate()


def names(config: ServerConfig) -> set[str]:
    """The databases there are."""
    with identity.connect(config, "postgres") as connection:
        return {row[0] for row in connection.execute("SELECT datname FROM pg_database")}


def external(config: ServerConfig, **changes: object) -> ServerConfig:
    """The same database, reached through DATABASE_URL."""
    password = quote(servers.secret(config, "servers"))
    url = f"postgresql://{ROLE}:{password}@{quote(str(config.socket_folder), safe='')}" \
          f"/{config.database}"
    return variant(config, database_url=url, **changes)


def test_a_missing_database_is_made_for_its_dataset(config: ServerConfig, migrate: Migrate) -> None:
    assert config.database not in names(config)
    servers.prepare_database(config, migrate)
    assert config.database in names(config)
    with identity.connect(config) as connection:
        row = connection.execute(
            "SELECT dataset, has_sandbox, created_at IS NOT NULL FROM arbsite_installation"
        ).fetchall()
    assert row == [(config.dataset, False, True)]


def test_a_database_of_one_dataset_refuses_to_be_another(
    config: ServerConfig, migrate: Migrate
) -> None:
    servers.prepare_database(config, migrate)
    with identity.connect(config) as connection:
        connection.execute("UPDATE arbsite_installation SET dataset = 'demo'")
    expected = f"database {config.database} holds dataset demo; it will not be used as "
    with pytest.raises(servers.DatasetMismatch, match=expected + config.dataset):
        servers.prepare_database(config, migrate)
    assert migrate.runs == 1


def test_an_external_database_of_one_dataset_refuses_to_be_another(
    config: ServerConfig, migrate: Migrate
) -> None:
    servers.prepare_database(config, migrate)
    with pytest.raises(servers.DatasetMismatch, match="will not be used as run"):
        servers.prepare_database(external(config, dataset="run"), migrate)


def test_a_mismatch_is_a_server_error() -> None:
    assert issubclass(servers.DatasetMismatch, servers.ServerError)


def test_two_processes_name_a_new_database_once(config: ServerConfig, migrate: Migrate) -> None:
    in_parallel(lambda: servers.prepare_database(config, migrate))
    with identity.connect(config) as connection:
        assert connection.execute("SELECT count(*) FROM arbsite_installation").fetchone() == (1,)
    assert migrate.runs == 1


def in_parallel(act: "object") -> None:
    problems: list[BaseException] = []

    def run() -> None:
        try:
            act()  # type: ignore[operator]
        except BaseException as problem:
            problems.append(problem)

    threads = [threading.Thread(target=run) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not problems


def test_a_sandbox_is_remembered_for_good(config: ServerConfig, migrate: Migrate) -> None:
    servers.prepare_database(config, migrate)
    assert not servers.has_sandbox(config)
    servers.note_sandbox(config)
    servers.prepare_database(config, migrate)
    assert servers.has_sandbox(config)


def test_a_sandbox_is_noted_in_a_database_not_yet_named(config: ServerConfig) -> None:
    with identity.connect(config, "postgres") as connection:
        connection.execute(f"CREATE DATABASE {config.database}")
    assert not servers.has_sandbox(config)
    servers.note_sandbox(config)
    assert servers.has_sandbox(config)


def test_tables_without_a_stamp_count_as_different(config: ServerConfig) -> None:
    with identity.connect(config, "postgres") as connection:
        connection.execute(f"CREATE DATABASE {config.database}")
    with identity.connect(config) as connection:
        connection.execute("CREATE TABLE django_migrations (id int)")
    assert servers.schema_state(config) == "differs"


def test_migrations_run_once_and_again_when_the_code_changes(
    config: ServerConfig, migrate: Migrate, monkeypatch: pytest.MonkeyPatch
) -> None:
    servers.prepare_database(config, migrate)
    servers.prepare_database(config, migrate)
    assert (migrate.runs, servers.schema_state(config)) == (1, "current")
    monkeypatch.setattr(identity, "migration_stamp", lambda: "newer")
    assert servers.schema_state(config) == "differs"
    servers.prepare_database(config, migrate)
    assert (migrate.runs, servers.schema_state(config)) == (2, "current")


def test_a_failed_migration_is_tried_again(config: ServerConfig, migrate: Migrate) -> None:
    migrate.fails = True
    with pytest.raises(servers.ServerError, match="no space left"):
        servers.prepare_database(config, migrate)
    migrate.fails = False
    servers.prepare_database(config, migrate)
    assert migrate.runs == 1


def test_a_migration_changed_while_migrating_counts_as_unseen(
    config: ServerConfig, migrate: Migrate, monkeypatch: pytest.MonkeyPatch
) -> None:
    stamps = iter(["old", "old"])
    monkeypatch.setattr(identity, "migration_stamp", lambda: next(stamps, "edited"))
    servers.prepare_database(config, migrate)
    servers.prepare_database(config, migrate)
    assert migrate.runs == 2


def test_the_migrating_process_does_not_migrate_again(
    config: ServerConfig, migrate: Migrate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(servers.MIGRATING, "1")
    servers.prepare_database(config, migrate)
    assert config.database in names(config) and migrate.runs == 0


def test_the_stamp_follows_migration_files_and_pinned_packages(tmp_path: Path) -> None:
    folder = tmp_path / "markets" / "migrations"
    folder.mkdir(parents=True)
    seen = [identity.migration_stamp(tmp_path)]
    for path, text in [
        (folder / "0001_initial.py", "a"), (folder / "0001_initial.py", "b"),
        (folder / "0002_more.py", ""), (tmp_path / "requirements.txt", "django==5.2"),
    ]:
        path.write_text(text)
        seen.append(identity.migration_stamp(tmp_path))
    assert len(set(seen)) == len(seen)
    (tmp_path / "markets" / "models.py").write_text("unrelated")
    (folder / "notes.txt").write_text("unrelated")
    assert identity.migration_stamp(tmp_path) == seen[-1]


def test_an_external_database_is_never_migrated_from_here(
    config: ServerConfig, migrate: Migrate, monkeypatch: pytest.MonkeyPatch
) -> None:
    servers.prepare_database(config, migrate)
    monkeypatch.setattr(identity, "migration_stamp", lambda: "newer")
    servers.prepare_database(external(config), migrate)
    assert migrate.runs == 1 and servers.schema_state(external(config)) == "differs"


def test_an_external_database_without_tables_names_the_command(
    config: ServerConfig, migrate: Migrate
) -> None:
    with identity.connect(config, "postgres") as connection:
        connection.execute(f"CREATE DATABASE {config.database}")
    with pytest.raises(servers.ServerError, match="manage.py migrate"):
        servers.prepare_database(external(config), migrate)
    assert servers.schema_state(external(config)) == "empty"


def test_an_external_database_is_not_dropped_from_here(
    config: ServerConfig, migrate: Migrate
) -> None:
    servers.prepare_database(config, migrate)
    with pytest.raises(servers.ServerError):
        servers.drop_database(external(config))
    assert config.database in names(config)


def test_an_external_server_that_is_not_there_is_one_line_without_the_password() -> None:
    config = ServerConfig("run", database_url="postgresql://u:hidden@127.0.0.1:1/d")
    with pytest.raises(servers.ServerError, match="does not answer") as caught:
        servers.prepare_database(config)
    assert "hidden" not in str(caught.value) and "\n" not in str(caught.value)


def test_a_role_that_may_not_create_tables_is_told_so_in_one_line(
    config: ServerConfig, migrate: Migrate
) -> None:
    with identity.connect(config, "postgres") as connection:
        connection.execute(f"CREATE DATABASE {config.database}")
        connection.execute("CREATE ROLE reader LOGIN PASSWORD 'reading'")
    url = external(config).database_url.split("@")[1]
    reader = variant(config, database_url=f"postgresql://reader:reading@{url}")
    with pytest.raises(servers.ServerError, match="cannot be used: permission denied") as caught:
        servers.prepare_database(reader, migrate)
    assert "\n" not in str(caught.value)


def test_a_dropped_dataset_is_gone_and_can_be_made_anew(
    config: ServerConfig, migrate: Migrate
) -> None:
    servers.prepare_database(config, migrate)
    servers.note_sandbox(config)
    with identity.connect(config):  # a forgotten connection does not stand in the way
        servers.drop_database(config)
    assert config.database not in names(config)
    servers.prepare_database(config, migrate)
    assert not servers.has_sandbox(config)
