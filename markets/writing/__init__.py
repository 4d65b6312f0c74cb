"""How rows are written: COPY into a staging table, then ordered, guarded upserts.

Every multi-row write is sorted by key (unsorted ones deadlock) and guarded by `received_at` (the
newest wins whoever comes last). One call is one transaction: whole or absent.
"""

from markets.writing.listings import write_events, write_fees, write_markets
from markets.writing.partitions import ensure_partitions, partitions
from markets.writing.prices import (
    QuoteRow,
    write_books,
    write_candles,
    write_quotes,
    write_trades,
    write_volumes,
)

__all__ = [
    "QuoteRow",
    "ensure_partitions",
    "partitions",
    "write_books",
    "write_candles",
    "write_events",
    "write_fees",
    "write_markets",
    "write_quotes",
    "write_trades",
    "write_volumes",
]
