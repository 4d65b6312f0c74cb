"""Candles: a chart is full at once, and stays full."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db.models import Max

from arbsite import clock
from markets.ingest import Tracked, tracked
from markets.models import Candle
from markets.runs import Run, recording
from markets.venues import get_connector
from markets.venues.base import History, VenueError
from markets.writing import write_candles

HOUR, MINUTE = 3600, 60
#: How far back each width reaches on the first fetch: hours for the week, minutes for the day.
BACK = {HOUR: timedelta(days=7), MINUTE: timedelta(days=1)}
#: Markets asked for a run: the ones without candles first, then those with the oldest.
PER_RUN = 60


def refresh_candles(venue: str) -> dict[str, int]:
    """Fetch the venue's own candles for some of the tracked markets, most in need first.

    A market that fails is counted and left for the next run.
    """
    connector = get_connector(venue)
    with recording(venue, "candles") as run:
        run.is_complete = True
        if isinstance(connector, History):
            for seconds, back in BACK.items():
                _refresh_width(run, connector, tracked(venue), seconds, back)
    return dict(run.counts)


def _refresh_width(
    run: Run, connector: History, known: dict[str, Tracked], seconds: int, back: timedelta
) -> None:
    now = clock.now()
    newest = _newest([x.outcome_id for x in known.values()], seconds)
    horizon = now - back
    need = sorted(known.values(), key=lambda x: newest.get(x.outcome_id, horizon))
    for market in need[:PER_RUN]:
        start = newest.get(market.outcome_id, horizon)
        if now - start < timedelta(seconds=2 * seconds):
            break  # everything after this one is fresher still
        _fetch(run, connector, market, seconds, max(start, horizon), now)


def _newest(outcomes: Sequence[int], seconds: int) -> dict[int, datetime]:
    found = Candle.objects.filter(outcome_id__in=outcomes, seconds=seconds, source__in=SOURCES)
    return dict(found.values_list("outcome_id").annotate(at=Max("start")))


#: What a venue's own candles are made of; candles we roll ourselves carry other names.
SOURCES = ("trade", "mid")


def _fetch(
    run: Run, connector: History, market: Tracked, seconds: int, start: datetime, end: datetime
) -> None:
    try:
        page = connector.fetch_candles(market.ref, seconds, start, end)
    except VenueError as problem:
        if problem.permanent:
            run.counts["failed"] += 1
            return
        raise
    run.see(page)
    run.is_complete = True
    run.counts["candles"] += write_candles((market.outcome_id, candle) for candle in page.items)
