"""DATABASE_URL and REDIS_URL, or private PostgreSQL and Redis started here.

`config` says where, `binaries` finds programs, `places` folders and users, `locks` who uses
them, `lifecycle` starts and stops, `report` tells of it, `identity` knows which dataset a
database holds.
Nothing here imports Django.
"""

from arbsite.servers.config import (
    ServerConfig,
    celery_broker_url,
    connection_parameters,
    database_settings,
    environment,
    from_environment,
    redis_url,
)
from arbsite.servers.errors import DatasetMismatch, ServerError
from arbsite.servers.identity import (
    MIGRATING,
    drop_database,
    has_sandbox,
    note_migrated,
    note_sandbox,
    prepare_database,
    remember_dataset,
    schema_state,
)
from arbsite.servers.lifecycle import Running, leave, remove, start, stop, use
from arbsite.servers.report import status
from arbsite.servers.secrets import secret

__all__ = [
    "MIGRATING",
    "DatasetMismatch",
    "Running",
    "ServerConfig",
    "ServerError",
    "celery_broker_url",
    "connection_parameters",
    "database_settings",
    "drop_database",
    "environment",
    "from_environment",
    "has_sandbox",
    "leave",
    "note_migrated",
    "note_sandbox",
    "prepare_database",
    "redis_url",
    "remember_dataset",
    "remove",
    "schema_state",
    "secret",
    "start",
    "status",
    "stop",
    "use",
]
