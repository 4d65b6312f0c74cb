"""Figures of this process, a row a minute: what it asked of which venue, and that it lives."""

import os
import socket
import sys
import time
from datetime import datetime
from pathlib import Path
from typing import Any

from arbsite import clock
from markets.models import ComponentHealth
from markets.venues import VENUES, get_connector

_INTERVAL = 60.0
_flushed: dict[str | None, float] = {}


def component() -> str:
    """The name of this process: what it runs, on which host, under which number."""
    name = os.environ.get("ARBSITE_COMPONENT") or Path(sys.argv[0]).stem
    return f"{name}@{socket.gethostname()}:{os.getpid()}"[:60]


def flush(venue: str | None = None, force: bool = False) -> bool:
    """Write what this process has counted, at most once a minute (wall) per venue.

    Without a venue it is the sign of life alone. Returns whether a row was written.
    """
    now = time.monotonic()
    if not force and now - _flushed.get(venue, float("-inf")) < _INTERVAL:
        return False
    _flushed[venue] = now
    record(component(), venue, _figures(venue))
    return True


def record(name: str, venue: str | None, figures: dict[str, Any]) -> None:
    """One row for this minute; a second one in the same minute replaces it."""
    at = clock.now()
    ComponentHealth.objects.update_or_create(
        component=name[:60],
        venue_id=venue,
        minute=_minute(at),
        defaults={"figures": figures, "received_at": at},
    )


def _minute(at: datetime) -> datetime:
    return at.replace(second=0, microsecond=0)


def _figures(venue: str | None) -> dict[str, Any]:
    if venue not in VENUES:
        return {}
    http = getattr(get_connector(venue), "http", None)
    return http.drain_counters() if http is not None else {}
