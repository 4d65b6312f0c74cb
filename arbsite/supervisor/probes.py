"""Does it answer? Each probe returns what is wrong in a few words, or nothing."""

import httpx

from arbsite import health
from arbsite.celery import app

TIMEOUT_S = 10.0


def http(url: str) -> str:
    """A GET that must come back with 2xx or 3xx."""
    try:
        status = httpx.get(url, timeout=TIMEOUT_S, trust_env=False).status_code
    except httpx.HTTPError as problem:
        return f"{url}: {type(problem).__name__}"
    return "" if status < 400 else f"{url}: HTTP {status}"


def worker(node: str) -> str:
    """A Celery worker's own process answers, however busy its children are."""
    # Not one of the pool's: after a restart of Redis these are dead, and not the worker.
    with app.connection_for_write() as own:
        answers = app.control.ping(destination=[node], timeout=TIMEOUT_S, connection=own)
    return "" if answers else f"{node} does not answer"


def beat() -> str:
    """Beat's own row is fresh (while it waits for another beat's lock, that one's is)."""
    row = health.latest().get("beat")
    return "" if row and health.is_fresh(row) else "beat leaves no heartbeat"
