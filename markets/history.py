"""Candles: a chart is full at once, and stays full.

Hours are kept for every tracked market; minutes for the most traded ones, and for any market
whose page somebody opens.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Max

from arbsite import clock
from markets.models import Candle, LatestQuote, Market
from markets.runs import Run, recording
from markets.storing import Tracked, known_markets, store_candles, tracked
from markets.venues import get_connector
from markets.venues.base import History, VenueError

#: What a venue's own candles are made of; candles that we roll ourselves carry other names.
SOURCES = ("trade", "mid")
#: Wall seconds a run may take; what is left waits for the next one.
PATIENCE = 20.0
#: When this process last asked for the candles of an outcome, by width (monotonic seconds).
_asked: dict[tuple[int, int], float] = {}


@dataclass(frozen=True)
class Width:
    """Candles of `seconds`, `back` in time on the first fetch, for the `most` traded markets."""

    seconds: int
    back: timedelta
    most: int
    due: timedelta


HOURS = Width(3600, timedelta(days=7), 100_000, timedelta(hours=2))
MINUTES = Width(60, timedelta(days=1), 50, timedelta(minutes=5))


def refresh_candles(venue: str) -> dict[str, int]:
    """Fetch the venue's own candles for the tracked markets, those most in need first.

    A market that fails is counted and left for the next run.
    """
    connector = get_connector(venue)
    with recording(venue, "candles") as run:
        run.is_complete = True
        if isinstance(connector, History):
            known = list(tracked(venue).values())
            until = time.monotonic() + PATIENCE
            for width in (HOURS, MINUTES):
                _refresh(run, connector, known, width, until)
    return dict(run.counts)


def fill_chart(market: Market) -> dict[str, int]:
    """Bring both widths of one market up to date, for the page that shows it."""
    connector = get_connector(market.venue_id)
    with recording(market.venue_id, "chart") as run:
        run.is_complete = True
        if isinstance(connector, History):
            known = list(known_markets(Market.objects.filter(pk=market.pk)).values())
            for width in (HOURS, MINUTES):
                _refresh(run, connector, known, width, time.monotonic() + PATIENCE)
    return dict(run.counts)


def needs_chart(market: Market) -> bool:
    """The market's minutes are missing or old, and its venue could give them."""
    if not isinstance(get_connector(market.venue_id), History):
        return False
    minutes = Candle.objects.filter(
        outcome__market=market, seconds=MINUTES.seconds, source__in=SOURCES
    )
    newest = minutes.aggregate(at=Max("start"))["at"]
    return newest is None or clock.now() - newest > MINUTES.due


def _refresh(
    run: Run, connector: History, known: Sequence[Tracked], width: Width, until: float
) -> None:
    now = clock.now()
    horizon = now - width.back
    ids = [x.outcome_id for x in known]
    newest, volume = _newest(ids, width.seconds), _volumes(ids)
    ranked = sorted(known, key=lambda x: -volume.get(x.outcome_id, 0.0))[: width.most]
    # A market that has none to give stays without candles: it must not always come first.
    ranked.sort(key=lambda x: (_asked.get((x.outcome_id, width.seconds), 0.0),
                               newest.get(x.outcome_id, horizon)))  # fmt: skip
    for market in ranked:
        start = max(newest.get(market.outcome_id, horizon), horizon)
        if time.monotonic() > until:
            break
        if now - start < width.due:
            continue
        _asked[market.outcome_id, width.seconds] = time.monotonic()
        _fetch(run, connector, market, width.seconds, start, now)


def _newest(outcomes: Sequence[int], seconds: int) -> dict[int, datetime]:
    found = Candle.objects.filter(outcome_id__in=outcomes, seconds=seconds, source__in=SOURCES)
    return dict(found.values_list("outcome_id").annotate(at=Max("start")))


def _volumes(outcomes: Sequence[int]) -> dict[int, float]:
    found = LatestQuote.objects.filter(outcome_id__in=outcomes).exclude(volume_24h=None)
    return {pk: float(volume or 0) for pk, volume in found.values_list("outcome_id", "volume_24h")}


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
    store_candles(run, page.items, {market.ref.ref: market})
