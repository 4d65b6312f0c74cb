"""How fast the sandbox is: measured and shown in the summary, never asserted."""

from __future__ import annotations

import time
from collections.abc import Callable

import httpx

from sandbox.clock import FixedClock
from sandbox.testing import run_sandbox
from tests.conftest import TABLES
from tests.sandbox.conftest import NOON, ORIGIN

API = "/kalshi/trade-api/v2"


def spent(act: Callable[[], object]) -> str:
    """Milliseconds of one call, after one to warm up."""
    act()
    begin = time.perf_counter()
    act()
    return f"{(time.perf_counter() - begin) * 1000:.0f} ms"


def test_pages_of_a_large_world_are_served() -> None:
    begin = time.perf_counter()
    with run_sandbox(markets=10_000, origin=ORIGIN, clock=FixedClock(NOON)) as running, \
            httpx.Client(base_url=running.url, timeout=60) as http:
        rows = [("a world of 10,000 markets", f"{time.perf_counter() - begin:.1f} s")]
        page = http.get(f"{API}/markets", params={"limit": 1000, "status": "open"}).json()
        assert len(page["markets"]) == 1000 and page["cursor"]
        tickers = [("tickers", m["ticker"]) for m in page["markets"][:100]]
        for name, path, params in (
                ("1,000 Kalshi markets", f"{API}/markets", {"limit": 1000, "status": "open"}),
                ("100 Kalshi books", f"{API}/markets/orderbooks", tickers),
                ("100 Polymarket events", "/polymarket/gamma/events/keyset", {"limit": 100}),
                ("PredictIt whole", "/predictit/api/marketdata/all/", {}),
                ("truth", "/sandbox/truth", {})):
            rows.append((name, spent(lambda p=path, q=params: http.get(p, params=q))))  # type: ignore[misc]
    TABLES.append("sandbox: " + " · ".join(f"{name} {figure}" for name, figure in rows))
