"""Rows → CSV or Parquet, streamed: memory stays flat however many rows there are.

PostgreSQL writes CSV itself (COPY); DuckDB turns that into Parquet with declared types. A file
appears under its final name only when it is whole. Times are ISO 8601 UTC.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import NamedTemporaryFile

import duckdb
from django.db import connection, transaction

FORMATS = ("csv", "parquet")
#: A cell that a spreadsheet would run as a formula is marked as text, as it marks one itself.
_AS_TEXT = r"CASE WHEN ({0})::text ~ E'^[=+@\t\r-]' THEN '''' || ({0})::text ELSE ({0})::text END"
_PRICE, _SIZE, _TIME = "DECIMAL(12,6)", "DECIMAL(20,6)", "TIMESTAMPTZ"


class ExportError(Exception):
    """One line for the person who asked."""


@dataclass(frozen=True)
class Table:
    """What can be exported: its columns as (name, SQL expression, Parquet type), and its time."""

    columns: tuple[tuple[str, str, str], ...]
    source: str
    time: str
    order: str


TABLES = {
    "quotes": Table(
        (
            ("market", "m.key", "VARCHAR"),
            ("venue", "m.venue_id", "VARCHAR"),
            ("outcome", "o.label", "VARCHAR"),
            *((name, f"q.{name}", _PRICE) for name in ("bid", "ask")),
            *((name, f"q.{name}", _SIZE) for name in ("bid_size", "ask_size")),
            ("last", "q.last", _PRICE),
            ("flags", "q.flags", "VARCHAR"),
            ("venue_ts", "q.venue_ts", _TIME),
            ("received_at", "q.received_at", _TIME),
        ),
        "markets_quote q JOIN markets_outcome o ON o.id = q.outcome_id"
        " JOIN markets_market m ON m.id = o.market_id",
        "q.received_at",
        "q.received_at, q.id",
    ),
    "markets": Table(
        (
            ("market", "m.key", "VARCHAR"),
            ("venue", "m.venue_id", "VARCHAR"),
            ("event", "e.key", "VARCHAR"),
            *(
                (name, f"m.{name}", "VARCHAR")
                for name in ("title", "subtitle", "category", "status", "result", "kind", "url")
            ),
            ("settlement_value", "m.settlement_value", _PRICE),
            *((name, f"m.{name}", _TIME) for name in ("open_time", "close_time")),
            *((name, f"q.{name}", _PRICE) for name in ("bid", "ask")),
            ("volume_24h", "q.volume_24h", _SIZE),
            ("quote_flags", "q.flags", "VARCHAR"),
            ("checked_at", "q.checked_at", _TIME),
            ("received_at", "m.received_at", _TIME),
            ("rules", "m.rules", "VARCHAR"),
        ),
        "markets_market m LEFT JOIN markets_event e ON e.id = m.event_id"
        " LEFT JOIN markets_outcome o ON o.market_id = m.id AND o.index = 0"
        " LEFT JOIN markets_latestquote q ON q.outcome_id = o.id",
        "m.received_at",
        "m.key",
    ),
    "runs": Table(
        (
            ("venue", "r.venue_id", "VARCHAR"),
            ("job", "r.job", "VARCHAR"),
            ("shard", "r.shard", "VARCHAR"),
            ("started_at", "r.started_at", _TIME),
            ("finished_at", "r.finished_at", _TIME),
            ("seconds", "r.seconds", "DOUBLE"),
            ("pages", "r.pages", "INTEGER"),
            ("refused", "r.refused", "INTEGER"),
            ("is_complete", "r.is_complete", "BOOLEAN"),
            ("lag_s", "r.lag_s", "DOUBLE"),
            ("counts", "r.counts", "VARCHAR"),
            ("errors", "r.errors", "VARCHAR"),
        ),
        "markets_collectionrun r",
        "r.started_at",
        "r.id",
    ),
}


def export_table(
    name: str, path: Path, start: datetime | None = None, end: datetime | None = None
) -> int:
    """Write a table's rows of [start, end) to `path`, whose ending names the format; rows written.

    Raises ExportError for an unknown table or ending, or a folder that cannot be written.
    """
    kind = path.suffix.lstrip(".")
    if name not in TABLES:
        raise ExportError(f"no table {name!r}; allowed: {', '.join(TABLES)}")
    if kind not in FORMATS:
        raise ExportError(f"{path.name}: allowed endings: .csv, .parquet")
    try:
        return _whole_or_absent(path, lambda part: _write(TABLES[name], part, kind, start, end))
    except (OSError, duckdb.Error) as problem:
        raise ExportError(f"{path}: {problem}") from None


def _whole_or_absent(path: Path, write: Callable[[Path], int]) -> int:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    try:
        rows = write(part)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return rows


def _write(
    table: Table, path: Path, kind: str, start: datetime | None, end: datetime | None
) -> int:
    if kind == "csv":
        return _copy(table, path, start, end, is_for_people=True)
    with NamedTemporaryFile(dir=path.parent, prefix=".export-", suffix=".csv") as raw:
        rows = _copy(table, Path(raw.name), start, end)
        _to_parquet(table, Path(raw.name), path)
    return rows


def _copy(
    table: Table,
    path: Path,
    start: datetime | None,
    end: datetime | None,
    is_for_people: bool = False,
) -> int:
    columns = ", ".join(
        f"{_AS_TEXT.format(value) if is_for_people and kind == 'VARCHAR' else value} AS {name}"
        for name, value, kind in table.columns
    )
    conditions, values = ["true"], []
    for bound, sign in ((start, ">="), (end, "<")):
        if bound is not None:
            conditions.append(f"{table.time} {sign} %s")
            values.append(bound)
    query = (
        f"SELECT {columns} FROM {table.source} WHERE {' AND '.join(conditions)}"
        f" ORDER BY {table.order}"
    )
    with transaction.atomic(), connection.cursor() as cursor, path.open("wb") as out:
        cursor.execute("SET LOCAL TimeZone = 'UTC'")
        cursor.execute("SET LOCAL DateStyle = 'ISO'")
        with cursor.copy(f"COPY ({query}) TO STDOUT (FORMAT csv, HEADER)", values) as copy:
            for block in copy:
                out.write(block)
        return int(cursor.rowcount)


def _to_parquet(table: Table, source: Path, path: Path) -> None:
    types = ", ".join(f"'{name}': '{kind}'" for name, _, kind in table.columns)
    with duckdb.connect() as duck:
        duck.execute("SET TimeZone = 'UTC'; SET memory_limit = '512MB'")
        duck.execute(
            f"COPY (SELECT * FROM read_csv(?, header = true, columns = {{{types}}}))"
            f" TO '{str(path).replace(chr(39), chr(39) * 2)}' (FORMAT parquet, COMPRESSION zstd)",
            [str(source)],
        )
