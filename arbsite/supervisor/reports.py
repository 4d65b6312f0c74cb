"""What the supervisor tells others: rows, incidents, the dead man's switch. Never in its loop."""

import logging
from collections.abc import Mapping

import httpx
from django.db import Error, close_old_connections

from markets import health, incidents

log = logging.getLogger(__name__)
KIND = "process"


def write_rows(figures: Mapping[str, dict[str, object]]) -> None:
    """One row a process and minute."""
    for name, values in figures.items():
        # A beat that is up speaks for itself, from inside its loop.
        if name != "beat" or values["state"] != "up":
            health.record(name, None, values)


def alarm(name: str, text: str) -> None:
    """A process that stays down is a critical incident."""
    incidents.report(KIND, text, tier=incidents.Tier.CRITICAL, about=name)


def all_clear(name: str) -> None:
    """The process was started anew: what was said of the last one is over."""
    incidents.resolve(KIND, name, "supervisor")


def ping_deadman(url: str) -> None:
    """Tell somebody outside that all is well; whoever misses it raises the alarm."""
    try:
        httpx.get(url, timeout=10).raise_for_status()
    except httpx.HTTPError as problem:
        # The address itself may be a secret.
        log.warning("DEADMAN_URL was not reached: %s", type(problem).__name__)


def quietly(work: object, *args: object) -> None:
    """Do it in a thread of the pool; a database that is away is logged, and tried next time."""
    assert callable(work)
    try:
        close_old_connections()
        work(*args)
    except (Error, OSError) as problem:
        log.warning("supervisor: %s: %s", getattr(work, "__name__", work), problem)
    finally:
        close_old_connections()
