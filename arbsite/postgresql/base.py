"""The database backend: the first connection of a process finds or starts the servers.

So a command that never asks the database, as `--help`, starts nothing.
"""

import os
from typing import Any

from django.conf import settings
from django.db.backends.postgresql import base
from django.db.utils import OperationalError
from psycopg import OperationalError as NoConnection

from arbsite import servers

_ready: set[tuple[int, str]] = set()  # process and database; a forked child asks for itself


class DatabaseWrapper(base.DatabaseWrapper):
    """PostgreSQL, prepared on first use."""

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """Connect, starting servers that are missing or have gone since the last time."""
        config: servers.ServerConfig | None = settings.SERVER_CONFIG
        if config is None:
            return super().get_new_connection(conn_params)
        key = (os.getpid(), str(conn_params.get("dbname") or self.settings_dict["NAME"]))
        if key in _ready:
            try:
                return super().get_new_connection(conn_params)
            except (NoConnection, OperationalError):
                if not config.private_postgresql:
                    raise
        prepare(config, key[1])
        _ready.add(key)
        return super().get_new_connection(conn_params)


def prepare(config: servers.ServerConfig, database: str) -> None:
    """Servers up; the dataset's database made and migrated; any other one checked."""
    servers.use(config)
    if database == config.database:
        servers.prepare_database(config)
    elif database.startswith("test_"):
        servers.remember_dataset(config, database, "test")
