"""The venues by slug: imported on first use, so that one broken library cannot stop the rest."""

from functools import cache
from importlib import import_module

from markets.venues.base import Connector

VENUES = {
    "kalshi": "markets.venues.kalshi.connector.Kalshi",
    "polymarket": "markets.venues.polymarket.connector.Polymarket",
    "predictit": "markets.venues.predictit.connector.PredictIt",
}


@cache
def get_connector(slug: str) -> Connector:
    """The venue's connector, one a process; raises KeyError for a slug that is not in VENUES."""
    module, _, name = VENUES[slug].rpartition(".")
    connector: Connector = getattr(import_module(module), name).from_settings()
    return connector
