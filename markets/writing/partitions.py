"""Daily partitions: created ahead, attached whole, dropped only after a detach.

There is no default partition: a row for a day without one is an error, not a slow surprise.
"""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta

from django.db import connection, transaction

PARTITIONED = ("markets_quote", "markets_booksnapshot")
_LOCK = 0x6172625F70617274  # "arb_part"
_known: set[tuple[str, str]] = set()


def ensure_partitions(days: Iterable[date], refresh: bool = False) -> int:
    """Make the partitions of these UTC days where they are missing; returns how many were made.

    A process remembers what it has seen, so that the check costs nothing per batch; `refresh`
    looks again.
    """
    wanted = {(table, _name(table, day)): day for table in PARTITIONED for day in days}
    database = connection.settings_dict["NAME"]
    missing = [key for key in wanted if refresh or (database, key[1]) not in _known]
    made = 0
    for table, name in sorted(missing):
        made += _create(table, name, wanted[table, name])
        _known.add((database, name))
    return made


def forget() -> None:
    """Drop what this process believes, after partitions were dropped or a database replaced."""
    _known.clear()


def partitions(table: str) -> list[tuple[str, date]]:
    """The attached partitions of a table with their days, oldest first."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid "
            "WHERE i.inhparent = %s::regclass ORDER BY 1",
            [table],
        )
        names = [row[0] for row in cursor.fetchall()]
    return [
        (name, datetime.strptime(name[-8:], "%Y%m%d").replace(tzinfo=UTC).date()) for name in names
    ]


def _name(table: str, day: date) -> str:
    return f"{table}_{day:%Y%m%d}"


def _create(table: str, name: str, day: date) -> int:
    start = datetime.combine(day, time(), UTC)
    with transaction.atomic(), connection.cursor() as cursor:
        # Two processes at midnight: the second waits here and finds the table there.
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
        cursor.execute("SELECT to_regclass(%s)", [name])
        if cursor.fetchone()[0] is not None:
            return 0
        cursor.execute(f"CREATE TABLE {name} (LIKE {table} INCLUDING ALL EXCLUDING IDENTITY)")
        cursor.execute(
            f"ALTER TABLE {table} ATTACH PARTITION {name} FOR VALUES FROM (%s) TO (%s)",
            [start, start + timedelta(days=1)],
        )
    return 1
