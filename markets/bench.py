"""Measurements of the ground floor, each beside a limit taken in the same run.

They print what they find and never fail a test by time. Everything they write goes to a schema of
its own, dropped at the end, so that a dataset is never touched.
"""

import resource
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count, islice
from typing import Any

from django.db import connection, transaction

from markets.ingest import CHUNK
from markets.models import Market
from markets.quotes import Listing, Quote
from markets.runs import Run
from markets.storing import Categories, Trust, chunks, store_listings
from markets.writing import QuoteRow, write_quotes
from markets.writing.partitions import ensure_partitions, forget
from markets.writing.prices import _APPEND, _QUOTE_STAGE, _UPSERT, _quote_lines
from markets.writing.staging import stage

COPIES = 10
START = datetime(2026, 11, 20, tzinfo=UTC)
TABLES = ("markets_event", "markets_market", "markets_outcome", "markets_feeschedule",
          "markets_marketrevision", "markets_latestquote", "markets_quote",
          "markets_booksnapshot", "markets_marketrank")  # fmt: skip


@contextmanager
def scratch_tables() -> Iterator[None]:
    """Empty copies of the tables, ahead of the real ones on this connection's search path."""
    with connection.cursor() as cursor:
        cursor.execute("DROP SCHEMA IF EXISTS bench CASCADE")
        cursor.execute("CREATE SCHEMA bench")
        for table in TABLES:
            _copy_table(cursor, table)
        cursor.execute("SET search_path = bench, public")
    forget()
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SET search_path = public")
            cursor.execute("DROP SCHEMA bench CASCADE")
        forget()


def _copy_table(cursor: Any, table: str) -> None:
    if table in ("markets_quote", "markets_booksnapshot"):
        cursor.execute(
            f"CREATE TABLE bench.{table} (LIKE public.{table} INCLUDING ALL)"
            " PARTITION BY RANGE (received_at)"
        )
        return
    cursor.execute(f"CREATE TABLE bench.{table} (LIKE public.{table} INCLUDING ALL)")
    cursor.execute(
        f"ALTER TABLE bench.{table} SET (fillfactor = {70 if 'latest' in table else 100})"
    )


# --- quotes into the database


def bench_ingest(rows: int = 200_000, outcomes: int = 20_000, repeats: int = 3) -> dict[str, Any]:
    """`rows` quotes over `outcomes`, LatestQuote included, against bare SQL of the same batches.

    Bare SQL stages the same lines by COPY, appends and upserts; bare COPY only stages them. The
    all-distinct case (every row another outcome) is measured beside it.
    """
    with scratch_tables():
        ensure_partitions([START.date()])
        sql, ours, copied, distinct = [], [], [], []
        clock = count()
        for _ in range(repeats):
            batches = _batches(rows, outcomes, next(clock))
            lines = [list(_quote_lines(batch)) for batch in batches]
            copied.append(_rate(rows, _bare_copy, lines))
            _empty()
            sql.append(_rate(rows, _bare_sql, lines))
            _empty()
            ours.append(_rate(rows, write_quotes, batches))
            _empty()
            alone = _batches(rows, rows, next(clock))
            distinct.append(_rate(rows, write_quotes, alone))
            _empty()
    rate, limit = statistics.median(ours), statistics.median(sql)
    ratio = statistics.median(mine / bare for mine, bare in zip(ours, sql, strict=True))
    return {
        "name": "ingest",
        "rows_per_s": round(rate),
        "sql_rows_per_s": round(limit),
        "copy_rows_per_s": round(statistics.median(copied)),
        "distinct_rows_per_s": round(statistics.median(distinct)),
        "ratio": round(ratio, 3),
        "outcomes": outcomes,
        "rows": rows,
        "limit": round(limit),
        "hold": "ratio >= 0.6 and rows_per_s >= 40000",
        "passed": ratio >= 0.6 and rate >= 40_000,
        "n": repeats,
    }


def _batches(rows: int, outcomes: int, seed: int) -> list[list[QuoteRow]]:
    """One batch a round over all outcomes, prices and sizes differing from round to round."""
    size = min(rows, outcomes)
    return [
        [_row(n, start // size + seed, start + n) for n in range(min(size, rows - start))]
        for start in range(0, rows, size)
    ]


def _row(outcome: int, turn: int, n: int) -> QuoteRow:
    bid = Decimal(1 + (n * 7 + turn) % 97) / 100
    at = START + timedelta(seconds=turn)
    quote = Quote(
        "kalshi",
        f"B-{outcome}",
        at,
        bid,
        bid + Decimal("0.02"),
        Decimal(n % 1000) + Decimal("0.25"),
        Decimal(n % 777) + Decimal("0.50"),
        bid,
        Decimal(n),
        venue_ts=at,
    )
    return QuoteRow(outcome + 1, quote)


def _rate(rows: int, work: Callable[[Any], object], batches: Sequence[Any]) -> float:
    started = time.perf_counter()
    for batch in batches:
        work(batch)
    return rows / (time.perf_counter() - started)


def _empty() -> None:
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE bench.markets_quote, bench.markets_latestquote")
        cursor.execute("CHECKPOINT")


def _bare_copy(lines: Sequence[str]) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        stage(cursor, "stage_quote", _QUOTE_STAGE, lines)


def _bare_sql(lines: Sequence[str]) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        stage(cursor, "stage_quote", _QUOTE_STAGE, lines)
        cursor.execute(_APPEND)
        cursor.execute(_UPSERT)


# --- a whole universe


def bench_universe(
    pages: Callable[[int], Iterator[tuple[str, bytes]]],
    parse: Callable[[str, bytes, datetime], Sequence[Listing]],
    markets: int = 280_000,
) -> dict[str, Any]:
    """`markets` markets from wire bytes to rows, then one per cent of them changed.

    `pages` makes the bodies (outside the measured time), `parse` reads one as its connector would.
    Each body is parsed `COPIES` times, its markets taking other ids each time: a simulated world
    of the full size would take longer to make than to store.
    """
    parsing: list[float] = []

    def listings() -> Iterator[Listing]:
        for venue, body in pages(markets // COPIES):
            for copy in range(COPIES):
                started = time.perf_counter()
                found = parse(venue, body, START)
                parsing.append(time.perf_counter() - started)
                yield from (_renamed(listing, copy) for listing in found)

    with scratch_tables():
        trust, categories, run = Trust.of(None), Categories(), Run("kalshi", "markets")
        storing, kept = 0.0, []
        for batch in chunks(islice(listings(), markets), CHUNK):
            started = time.perf_counter()
            store_listings(run, batch, categories, trust)
            storing += time.perf_counter() - started
            kept += [_changed(listing) for listing in batch[::100]]
        started = time.perf_counter()
        store_listings(run, kept, categories, trust)
        changed_s = time.perf_counter() - started
        stored = Market.objects.count()
    seconds = sum(parsing) + storing
    return {
        "name": "universe",
        "markets": stored,
        "parse_seconds": round(sum(parsing), 1),
        "store_seconds": round(seconds, 1),
        "candidate_seconds": None,
        "seconds": round(seconds, 1),
        "changed": len(kept),
        "changed_seconds": round(changed_s, 2),
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "limit": 45,
        "hold": "store_seconds <= 45 and changed_seconds <= 5",
        "passed": seconds <= 45 and changed_s <= 5,
        "n": 1,
    }


def _renamed(listing: Listing, copy: int) -> Listing:
    """The same market under the ids of one copy of its world."""
    market, event, quote = listing.market, listing.event, listing.quote
    ref, event_ref = f"{market.ref}~{copy}", f"{market.event_ref}~{copy}"
    return Listing(
        replace(market, ref=ref, event_ref=event_ref),
        quote and replace(quote, ref=ref),
        event and replace(event, ref=event_ref),
    )


def _changed(listing: Listing) -> Listing:
    at = START + timedelta(minutes=15)
    market = replace(listing.market, title=listing.market.title + " (amended)", received_at=at)
    quote = listing.quote and replace(listing.quote, received_at=at)
    return replace(listing, market=market, quote=quote)
