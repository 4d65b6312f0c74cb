"""Forget a demo: its rows, its messages, its clock. Its login stays."""

import shutil
from pathlib import Path

import redis
from django.conf import settings
from psycopg import sql

from arbsite import pinned, servers
from arbsite.servers.identity import connect

KEPT = {"login", "up.lock", "up.json"}


def forget(folder: Path) -> None:
    """The next start finds nothing of this world; DatasetMismatch for another dataset's."""
    config = settings.SERVER_CONFIG
    if config.private_postgresql:
        with connect(config, "postgres") as connection:
            name = sql.Identifier(config.database)
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))
    else:
        servers.remember_dataset(config)
        with connect(config) as connection:
            connection.execute("DROP SCHEMA public CASCADE")
            connection.execute("CREATE SCHEMA public")
    with redis.Redis.from_url(settings.REDIS_URL, socket_timeout=10) as client:
        for key in client.scan_iter(match=f"{settings.REDIS_PREFIX}*", count=1000):
            client.delete(key)
    for path in folder.iterdir():
        if path.name not in KEPT:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    pinned.unset()
