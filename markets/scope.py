"""Which markets get fast attention: one list of lines, read by everything that chooses.

`deny` keeps a market out whatever else says; if there is any `allow` line, a market must fit one
of each dimension that has one; `watch` puts it first; `mute` hides it without changing what is
tracked.
"""

from collections.abc import Iterable
from datetime import timedelta
from functools import reduce
from operator import or_
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Case, F, IntegerField, Q, QuerySet, Value, When, Window
from django.db.models.functions import RowNumber

from arbsite import clock
from markets import incidents
from markets.models import Market, Scope
from markets.quotes import Status

Dimension = Scope.Dimension
TRACKABLE = [Status.NEW, Status.OPEN, Status.PAUSED]

#: Name → lines (dimension, value), each added as a `watch`. Series as the venues name them.
PRESETS: dict[str, tuple[tuple[str, str], ...]] = {
    "NFL": (("series", "KXNFL"), ("series", "nfl"), ("word", "NFL")),
    "NHL": (("series", "KXNHL"), ("series", "nhl"), ("word", "NHL")),
    "NBA": (("series", "KXNBA"), ("series", "nba"), ("word", "NBA")),
    "College football": (
        ("series", "KXNCAAF"),
        ("series", "cfb"),
        ("word", "college football"),
    ),
    "Politics": (("category", "politics"),),
    "Crypto": (("category", "crypto"),),
}


class ScopeError(ValueError):
    """A line that cannot be kept, in words for the person who typed it."""


def condition(dimension: str, value: str) -> Q:
    """The markets one line speaks of. Raises ScopeError for a value that makes no sense."""
    value = value.strip()
    if not value:
        raise ScopeError("a scope line needs a value")
    if dimension == Dimension.WORD:
        return Q(pk__in=Market.objects.matching(value).values("pk"))
    if dimension == Dimension.DAYS:
        horizon = clock.now() + timedelta(days=_days(value))
        # A venue without a trading cut-off says at least when it expects an answer.
        expected = Q(close_time=None, expected_time__lte=horizon)
        return Q(close_time__lte=horizon) | expected
    simple: dict[str, dict[str, Any]] = {
        Dimension.VENUE: {"venue_id": value},
        Dimension.CATEGORY: {"category": value},
        Dimension.SERIES: {"series__istartswith": value},
        Dimension.MARKET: {"key": value},
    }
    if dimension not in simple:
        raise ScopeError(f"{dimension!r} is not a dimension; allowed: {', '.join(Dimension)}")
    return Q(**simple[dimension])


def _days(value: str) -> float:
    try:
        days = float(value)
    except ValueError:
        days = -1.0
    if not 0 <= days <= 36500:
        raise ScopeError(f"{value!r} is not a number of days; allowed: 0 to 36500")
    return days


def preview(dimension: str, value: str) -> int:
    """How many live markets a line would touch."""
    return Market.objects.live().filter(condition(dimension, value)).count()


def in_scope() -> "QuerySet[Market]":
    """Every market that may be tracked: live, allowed, not denied, its venue enabled."""
    lines = list(Scope.objects.filter(is_enabled=True))
    chosen = Market.objects.filter(status__in=TRACKABLE, venue__is_enabled=True)
    for dimension in Dimension:
        allowed = _any(x for x in lines if x.action == "allow" and x.dimension == dimension)
        if allowed is not None:
            chosen = chosen.filter(allowed)
    denied = _any(x for x in lines if x.action == "deny")
    return chosen if denied is None else chosen.exclude(denied)


def _any(lines: Iterable[Scope]) -> Q | None:
    """Markets that any of the lines speaks of; one without sense is set aside and told."""
    conditions = []
    for line in lines:
        try:
            conditions.append(condition(line.dimension, line.value))
        except ScopeError as problem:
            incidents.report("scope", f"scope line {line} is ignored: {problem}", about=str(line))
    return reduce(or_, conditions) if conditions else None


def choose_tracked() -> dict[str, int]:
    """Set `is_tracked` anew: what is watched first, then the most traded, up to TRACKED_MAX.

    Markets are taken in turn from each venue, so that a small venue is not crowded out.
    """
    wanted = set(_ranked().values_list("pk", flat=True)[: settings.TRACKED_MAX])
    current = set(Market.objects.filter(is_tracked=True).values_list("pk", flat=True))
    _set(sorted(wanted - current), True)
    _set(sorted(current - wanted), False)
    return {"tracked": len(wanted), "added": len(wanted - current), "ended": len(current - wanted)}


def _ranked() -> "QuerySet[Market]":
    watched = _any(Scope.objects.filter(is_enabled=True, action="watch"))
    first: Any = Value(1)
    if watched is not None:
        first = Case(When(watched, then=0), default=1, output_field=IntegerField())
    by_volume = F("rank__volume_24h").desc(nulls_last=True)
    turn = Window(RowNumber(), partition_by=[F("first"), F("venue")], order_by=[by_volume, "pk"])
    return in_scope().annotate(first=first).annotate(turn=turn).order_by("first", "turn", "pk")


def _set(keys: list[int], is_tracked: bool) -> None:
    for start in range(0, len(keys), 1000):
        part = Market.objects.filter(pk__in=keys[start : start + 1000])
        with transaction.atomic():
            # By key, as every writer of markets locks them; else two of them wait for each other.
            list(part.order_by("key").select_for_update().values_list("pk"))
            part.update(is_tracked=is_tracked)


def apply_preset(name: str, user: User | None = None) -> int:
    """Add a preset's lines as watches; returns how many were new. KeyError: no such preset."""
    added = 0
    for dimension, value in PRESETS[name]:
        _, is_new = Scope.objects.get_or_create(
            action=Scope.Action.WATCH,
            dimension=dimension,
            value=value,
            defaults={"preset": name, "author": user},
        )
        added += is_new
    return added
