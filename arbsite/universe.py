"""A universe of any size as wire bytes, from the sandbox, for measuring."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import httpx

from arbsite.env import BASE_DIR
from markets.quotes import Listing, Page
from markets.venues.kalshi import parse as kalshi
from markets.venues.polymarket import parse as polymarket
from markets.venues.predictit import parse as predictit

KALSHI_PAGE, POLYMARKET_PAGE = 1000, 100
PARSERS: dict[str, Callable[[bytes, datetime], Page[Listing]]] = {
    "kalshi": kalshi.parse_markets,
    "polymarket": polymarket.parse_events,
    "predictit": predictit.parse_all,
}


class Pages:
    """Pages of every venue's whole listing, one at a time: the memory is one page."""

    def __init__(self, show: bool = False) -> None:
        self.show = show

    def __call__(self, markets: int) -> Iterator[tuple[str, bytes]]:
        with _sandbox(markets) as url, httpx.Client(base_url=url, timeout=300) as client:
            for number, (venue, body) in enumerate(_walk(client)):
                if self.show:
                    print(f"\r{venue} page {number}   ", end="", file=sys.stderr, flush=True)
                yield venue, body


def parse(venue: str, body: bytes, at: datetime) -> Sequence[Listing]:
    """One page as the venue's connector reads it."""
    return PARSERS[venue](body, at).items


@contextmanager
def _sandbox(markets: int) -> Iterator[str]:
    # Not all markets of a world are open at once: some more, so that enough are.
    size = str(markets * 5 // 4)
    command = [sys.executable, "-m", "sandbox", "--port", "0", "--markets", size]
    process = subprocess.Popen(
        [*command, "--no-limits"], cwd=BASE_DIR, stdout=subprocess.PIPE, text=True,
        env={k: v for k, v in os.environ.items() if not k.startswith(("CLOCK_", "FAULTS"))},
    )  # fmt: skip
    try:
        assert process.stdout is not None
        yield process.stdout.readline().split()[-1]
    finally:
        process.terminate()
        process.wait(timeout=20)


def _walk(client: httpx.Client) -> Iterator[tuple[str, bytes]]:
    kalshi_listing = {"limit": KALSHI_PAGE, "status": "open"}
    yield from _paged(client, "kalshi", "/kalshi/trade-api/v2/markets", kalshi_listing, "cursor")
    events = {"limit": POLYMARKET_PAGE, "include_tag": "true"}
    path = "/polymarket/gamma/events/keyset"
    yield from _paged(client, "polymarket", path, events, "after_cursor", "next_cursor")
    yield "predictit", client.get("/predictit/api/marketdata/all/").raise_for_status().content


def _paged(
    client: httpx.Client, venue: str, path: str, asked: dict[str, Any], name: str, key: str = ""
) -> Iterator[tuple[str, bytes]]:
    cursor = ""
    while True:
        page = client.get(path, params=asked | ({name: cursor} if cursor else {}))
        yield venue, page.raise_for_status().content
        cursor = json.loads(page.content).get(key or name) or ""
        if not cursor:
            return
