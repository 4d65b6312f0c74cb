"""Charts as JSON: what is drawn, never how it looks. One static script gives it the theme.

Each trace says its `role` (band, bid, ask, mid, volume); colours, fonts and sizes belong to
static/arbsite/charts.js. Statistics are floats here: a chart decides nothing.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import connection

from markets.models import Candle, Gap, LatestQuote, Outcome

#: Hours shown → width of the candles they are drawn from, in seconds, finest first.
SPANS = {24: (60, 300, 3600), 168: (3600,)}
#: Quotes are thinned to the last one of each of this many parts of the span.
_PARTS = 720

_THINNED = """
SELECT DISTINCT ON (part) received_at, bid, ask, last FROM (
    SELECT received_at, bid, ask, last, id,
           floor(extract(epoch FROM received_at) / %(width)s) AS part
    FROM markets_quote
    WHERE outcome_id = %(outcome)s AND received_at > %(start)s AND received_at <= %(end)s
) AS quotes ORDER BY part, received_at DESC, id DESC
"""


@dataclass(frozen=True, slots=True)
class Point:
    """Prices from a time on; all None where nothing is known (a gap)."""

    at: datetime
    bid: Decimal | None = None
    ask: Decimal | None = None
    last: Decimal | None = None
    volume: Decimal | None = None

    @property
    def middle(self) -> Decimal | None:
        """Between bid and ask; with one missing, what was last traded."""
        if self.bid is not None and self.ask is not None:
            return (self.bid + self.ask) / 2
        return self.last


def price_figure(outcome: Outcome, now: datetime, hours: int) -> dict[str, Any]:
    """The price of one outcome over the last `hours` (a key of SPANS), gaps left open."""
    start = now - timedelta(hours=hours)
    points = _candle_points(outcome, start, now, SPANS[hours])
    quotes_from = points[-1].at if points else start
    points += _quote_points(outcome, max(quotes_from, start), now, hours)
    points += _present(outcome, points, now)
    holes = _holes(outcome, start, now)
    return {
        "hours": hours,
        "from": start.isoformat(),
        "to": now.isoformat(),
        "points": len(points),
        "gaps": [[a.isoformat(), b.isoformat(), reason] for a, b, reason in holes],
        "traces": _traces(_broken(points, [(a, b) for a, b, _ in holes])),
    }


def _candle_points(
    outcome: Outcome, start: datetime, now: datetime, widths: Sequence[int]
) -> list[Point]:
    """Candle ends; where widths overlap, the finest that reaches there."""
    points: list[Point] = []
    until = now
    for seconds in widths:
        width = timedelta(seconds=seconds)
        rows = Candle.objects.filter(
            outcome=outcome, seconds=seconds, start__gte=start - width, start__lt=until
        ).order_by("start", "source")
        found = {
            row.start + width: Point(
                row.start + width, row.bid_close, row.ask_close, row.close, row.volume
            )
            for row in rows
            if row.start + width <= until
        }
        points = list(found.values()) + points
        until = points[0].at if points else until
    return points


def _quote_points(outcome: Outcome, start: datetime, now: datetime, hours: int) -> list[Point]:
    values: dict[str, Any] = {
        "outcome": outcome.pk,
        "start": start,
        "end": now,
        "width": hours * 3600 / _PARTS,
    }
    with connection.cursor() as cursor:
        cursor.execute(_THINNED, values)
        return [Point(at, bid, ask, last) for at, bid, ask, last in cursor.fetchall()]


def _present(outcome: Outcome, points: Sequence[Point], now: datetime) -> list[Point]:
    """The latest quote, up to when it was last confirmed; beyond that nothing is drawn."""
    quote = LatestQuote.objects.filter(outcome=outcome).first()
    if quote is None or (points and quote.checked_at <= points[-1].at):
        return []
    return [Point(min(quote.checked_at, now), quote.bid, quote.ask, quote.last)]


def _holes(
    outcome: Outcome, start: datetime, now: datetime
) -> list[tuple[datetime, datetime, str]]:
    """Stretches in which this series was not collected and that nobody has repaired."""
    market = outcome.market
    gaps = Gap.objects.filter(
        venue=market.venue_id,
        job__in=("quotes", "markets") if not market.is_tracked else ("quotes",),
        repaired_at=None,
        ended_at__gt=start,
        started_at__lt=now,
    ).order_by("started_at")
    return [
        (max(gap.started_at, start), min(gap.ended_at, now), gap.reason)
        for gap in gaps
        if gap.outcome_id in (None, outcome.pk)
    ]


def _broken(points: Iterable[Point], holes: Iterable[tuple[datetime, datetime]]) -> list[Point]:
    """The points with an empty one where a hole goes silent.

    A repair may have filled part of it: the line breaks only where most of the hole holds none.
    """
    result = sorted(points, key=lambda point: point.at)
    for started, ended in holes:
        inside = [point.at for point in result if started < point.at < ended]
        edges = [started, *inside, ended]
        silences = [(b - a, a) for a, b in zip(edges, edges[1:], strict=False)]
        longest, since = max(silences)
        if longest > (ended - started) / 2:
            result.append(Point(since))
    return sorted(result, key=lambda point: point.at)


def _traces(points: Sequence[Point]) -> list[dict[str, Any]]:
    at = [point.at.isoformat() for point in points]
    traces: list[dict[str, Any]] = [
        {"role": "bid", "name": "Bid", "x": at, "y": [_cents(p.bid) for p in points]},
        {"role": "ask", "name": "Ask", "x": at, "y": [_cents(p.ask) for p in points]},
        {"role": "mid", "name": "Mid", "x": at, "y": [_cents(p.middle) for p in points]},
    ]
    traces = [trace for trace in traces if any(y is not None for y in trace["y"])]
    traded = [point for point in points if point.volume]
    if traded:
        x = [point.at.isoformat() for point in traded]
        y = [float(point.volume or 0) for point in traded]
        traces.append({"role": "volume", "name": "Volume", "x": x, "y": y})
    return traces


def _cents(price: Decimal | None) -> float | None:
    return None if price is None else float(price * 100)
