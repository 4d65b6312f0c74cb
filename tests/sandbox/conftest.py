"""Sandboxes over real sockets, on a clock that stands still unless a test moves it."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from sandbox.clock import FixedClock
from sandbox.testing import Running, run_sandbox

ORIGIN = 1_795_132_800.0  # 2026-11-20T00:00:00Z
NOON = ORIGIN + 18.5 * 3600


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Running]:
    """One sandbox per test module, at a fixed time, without rate limits."""
    with run_sandbox(seed=7, markets=400, origin=ORIGIN, clock=FixedClock(NOON)) as running:
        yield running


@pytest.fixture
def sandbox_url(sandbox: Running) -> str:
    return sandbox.url


@pytest.fixture
def http(sandbox: Running) -> Iterator[httpx.Client]:
    """A client on the module's sandbox; faults and the clock are put back afterwards."""
    with httpx.Client(base_url=sandbox.url, timeout=20) as client:
        yield client
    sandbox.box.faults.clear()
    sandbox.box.clock.at = NOON  # type: ignore[attr-defined]
