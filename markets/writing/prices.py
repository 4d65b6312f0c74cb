"""Quotes, books, trades and candles: staged, ordered by outcome, guarded by time."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import pairwise

import msgspec

from markets.quotes import CandleInfo, Level, OrderBook, Quote, TradePrint
from markets.writing.partitions import ensure_partitions
from markets.writing.staging import moment, number, staged, text

_QUOTE_STAGE = (
    "outcome_id bigint, bid numeric(12,6), ask numeric(12,6), bid_size numeric(20,6),"
    " ask_size numeric(20,6), last numeric(12,6), flags text, volume_24h numeric(20,6),"
    " open_interest numeric(20,6), venue_ts timestamptz, received_at timestamptz,"
    " is_newest boolean, novelty text"
)
# A quote that says nothing of the last trade (a book) does not say that there was none.
_DIFFERS = (
    "(s.bid, s.ask, s.bid_size, s.ask_size, coalesce(s.last, l.last), s.flags)"
    " IS DISTINCT FROM (l.bid, l.ask, l.bid_size, l.ask_size, l.last, l.flags)"
)

# Only a change is history. `novelty` says what is known within the batch: (c)ompare with what was
# latest, (n)ew figures, (r)epeat of the row before.
_APPEND = f"""
INSERT INTO markets_quote
    (outcome_id, bid, ask, bid_size, ask_size, last, flags, venue_ts, received_at)
SELECT s.outcome_id, s.bid, s.ask, s.bid_size, s.ask_size, s.last, s.flags, s.venue_ts,
       s.received_at
FROM stage_quote s LEFT JOIN markets_latestquote l ON l.outcome_id = s.outcome_id
WHERE (l.outcome_id IS NULL OR s.received_at > l.checked_at)
  AND (s.novelty = 'n' OR s.novelty = 'c' AND (l.outcome_id IS NULL OR {_DIFFERS}))
"""

_UPSERT = f"""
INSERT INTO markets_latestquote AS l
    (outcome_id, bid, ask, bid_size, ask_size, last, volume_24h, open_interest, flags,
     is_tradable, venue_ts, received_at, checked_at)
SELECT outcome_id, bid, ask, bid_size, ask_size, last, volume_24h, open_interest, flags,
       flags = '', venue_ts, received_at, received_at
FROM stage_quote WHERE is_newest ORDER BY outcome_id
ON CONFLICT (outcome_id) DO UPDATE SET
    bid = excluded.bid, ask = excluded.ask, bid_size = excluded.bid_size,
    ask_size = excluded.ask_size, last = coalesce(excluded.last, l.last),
    volume_24h = coalesce(excluded.volume_24h, l.volume_24h),
    open_interest = coalesce(excluded.open_interest, l.open_interest),
    flags = excluded.flags, is_tradable = excluded.is_tradable, venue_ts = excluded.venue_ts,
    received_at = CASE WHEN {_DIFFERS.replace("s.", "excluded.")}
                  THEN excluded.received_at ELSE l.received_at END,
    checked_at = excluded.checked_at
WHERE excluded.checked_at >= l.checked_at
"""


@dataclass(frozen=True, slots=True)
class QuoteRow:
    """A quote with the outcome it belongs to and what was found wrong with it."""

    outcome_id: int
    quote: Quote
    flags: str = ""


def write_quotes(rows: Iterable[QuoteRow]) -> dict[str, int]:
    """Append what changed and refresh LatestQuote, in one transaction.

    Returns counts: `quotes` seen, `changed` appended, `latest` refreshed. The caller may send
    several quotes of one outcome; repeats of the same figures within the batch are dropped.
    """
    ordered = sorted(rows, key=_by_outcome_and_time)
    if not ordered:
        return {"quotes": 0, "changed": 0, "latest": 0}
    ensure_partitions({row.quote.received_at.date() for row in ordered})
    with staged("stage_quote", _QUOTE_STAGE, _quote_lines(ordered)) as cursor:
        cursor.execute(_APPEND)
        changed = cursor.rowcount
        cursor.execute(_UPSERT)
        return {"quotes": len(ordered), "changed": changed, "latest": cursor.rowcount}


def _by_outcome_and_time(row: QuoteRow) -> tuple[int, datetime]:
    return row.outcome_id, row.quote.received_at


def _quote_lines(ordered: Sequence[QuoteRow]) -> Iterator[str]:
    """One COPY line a row; marks each outcome's first and newest, drops repeats in between."""
    previous, figures = -1, ""
    for row, following in pairwise([*ordered, None]):
        assert row is not None
        quote, outcome_id = row.quote, row.outcome_id
        now = (
            f"{number(quote.bid)}\t{number(quote.ask)}\t{number(quote.bid_size)}\t"
            f"{number(quote.ask_size)}\t{number(quote.last)}\t{row.flags}"
        )
        novelty = "c" if outcome_id != previous else "r" if now == figures else "n"
        is_newest = following is None or following.outcome_id != outcome_id
        if is_newest or novelty != "r":
            yield (
                f"{outcome_id}\t{now}\t{number(quote.volume_24h)}\t"
                f"{number(quote.open_interest)}\t{moment(quote.venue_ts)}\t"
                f"{moment(quote.received_at)}\t{'t' if is_newest else 'f'}\t{novelty}\n"
            )
        previous, figures = outcome_id, now


_VOLUMES = """
UPDATE markets_latestquote l SET volume_24h = s.volume
FROM (SELECT outcome_id, volume FROM stage_volume ORDER BY outcome_id) s
WHERE l.outcome_id = s.outcome_id AND l.volume_24h IS DISTINCT FROM s.volume
"""


def write_volumes(volumes: Mapping[int, Decimal | None]) -> int:
    """Refresh the day's volume alone, where the price beside it is not to be trusted."""
    lines = [
        f"{key}\t{number(volumes[key])}\n" for key in sorted(volumes) if volumes[key] is not None
    ]
    if not lines:
        return 0
    with staged("stage_volume", "outcome_id bigint, volume numeric(20,6)", lines) as cursor:
        # Locked in order first: an UPDATE visits its rows in whatever order the plan has.
        cursor.execute(
            "SELECT 1 FROM markets_latestquote l JOIN stage_volume s USING (outcome_id)"
            " ORDER BY outcome_id FOR UPDATE OF l"
        )
        cursor.execute(_VOLUMES)
        return int(cursor.rowcount)


_BOOK_STAGE = (
    "outcome_id bigint, bids jsonb, asks jsonb, flags text, checksum text,"
    " venue_ts timestamptz, received_at timestamptz"
)
_UPSERT_BOOK = """
INSERT INTO markets_latestbook AS l
    (outcome_id, bids, asks, flags, checksum, venue_ts, received_at)
SELECT outcome_id, bids, asks, flags, checksum, venue_ts, received_at
FROM stage_book ORDER BY outcome_id
ON CONFLICT (outcome_id) DO UPDATE SET
    bids = excluded.bids, asks = excluded.asks, flags = excluded.flags,
    checksum = excluded.checksum, venue_ts = excluded.venue_ts, received_at = excluded.received_at
WHERE excluded.received_at >= l.received_at
"""
_APPEND_BOOK = """
INSERT INTO markets_booksnapshot (outcome_id, bids, asks, flags, venue_ts, received_at)
SELECT s.outcome_id, s.bids, s.asks, s.flags, s.venue_ts, s.received_at FROM stage_book s
WHERE NOT EXISTS (SELECT 1 FROM markets_booksnapshot k
                  WHERE k.outcome_id = s.outcome_id AND k.received_at = s.received_at)
"""


def write_books(
    rows: Iterable[tuple[int, OrderBook, str]], keep_snapshot: bool = True
) -> dict[str, int]:
    """Refresh LatestBook from (outcome id, book, flags); keep a snapshot of each if asked.

    A batch holds one book an outcome: the last one given wins.
    """
    newest = {outcome_id: (book, flags) for outcome_id, book, flags in rows}
    if not newest:
        return {"books": 0, "snapshots": 0}
    ensure_partitions({book.received_at.date() for book, _ in newest.values()})
    lines = (_book_line(key, *newest[key]) for key in sorted(newest))
    with staged("stage_book", _BOOK_STAGE, lines) as cursor:
        kept = 0
        if keep_snapshot:
            cursor.execute(_APPEND_BOOK)
            kept = cursor.rowcount
        cursor.execute(_UPSERT_BOOK)
        return {"books": cursor.rowcount, "snapshots": kept}


def _book_line(outcome_id: int, book: OrderBook, flags: str) -> str:
    return (
        f"{outcome_id}\t{_levels(book.bids)}\t{_levels(book.asks)}\t{flags}\t"
        f"{text(book.checksum)}\t{moment(book.venue_ts)}\t{moment(book.received_at)}\n"
    )


def _levels(levels: Sequence[Level]) -> str:
    return msgspec.json.encode([(str(x.price), str(x.size)) for x in levels]).decode()


_TRADE_STAGE = (
    "outcome_id bigint, trade_id text, price numeric, size numeric, taker_side text,"
    " traded_at timestamptz, received_at timestamptz"
)
_UPSERT_TRADE = """
INSERT INTO markets_tradeprint
    (outcome_id, trade_id, price, size, taker_side, traded_at, received_at)
SELECT outcome_id, trade_id, price, size, taker_side, traded_at, received_at
FROM stage_trade ORDER BY outcome_id, trade_id
ON CONFLICT (outcome_id, trade_id) DO NOTHING
"""


def write_trades(rows: Iterable[tuple[int, TradePrint]]) -> int:
    """Append trades not seen before; returns how many were new."""
    lines = [
        f"{outcome_id}\t{text(trade.trade_id)}\t{number(trade.price)}\t{number(trade.size)}\t"
        f"{trade.taker_side}\t{moment(trade.traded_at)}\t{moment(trade.received_at)}\n"
        for outcome_id, trade in rows
    ]
    if not lines:
        return 0
    with staged("stage_trade", _TRADE_STAGE, lines) as cursor:
        cursor.execute(_UPSERT_TRADE)
        return int(cursor.rowcount)


_CANDLE_FIELDS = ("open", "high", "low", "close", "bid_close", "ask_close", "volume")
_CANDLE_STAGE = (
    "outcome_id bigint, seconds integer, start timestamptz, source text, received_at timestamptz, "
    + ", ".join(f"{name} numeric" for name in _CANDLE_FIELDS)
)
_CANDLE_COLUMNS = "outcome_id, seconds, start, source, received_at, " + ", ".join(_CANDLE_FIELDS)
_UPSERT_CANDLE = f"""
INSERT INTO markets_candle AS c ({_CANDLE_COLUMNS})
SELECT DISTINCT ON (outcome_id, seconds, start, source) {_CANDLE_COLUMNS}
FROM stage_candle ORDER BY outcome_id, seconds, start, source, received_at DESC
ON CONFLICT (outcome_id, seconds, start, source) DO UPDATE SET
    {", ".join(f"{name} = excluded.{name}" for name in _CANDLE_FIELDS)},
    received_at = excluded.received_at
WHERE excluded.received_at >= c.received_at
"""


def write_candles(rows: Iterable[tuple[int, CandleInfo]]) -> int:
    """Insert candles, or correct the ones already there with newer figures."""
    lines = [_candle_line(outcome_id, candle) for outcome_id, candle in rows]
    if not lines:
        return 0
    with staged("stage_candle", _CANDLE_STAGE, lines) as cursor:
        cursor.execute(_UPSERT_CANDLE)
        return int(cursor.rowcount)


def _candle_line(outcome_id: int, candle: CandleInfo) -> str:
    figures: list[Decimal | None] = [getattr(candle, name) for name in _CANDLE_FIELDS]
    numbers = "\t".join(number(figure) for figure in figures)
    return (
        f"{outcome_id}\t{candle.seconds}\t{moment(candle.start)}\t{candle.source}\t"
        f"{moment(candle.received_at)}\t{numbers}\n"
    )
