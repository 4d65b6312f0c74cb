"""MarketRank from markets and their latest quotes: one statement, only rows that changed."""

import time

from django.db import connection, transaction

from markets.models import Market, MarketRank

#: Wall seconds a process waits before a page asks for missing ranks again.
_PATIENCE = 30.0
_LOCK = 0x72616E6B  # "rank"
_asked_at = float("-inf")

# Ordered by key like every multi-row write; the WHERE keeps unchanged rows, and so the indexes,
# untouched. A price that may not be traded on still sorts: the page shows its flags.
_REFRESH = """
INSERT INTO markets_marketrank AS r
    (market_id, venue_id, category, status, is_tracked, close_time, volume_24h, mid, spread)
SELECT m.id, m.venue_id, m.category, m.status, m.is_tracked,
       coalesce(m.close_time, m.expected_time),
       q.volume_24h, (q.bid + q.ask) / 2, q.ask - q.bid
FROM markets_market m
LEFT JOIN markets_outcome o ON o.market_id = m.id AND o.index = 0
LEFT JOIN markets_latestquote q ON q.outcome_id = o.id
LEFT JOIN markets_marketrank r ON r.market_id = m.id
WHERE (r.venue_id, r.category, r.status, r.is_tracked, r.close_time, r.volume_24h, r.mid, r.spread)
    IS DISTINCT FROM
    (m.venue_id, m.category, m.status, m.is_tracked, coalesce(m.close_time, m.expected_time),
     q.volume_24h, ((q.bid + q.ask) / 2)::numeric(12, 6), (q.ask - q.bid)::numeric(12, 6))
ORDER BY m.id
ON CONFLICT (market_id) DO UPDATE SET
    venue_id = excluded.venue_id, category = excluded.category, status = excluded.status,
    is_tracked = excluded.is_tracked, close_time = excluded.close_time,
    volume_24h = excluded.volume_24h, mid = excluded.mid, spread = excluded.spread
WHERE (r.venue_id, r.category, r.status, r.is_tracked, r.close_time, r.volume_24h, r.mid, r.spread)
    IS DISTINCT FROM
    (excluded.venue_id, excluded.category, excluded.status, excluded.is_tracked,
     excluded.close_time, excluded.volume_24h, excluded.mid, excluded.spread)
"""


def refresh_ranks() -> int:
    """Bring every rank up to date; how many changed. Returns 0 when another process is at it."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_LOCK])
        if not cursor.fetchone()[0]:
            return 0
        cursor.execute(_REFRESH)
        return int(cursor.rowcount)


def rank_new_markets() -> None:
    """Refresh when the newest market has no rank yet: a page before the first periodic run."""
    global _asked_at
    if time.monotonic() - _asked_at < _PATIENCE:
        return
    newest = Market.objects.order_by("-id").values_list("id", flat=True).first()
    if newest and not MarketRank.objects.filter(market_id=newest).exists():
        _asked_at = time.monotonic()
        refresh_ranks()
