"""What applies to a market now: the fees of the narrowest scope, and what is announced."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from markets.models import FeeSchedule, Market

_NARROWEST_FIRST = ("market", "event", "series", "venue")


@dataclass(frozen=True)
class Fees:
    """`now` is in force (None: the venue states none); `later` is what follows, soonest first."""

    now: FeeSchedule | None
    later: tuple[FeeSchedule, ...]


def fees_of(market: Market, at: datetime) -> Fees:
    """The fee rows that concern a market at a time, the narrowest scope with a row winning."""
    rows = list(FeeSchedule.objects.filter(_scopes(market), venue=market.venue_id))
    rows.sort(key=lambda row: row.effective_from, reverse=True)
    in_force = next(
        (
            row
            for scope in _NARROWEST_FIRST
            for row in rows
            if row.scope == scope and row.effective_from <= at
        ),
        None,
    )
    later = sorted(
        (row for row in rows if row.effective_from > at), key=lambda row: row.effective_from
    )
    return Fees(in_force, tuple(later))


def _scopes(market: Market) -> Q:
    wanted = Q(scope="venue") | Q(scope="market", scope_ref=market.ref)
    if market.series:
        wanted |= Q(scope="series", scope_ref=market.series)
    if market.event is not None:
        wanted |= Q(scope="event", scope_ref=market.event.ref)
    return wanted
