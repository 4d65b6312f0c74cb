"""Which dataset a database holds, what it has seen, and whether its tables fit the code."""

import hashlib
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from arbsite import clock
from arbsite.servers.config import PROJECT, ServerConfig, connection_parameters, environment
from arbsite.servers.errors import DatasetMismatch, ServerError

MIGRATING = "ARBSITE_MIGRATING"  # set in the migrating child, which must not migrate again
MIGRATION_LOCK = 7_205_319_482_001  # any number, the same in every process
MIGRATION_MINUTES = 30
_TABLE = """
    CREATE TABLE IF NOT EXISTS arbsite_installation (
        dataset text NOT NULL,
        has_sandbox boolean NOT NULL DEFAULT false,
        stamp text NOT NULL DEFAULT '',
        created_at timestamptz NOT NULL
    )"""


def connect(config: ServerConfig, database: str | None = None) -> "psycopg.Connection[Any]":
    """A connection of its own; ServerError in one line when there is none to be had."""
    try:
        return psycopg.connect(
            **connection_parameters(config, database) | {"connect_timeout": 10}, autocommit=True
        )
    except psycopg.OperationalError as problem:
        reason = str(problem).strip().splitlines()[-1]
        raise ServerError(f"PostgreSQL does not answer: {reason}") from None


def prepare_database(
    config: ServerConfig, migrate: Callable[[ServerConfig], None] | None = None
) -> None:
    """Make the dataset's database when missing, check what it holds, bring its tables up to date.

    DatasetMismatch when it holds another dataset. A database named by DATABASE_URL is checked
    but never migrated here: its owner decides when.
    """
    try:
        if config.private_postgresql:
            _create(config)
        remember_dataset(config)
    except psycopg.Error as problem:  # as a role that may not create tables
        reason = str(problem).strip().splitlines()[0]
        raise ServerError(f"database {config.database} cannot be used: {reason}") from None
    if os.environ.get(MIGRATING):
        return
    if config.private_postgresql:
        _bring_up_to_date(config, migrate or _run_migrate)
    elif schema_state(config) == "empty":
        raise ServerError("the database of DATABASE_URL has no tables yet: run `manage.py migrate`")


def _create(config: ServerConfig) -> None:
    with connect(config, "postgres") as connection:
        name = config.database
        if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
            return
        try:
            # template1 is copied only while nobody is connected to it; template0 always.
            make = sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name))
            connection.execute(make)
        except (psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation):
            pass  # another process was first


def drop_database(config: ServerConfig) -> None:
    """Delete the dataset's private database with all it holds; one of DATABASE_URL is refused."""
    if not config.private_postgresql:
        raise ServerError("the database of DATABASE_URL is not dropped from here")
    with connect(config, "postgres") as connection:
        drop = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)")
        connection.execute(drop.format(sql.Identifier(config.database)))


def remember_dataset(
    config: ServerConfig, database: str | None = None, dataset: str | None = None
) -> None:
    """Write down what a new database is for; DatasetMismatch when it is for something else."""
    wanted = dataset or config.dataset
    with connect(config, database) as connection, connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s)", [MIGRATION_LOCK + 1])
        row = None
        if _has_table(connection, "arbsite_installation"):
            row = connection.execute("SELECT dataset FROM arbsite_installation").fetchone()
        else:
            connection.execute(_TABLE)
        if row is None:
            connection.execute(
                "INSERT INTO arbsite_installation (dataset, created_at) VALUES (%s, %s)",
                [wanted, clock.wall_now()],
            )
        elif row[0] != wanted:
            raise DatasetMismatch(f"database {connection.info.dbname} holds dataset {row[0]}; "
                                  f"it will not be used as {wanted}")


def _has_table(connection: "psycopg.Connection[Any]", table: str) -> bool:
    row = connection.execute("SELECT to_regclass(%s)", [table]).fetchone()
    return bool(row and row[0])


def note_sandbox(config: ServerConfig, database: str | None = None) -> None:
    """Mark the database as one that has held a sandbox venue, for good."""
    with connect(config, database) as connection:
        known = _has_table(connection, "arbsite_installation")
    if not known:  # a test's database, made anew since this process first saw its name
        is_test = bool(database and database.startswith("test_"))
        remember_dataset(config, database, "test" if is_test else None)
    with connect(config, database) as connection:
        connection.execute("UPDATE arbsite_installation SET has_sandbox = true")


def has_sandbox(config: ServerConfig, database: str | None = None) -> bool:
    """Whether the database has ever held a sandbox venue."""
    with connect(config, database) as connection:
        if not _has_table(connection, "arbsite_installation"):
            return False
        row = connection.execute("SELECT has_sandbox FROM arbsite_installation").fetchone()
    return bool(row and row[0])


def migration_stamp(project: Path = PROJECT) -> str:
    """A hash over what decides the tables: our migrations and the pinned packages' versions."""
    digest = hashlib.sha256()
    for path in [*sorted(project.glob("*/migrations/*.py")), project / "requirements.txt"]:
        if path.is_file():
            digest.update(f"{path.relative_to(project)}\0".encode())
            digest.update(path.read_bytes() + b"\0")
    return digest.hexdigest()


def schema_state(config: ServerConfig, database: str | None = None) -> str:
    """`current`, `differs` (migrations of the code were not seen by it) or `empty`."""
    with connect(config, database) as connection:
        if not _has_table(connection, "django_migrations"):
            return "empty"
        known = _has_table(connection, "arbsite_installation")
        current = known and _stamp_in(connection) == migration_stamp()
    return "current" if current else "differs"


def _stamp_in(connection: "psycopg.Connection[Any]") -> str:
    row = connection.execute("SELECT stamp FROM arbsite_installation").fetchone()
    return str(row[0]) if row else ""


def note_migrated(config: ServerConfig) -> None:
    """Write down that the database has seen every migration of the code."""
    with connect(config) as connection:
        connection.execute("UPDATE arbsite_installation SET stamp = %s", [migration_stamp()])


def _bring_up_to_date(config: ServerConfig, migrate: Callable[[ServerConfig], None]) -> None:
    """Migrate once, whoever comes first; the others wait for it and then find the stamp."""
    with connect(config) as connection:
        if _stamp_in(connection) == migration_stamp():
            return
        connection.execute(f"SET lock_timeout = '{MIGRATION_MINUTES}min'")
        try:
            connection.execute("SELECT pg_advisory_lock(%s)", [MIGRATION_LOCK])
        except psycopg.errors.LockNotAvailable:
            raise ServerError(f"another process has been migrating {config.database} for "
                              f"{MIGRATION_MINUTES} minutes") from None
        wanted = migration_stamp()
        if _stamp_in(connection) != wanted:
            migrate(config)
            # What was seen before migrating: a file changed meanwhile must count as unseen.
            connection.execute("UPDATE arbsite_installation SET stamp = %s", [wanted])


def _run_migrate(config: ServerConfig) -> None:
    # A process of its own: the caller may be inside a transaction or an event loop.
    done = subprocess.run(
        [sys.executable, PROJECT / "manage.py", "migrate", "--noinput", "--verbosity", "0"],
        env=os.environ | environment(config) | {MIGRATING: "1"},
        cwd=PROJECT, capture_output=True, text=True,
    )
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise ServerError(f"database {config.database} could not be migrated: {reason}")
