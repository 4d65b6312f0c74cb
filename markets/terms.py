"""What applies to a market now: the fees of its scopes taken together, and what is announced."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import reduce

from django.db.models import Q

from markets.models import FeeSchedule, Market

_WIDEST_FIRST = ("venue", "series", "event", "market")
#: As in the scope above, apart from the values that the row names.
INHERIT = "inherit"
#: The venue charges something that we cannot compute: nothing may be ordered.
UNKNOWN = "unknown"


@dataclass(frozen=True)
class Fee:
    """A fee with its values resolved. `row` is the narrowest one that had a say in it."""

    formula: str
    values: Mapping[str, str]
    row: FeeSchedule

    @property
    def scope(self) -> str:
        """The narrowest scope that had a say."""
        return self.row.scope

    @property
    def effective_from(self) -> datetime:
        """Since when that scope has said so."""
        return self.row.effective_from


@dataclass(frozen=True)
class Fees:
    """`now` is in force (None: the venue states none); `later` is what follows, soonest first.

    `waived_until`: the venue charges nothing before then; None when it charges.
    """

    now: Fee | None
    later: tuple[FeeSchedule, ...]
    waived_until: datetime | None = None

    @property
    def is_known(self) -> bool:
        """Whether a cost can be computed, without which nothing may be ordered."""
        return self.now is not None and self.now.formula != UNKNOWN


def fees_of(market: Market, at: datetime) -> Fees:
    """The fees of a market at a time: each scope overrides what the wider ones said."""
    rows = list(FeeSchedule.objects.filter(_scopes(market), venue=market.venue_id))
    rows.sort(key=lambda row: row.effective_from)
    begun = {row.scope: row for row in rows if row.effective_from <= at}  # the newest of each
    said = [begun[scope] for scope in _WIDEST_FIRST if scope in begun]
    later = tuple(row for row in rows if row.effective_from > at)
    return Fees(reduce(_narrowed, said, None), later, _waived_until(market, at))


def _narrowed(wider: Fee | None, row: FeeSchedule) -> Fee | None:
    """What holds once a narrower scope has spoken; a value that it leaves out holds as before."""
    if row.formula == INHERIT and not row.values:
        return wider
    before = wider.formula if wider else UNKNOWN
    formula = before if row.formula == INHERIT else row.formula
    kept = wider.values if wider and before in (formula, UNKNOWN) else {}
    return Fee(formula, {**kept, **row.values}, row)


def _waived_until(market: Market, at: datetime) -> datetime | None:
    try:
        until = datetime.fromisoformat(market.facts["fee_waiver_expiration_time"])
    except (KeyError, TypeError, ValueError):  # the venue's text: none, or not a time
        return None
    return until if until.tzinfo is not None and until > at else None


def _scopes(market: Market) -> Q:
    wanted = Q(scope="venue") | Q(scope="market", scope_ref=market.ref)
    if market.series:
        wanted |= Q(scope="series", scope_ref=market.series)
    if market.event is not None:
        wanted |= Q(scope="event", scope_ref=market.event.ref)
    return wanted
