"""Staging: rows as COPY text into a temporary table that empties itself at commit.

COPY text beats parameters by an order of magnitude, and beats binary COPY for `numeric`
columns; see docs/decisions.md for the figures.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from functools import lru_cache

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

NULL = "\\N"
_ESCAPES = (("\\", "\\\\"), ("\n", "\\n"), ("\t", "\\t"), ("\r", "\\r"), ("\x00", ""))
_CHUNK = 2000


def text(value: str | None) -> str:
    """A text column. NUL cannot be stored by PostgreSQL and is dropped."""
    if value is None:
        return NULL
    for mark, escaped in _ESCAPES:  # a search costs nanoseconds, str.translate microseconds
        if mark in value:
            value = value.replace(mark, escaped)
    return value


def number(value: Decimal | None) -> str:
    """A numeric column, exact."""
    return NULL if value is None else str(value)


@lru_cache(maxsize=4096)
def moment(value: datetime | None) -> str:
    """A timestamptz column; the same few times recur within a batch."""
    return NULL if value is None else value.isoformat()


@contextmanager
def staged(table: str, columns: str, lines: Iterable[str]) -> Iterator[CursorWrapper]:
    """Open one transaction with `lines` staged in temporary table `table` (`columns` as DDL).

    Yields the cursor to write from it. A line is one row in COPY text format with its newline.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        stage(cursor, table, columns, lines)
        yield cursor


def stage(cursor: CursorWrapper, table: str, columns: str, lines: Iterable[str]) -> None:
    """Fill one more staging table inside a transaction that is already open."""
    cursor.execute(
        f"CREATE TEMPORARY TABLE IF NOT EXISTS {table} ({columns}) ON COMMIT DELETE ROWS"
    )
    if connection.savepoint_ids:  # inside a larger transaction it did not empty itself
        cursor.execute(f"TRUNCATE {table}")
    batch: list[str] = []
    # Django does not wrap the errors of what it does not know.
    with connection.wrap_database_errors, cursor.copy(f"COPY {table} FROM STDIN") as copy:
        for line in lines:
            batch.append(line)
            if len(batch) == _CHUNK:
                copy.write("".join(batch))
                batch.clear()
        copy.write("".join(batch))
