"""The ground floor's periodic work: ids in, one stage function, a small count out."""

from datetime import timedelta
from typing import Any

from arbsite import clock
from markets import health, history, ingest, ranks, scope
from markets.models import Market
from markets.periodic import periodic
from markets.writing import ensure_partitions


@periodic(queue="ingest", seconds=600)
def sync_markets(venue: str) -> dict[str, Any]:
    """The whole universe of a venue."""
    return ingest.sync_markets(venue) | {"ranks": ranks.refresh_ranks()}


@periodic(queue="ingest", seconds=300)
def sync_events(venue: str) -> dict[str, Any]:
    """Every open event of a venue."""
    return ingest.sync_events(venue)


@periodic(queue="ingest", seconds=300)
def sync_fees(venue: str) -> dict[str, Any]:
    """Fee facts that do not come with the markets."""
    return ingest.sync_fees(venue)


@periodic(queue="ingest", seconds=240)
def discover(venue: str) -> dict[str, Any]:
    """What is new or changed between two walks of everything."""
    return ingest.discover(venue)


@periodic(queue="ingest", seconds=60)
def refresh_quotes(venue: str, shard: int = 0, shards: int = 1) -> dict[str, Any]:
    """Fresh tops of book of one shard of the tracked markets."""
    return ingest.refresh_quotes(venue, shard, shards)


@periodic(queue="ingest", seconds=60)
def refresh_books(venue: str, shard: int = 0, shards: int = 1) -> dict[str, Any]:
    """Full books of one shard of the tracked markets."""
    return ingest.refresh_books(venue, shard, shards)


@periodic(queue="ingest", seconds=120)
def refresh_trades(venue: str) -> dict[str, Any]:
    """New trades of the tracked markets."""
    return ingest.refresh_trades(venue)


@periodic(queue="ingest", seconds=120)
def refresh_candles(venue: str) -> dict[str, Any]:
    """Candles of the tracked markets: what is missing first, then the newest."""
    return history.refresh_candles(venue)


@periodic(queue="ingest", seconds=60)
def fill_chart(market_id: int) -> dict[str, Any]:
    """The candles of one market whose page somebody opened."""
    return history.fill_chart(Market.objects.get(pk=market_id))


@periodic(queue="ingest", seconds=30)
def check_venue(venue: str) -> dict[str, Any]:
    """How the venue says it is."""
    return ingest.check_venue(venue)


@periodic(queue="ingest", seconds=60)
def choose_tracked() -> dict[str, Any]:
    """Which markets get fast attention."""
    return scope.choose_tracked()


@periodic(queue="analyze", seconds=60)
def record_health() -> dict[str, Any]:
    """This minute's figures of this process, and the order of lists."""
    return {"written": health.flush(force=True), "ranks": ranks.refresh_ranks()}


@periodic(queue="analyze", seconds=60)
def make_partitions() -> dict[str, Any]:
    """Partitions of yesterday, today and the next three days."""
    today = clock.now().date()
    days = [today + timedelta(days=offset) for offset in range(-1, 4)]
    return {"made": ensure_partitions(days, refresh=True)}
