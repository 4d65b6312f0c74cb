"""Events, markets, their sides and fees: a light pass finds what changed, a full pass writes it.

The light pass stages (key, content hash) of everything seen; only rows that are new or differ
travel whole. A universe of which one per cent changed costs one per cent.
"""

import re
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from functools import lru_cache
from hashlib import blake2b
from operator import attrgetter
from typing import TypeVar

import msgspec
from django.db import connection, transaction

from arbsite import clock
from markets.quotes import EventInfo, FeeInfo, MarketInfo, PriceRange, canonical
from markets.writing.staging import moment, number, stage, staged, text

Info = TypeVar("Info", EventInfo, MarketInfo)
_JSON = msgspec.json.Encoder()
# jsonb refuses an escaped NUL where text may simply drop it; after an odd backslash it is none.
_NUL = re.compile(r"(?<!\\)((?:\\\\)*)\\u0000")
Words = Callable[[str, str], str]  # (venue, venue's category word) → ours


@dataclass(frozen=True, slots=True)
class Written:
    """What a write did: how many were seen, and the keys that are new or changed."""

    seen: int = 0
    created: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()


def _content(kind: type[EventInfo] | type[MarketInfo]) -> Callable[[object], object]:
    return attrgetter(*(f.name for f in fields(kind) if f.name not in {"received_at", "venue_ts"}))


_CONTENT = {kind: _content(kind) for kind in (EventInfo, MarketInfo)}


def content_hash(info: EventInfo | MarketInfo) -> str:
    """A fingerprint of everything about a listing but the time it was received."""
    return blake2b(_JSON.encode(_CONTENT[type(info)](info)), digest_size=16).hexdigest()


def rules_hash(rules: str) -> str:
    """The fingerprint that a match decision is bound to; empty rules have none."""
    return blake2b(rules.encode(errors="replace"), digest_size=16).hexdigest() if rules else ""


def _changed(table: str, hashes: dict[str, str]) -> dict[str, bool]:
    """Keys whose stored hash differs, each with whether it already exists."""
    lines = (f"{text(key)}\t{value}\n" for key, value in sorted(hashes.items()))
    with staged("stage_hash", "key text, content_hash text", lines) as cursor:
        cursor.execute("ANALYZE stage_hash")  # else the whole table is read for each batch
        cursor.execute(
            f"SELECT s.key, t.key IS NOT NULL FROM stage_hash s LEFT JOIN {table} t USING (key)"
            " WHERE t.content_hash IS DISTINCT FROM s.content_hash"
        )
        return dict(cursor.fetchall())


def _json(value: object) -> str:
    return text(_NUL.sub(r"\1", _JSON.encode(value).decode()))


# --- events

_EVENT_COLUMNS = (
    "key, venue_id, ref, title, subtitle, category, venue_category, series, exclusive, exhaustive,"
    " close_time, url, sources, tags, facts, content_hash, venue_ts, received_at"
)
_EVENT_STAGE = (
    "key text, venue_id text, ref text, title text, subtitle text, category text,"
    " venue_category text, series text, exclusive boolean, exhaustive boolean,"
    " close_time timestamptz, url text, sources jsonb, tags jsonb, facts jsonb,"
    " content_hash text, venue_ts timestamptz, received_at timestamptz"
)
# `exhaustive` is a person's word once given: a venue that says nothing does not take it back.
_UPSERT_EVENT = f"""
INSERT INTO markets_event AS e ({_EVENT_COLUMNS}, created_at)
SELECT {_EVENT_COLUMNS}, received_at FROM stage_event ORDER BY key
ON CONFLICT (key) DO UPDATE SET
    title = excluded.title, subtitle = excluded.subtitle, category = excluded.category,
    venue_category = excluded.venue_category, series = excluded.series,
    exclusive = excluded.exclusive, exhaustive = coalesce(excluded.exhaustive, e.exhaustive),
    close_time = excluded.close_time, url = excluded.url, sources = excluded.sources,
    tags = excluded.tags, facts = excluded.facts, content_hash = excluded.content_hash,
    venue_ts = excluded.venue_ts, received_at = excluded.received_at
WHERE excluded.received_at >= e.received_at
RETURNING key
"""
_EVENT_TO_MARKETS = """
UPDATE markets_market m SET
    category = CASE WHEN m.venue_category = '' THEN e.category ELSE m.category END,
    series = CASE WHEN e.series <> '' THEN e.series ELSE m.series END
FROM markets_event e JOIN stage_event s ON s.key = e.key
WHERE m.event_id = e.id
  AND (m.venue_category = '' AND m.category <> e.category
       OR e.series <> '' AND m.series <> e.series)
"""
# An UPDATE visits its rows in any order: whoever changes several markets locks them by key first.
_LOCK_OF_EVENTS = """
SELECT 1 FROM markets_market m JOIN markets_event e ON e.id = m.event_id
JOIN stage_event s ON s.key = e.key ORDER BY m.key FOR UPDATE OF m
"""


def write_events(events: Iterable[EventInfo], category_of: Words) -> Written:
    """Upsert events; markets without a category or series of their own take the event's."""
    newest = {canonical(event.venue, event.ref): event for event in events}
    found = _changed("markets_event", {k: content_hash(e) for k, e in newest.items()})
    lines = [_event_line(key, newest[key], category_of) for key in sorted(found)]
    if lines:
        with staged("stage_event", _EVENT_STAGE, lines) as cursor:
            cursor.execute(_UPSERT_EVENT)
            written = {row[0] for row in cursor}
            cursor.execute(_LOCK_OF_EVENTS)
            cursor.execute(_EVENT_TO_MARKETS)
            write_fees([e.fee for k, e in newest.items() if k in written and e.fee])
    return _written(len(newest), found)


def _event_line(key: str, event: EventInfo, category_of: Words) -> str:
    category = category_of(event.venue, event.category)
    return "\t".join(
        (
            text(key), event.venue, text(event.ref), text(event.title), text(event.subtitle),
            category, text(event.category), text(event.series), _flag(event.exclusive),
            _flag(event.exhaustive), moment(event.close_time), text(event.url),
            _json(event.sources), _json(event.tags), _json(event.facts), content_hash(event),
            moment(event.venue_ts), moment(event.received_at),
        )
    ) + "\n"  # fmt: skip


def _flag(value: bool | None) -> str:
    return "\\N" if value is None else "t" if value else "f"


def _written(seen: int, found: dict[str, bool]) -> Written:
    return Written(
        seen,
        tuple(key for key, exists in found.items() if not exists),
        tuple(key for key, exists in found.items() if exists),
    )


# --- markets

_MARKET_VALUES = (
    "ref text, title text, subtitle text, rules text, rules_hash text, status text, "
    "venue_status text, kind text, result text, settlement_value numeric(12,6), price_ranges jsonb,"
    " size_step numeric(12,6), min_size numeric(12,6), open_time timestamptz, "
    "close_time timestamptz, expected_time timestamptz, venue_category text, series text, "
    "url text, facts jsonb, content_hash text, venue_ts timestamptz, received_at timestamptz"
)
_MARKET_NAMES = [column.split()[0] for column in _MARKET_VALUES.split(", ")]
_MARKET_STAGE = (
    f"key text, venue_id text, event_key text, event_ref text, category text, {_MARKET_VALUES}"
)

_STUB_EVENTS = """
INSERT INTO markets_event
    (key, venue_id, ref, title, subtitle, category, venue_category, series, url, sources, tags,
     facts, content_hash, received_at, created_at)
SELECT DISTINCT ON (event_key) event_key, venue_id, event_ref, event_ref, '', category,
       venue_category, series, '', '[]'::jsonb, '[]'::jsonb, '{}'::jsonb, '', received_at,
       received_at
FROM stage_market WHERE event_key IS NOT NULL ORDER BY event_key
ON CONFLICT (key) DO NOTHING
"""
#: What people and the matcher must be told of when it changes.
REVISED = (
    "title", "subtitle", "rules", "status", "result", "settlement_value", "price_ranges",
    "size_step", "open_time", "close_time", "venue_category", "facts",
)  # fmt: skip
_REVISIONS = f"""
INSERT INTO markets_marketrevision (market_id, field, old, new, venue_ts, received_at)
SELECT m.id, v.field, coalesce(v.old, ''), coalesce(v.new, ''), s.venue_ts, s.received_at
FROM stage_market s JOIN markets_market m USING (key)
CROSS JOIN LATERAL (VALUES {", ".join(f"('{f}', m.{f}::text, s.{f}::text)" for f in REVISED)})
    AS v(field, old, new)
WHERE s.received_at >= m.received_at AND v.old IS DISTINCT FROM v.new
ORDER BY m.id, v.field
"""
# The venue's word on the event beats what a connector guesses from the market's name.
_SERIES = "CASE WHEN e.series <> '' THEN e.series ELSE s.series END"
_UPSERT_MARKET = f"""
INSERT INTO markets_market AS m
    (key, venue_id, event_id, category, is_tracked, created_at, {", ".join(_MARKET_NAMES)})
SELECT s.key, s.venue_id, e.id,
       CASE WHEN s.venue_category = '' THEN coalesce(e.category, s.category) ELSE s.category END,
       false, s.received_at,
       {", ".join(_SERIES if name == "series" else f"s.{name}" for name in _MARKET_NAMES)}
FROM stage_market s LEFT JOIN markets_event e ON e.key = s.event_key ORDER BY s.key
ON CONFLICT (key) DO UPDATE SET
    event_id = excluded.event_id, category = excluded.category,
    {", ".join(f"{name} = excluded.{name}" for name in _MARKET_NAMES if name != "ref")}
WHERE excluded.received_at >= m.received_at
RETURNING key
"""
_LOCK = "SELECT 1 FROM markets_market m JOIN stage_market USING (key) ORDER BY key FOR UPDATE OF m"
_NOT_OPEN = """
UPDATE markets_latestquote l SET is_tradable = false
FROM stage_market s JOIN markets_market m USING (key)
JOIN markets_outcome o ON o.market_id = m.id
WHERE l.outcome_id = o.id AND l.is_tradable AND m.status <> 'open'
"""
_UPSERT_OUTCOME = """
INSERT INTO markets_outcome AS o (market_id, index, label, token)
SELECT m.id, s.index, s.label, s.token
FROM stage_outcome s JOIN markets_market m USING (key) ORDER BY m.id, s.index
ON CONFLICT (market_id, index) DO UPDATE SET label = excluded.label, token = excluded.token
WHERE (o.label, o.token) IS DISTINCT FROM (excluded.label, excluded.token)
"""


def write_markets(markets: Sequence[MarketInfo], category_of: Words) -> Written:
    """Upsert markets with their sides and fees, and record each dated change of what they are.

    Atomic. The newest `received_at` wins against a writer that comes later with older news.
    """
    newest = {market.key: market for market in markets}
    hashes = {key: content_hash(market) for key, market in newest.items()}
    with transaction.atomic():
        found = _changed("markets_market", hashes)
        if found:
            chosen = [(key, newest[key], hashes[key]) for key in sorted(found)]
            _write_chosen(chosen, category_of, has_known=any(found.values()))
    return _written(len(newest), found)


def _write_chosen(
    chosen: Sequence[tuple[str, MarketInfo, str]], category_of: Words, has_known: bool
) -> None:
    with connection.cursor() as cursor:
        lines = (_market_line(key, market, mark, category_of) for key, market, mark in chosen)
        stage(cursor, "stage_market", _MARKET_STAGE, lines)
        cursor.execute(_STUB_EVENTS)
        if has_known:
            cursor.execute("ANALYZE stage_market")
            cursor.execute(_LOCK)
            cursor.execute(_REVISIONS)
        cursor.execute(_UPSERT_MARKET)
        # What lost against newer news must not leave its sides and fees behind either.
        written = {row[0] for row in cursor}
        if has_known:
            cursor.execute(_NOT_OPEN)
        sides = (
            f"{text(key)}\t{side.index}\t{text(side.label)}\t{text(side.token)}\n"
            for key, market, _ in chosen
            if key in written
            for side in market.outcomes
        )
        stage(cursor, "stage_outcome", "key text, index smallint, label text, token text", sides)
        cursor.execute(_UPSERT_OUTCOME)
    write_fees([market.fee for key, market, _ in chosen if market.fee and key in written])


def _market_line(key: str, market: MarketInfo, mark: str, category_of: Words) -> str:
    event_key = canonical(market.venue, market.event_ref) if market.event_ref else None
    return "\t".join(
        (
            text(key), market.venue, text(event_key), text(market.event_ref),
            category_of(market.venue, market.category), text(market.ref), text(market.title),
            text(market.subtitle), text(market.rules), rules_hash(market.rules), market.status,
            text(market.venue_status), market.kind, text(market.result),
            number(market.settlement_value), _ranges(market.price_ranges), number(market.size_step),
            number(market.min_size), moment(market.open_time), moment(market.close_time),
            moment(market.expected_time), text(market.category), text(market.series),
            text(market.url), _json(market.facts), mark, moment(market.venue_ts),
            moment(market.received_at),
        )
    ) + "\n"  # fmt: skip


@lru_cache(maxsize=4096)
def _ranges(ranges: tuple[PriceRange, ...]) -> str:
    return _json([(str(r.start), str(r.end), str(r.step)) for r in ranges])


# --- fees

_FEE_STAGE = (
    "venue_id text, scope text, scope_ref text, formula text, values jsonb, dated timestamptz"
)
# A dated fact is kept under its date; an undated one only where it differs from the one in force.
_INSERT_FEE = """
INSERT INTO markets_feeschedule
    (venue_id, scope, scope_ref, formula, values, effective_from, source, received_at)
SELECT DISTINCT ON (s.venue_id, s.scope, s.scope_ref, effective_from)
       s.venue_id, s.scope, s.scope_ref, s.formula, s.values,
       coalesce(s.dated, %(now)s) AS effective_from, 'venue', %(now)s
FROM stage_fee s
LEFT JOIN LATERAL (
    SELECT f.formula, f.values FROM markets_feeschedule f
    WHERE f.venue_id = s.venue_id AND f.scope = s.scope AND f.scope_ref = s.scope_ref
      AND f.effective_from <= coalesce(s.dated, %(now)s) AND f.source = 'venue'
    ORDER BY f.effective_from DESC LIMIT 1) l ON true
WHERE (l.formula, l.values) IS DISTINCT FROM (s.formula, s.values)
  -- "As in the wider scope" says something only where this scope had its own word before.
  AND NOT (l.formula IS NULL AND s.formula = 'inherit' AND s.values = '{}'::jsonb)
ORDER BY s.venue_id, s.scope, s.scope_ref, effective_from
ON CONFLICT (venue_id, scope, scope_ref, effective_from) DO UPDATE SET
    formula = excluded.formula, values = excluded.values, received_at = excluded.received_at
"""


def write_fees(fees: Iterable[FeeInfo], at: datetime | None = None) -> int:
    """Record fee facts that are new or differ from what is in force; returns how many."""
    lines = [
        f"{fee.venue}\t{fee.scope}\t{text(fee.scope_ref)}\t{text(fee.formula)}\t"
        f"{_json(dict(fee.values))}\t{moment(fee.effective_from)}\n"
        for fee in sorted(fees, key=lambda f: (f.venue, f.scope, f.scope_ref))
    ]
    if not lines:
        return 0
    with staged("stage_fee", _FEE_STAGE, lines) as cursor:
        cursor.execute(_INSERT_FEE, {"now": at or clock.now()})
        return int(cursor.rowcount)


# --- ids


def outcome_ids(keys: Collection[str]) -> dict[str, tuple[int, bool]]:
    """By market key: the id of outcome 0, and whether the market is tracked."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT m.key, o.id, m.is_tracked FROM markets_market m"
            " JOIN markets_outcome o ON o.market_id = m.id AND o.index = 0 WHERE m.key = ANY(%s)",
            [list(keys)],
        )
        return {key: (outcome_id, is_tracked) for key, outcome_id, is_tracked in cursor}
