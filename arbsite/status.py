"""Where the system stands, in the form that `interfaces.md` promises to machines."""

from typing import Any

from django.conf import settings
from django.db.models import Count, OuterRef, Q, Subquery

from arbsite import clock, health
from markets.models import BreakerState, CollectionRun, Incident, LatestQuote, Market, Venue


def status(why: bool = False) -> dict[str, Any]:
    """Processes, venues and open incidents; with `why`, how many markets come how far."""
    found: dict[str, Any] = {
        "dataset": settings.DATASET,
        "mode": settings.TRADING_MODE,
        "now": clock.now().isoformat(),
        "processes": processes(),
        "venues": venues(),
        "incidents": Incident.objects.filter(resolved_at=None)
        .exclude(tier=Incident.Tier.QUIET)
        .count(),
    }
    return found | ({"funnel": funnel()} if why else {})


def processes() -> dict[str, str]:
    """The state each process was last seen in; `silent` when it was not heard of lately.

    A process known only by its number ("name@host:123") is left out once it is silent: its
    successor has another number.
    """
    return {
        name: str(row.figures.get("state", "up")) if health.is_fresh(row) else "silent"
        for name, row in sorted(health.latest().items())
        if health.is_fresh(row) or "@" not in name
    }


def venues() -> dict[str, dict[str, Any]]:
    """Per venue: markets known, tracked, when last collected, how late, and its breaker."""
    newest = CollectionRun.objects.filter(venue=OuterRef("pk"), finished_at__isnull=False)
    rows = Venue.objects.annotate(
        markets=Count("market"),
        tracked=Count("market", filter=Q(market__is_tracked=True)),
        last_run_at=Subquery(newest.order_by("-finished_at").values("finished_at")[:1]),
        lag_s=Subquery(
            newest.exclude(lag_s=None).order_by("-finished_at").values("lag_s")[:1],
        ),
    )
    breakers = dict(BreakerState.objects.filter(domain="data").values_list("venue_id", "state"))
    return {
        row.slug: {
            "markets": row.markets,
            "tracked": row.tracked,
            "last_run_at": row.last_run_at.isoformat() if row.last_run_at else None,
            "lag_s": row.lag_s,
            "breaker": breakers.get(row.slug, BreakerState.State.CLOSED.value),
        }
        for row in rows
    }


def funnel() -> dict[str, int]:
    """From every market to those whose price could be acted on."""
    open_markets = Market.objects.filter(status="open")
    tradable = LatestQuote.objects.filter(is_tradable=True, outcome__market__status="open")
    return {
        "markets": Market.objects.count(),
        "open": open_markets.count(),
        "tracked": open_markets.filter(is_tracked=True).count(),
        "tradable_quotes": tradable.count(),
    }
