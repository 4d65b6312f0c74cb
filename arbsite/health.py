"""Who was heard of lately: the newest row of each process."""

from datetime import timedelta

from arbsite import clock
from markets.models import ComponentHealth

FRESH_WALL_S = 150  # rows come each minute at the latest; two may be late


def latest() -> dict[str, ComponentHealth]:
    """The newest row of each component that is not about a venue, of the last app day."""
    since = clock.now() - timedelta(days=1)
    rows = ComponentHealth.objects.filter(venue=None, received_at__gte=since)
    return {row.component: row for row in rows.order_by("component", "received_at")}


def age_s(row: ComponentHealth) -> float:
    """Wall seconds since the row was written."""
    return clock.wall_seconds((clock.now() - row.received_at).total_seconds())


def is_fresh(row: ComponentHealth) -> bool:
    """Whether the component was heard of lately."""
    return age_s(row) <= FRESH_WALL_S
