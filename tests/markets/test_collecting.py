"""Collecting from the sandbox over real sockets: whole, in fast time, and while things break."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from django.conf import LazySettings

from arbsite import clock
from markets import ingest
from markets.models import (
    BreakerState,
    CollectionRun,
    Incident,
    LatestBook,
    LatestQuote,
    Market,
)
from markets.scope import choose_tracked
from markets.venues import VENUES, get_connector
from sandbox.testing import Running, run_sandbox

pytestmark = pytest.mark.django_db
SIZE = 240


@pytest.fixture(scope="module")
def box() -> Iterator[Running]:
    with run_sandbox(markets=SIZE) as running:
        yield running


@pytest.fixture
def desk(box: Running, settings: LazySettings) -> Iterator[Running]:
    yield from _pointed_at(box, settings)
    httpx.delete(f"{box.url}/sandbox/faults")


def _pointed_at(box: Running, settings: LazySettings) -> Iterator[Running]:
    settings.VENUE_URLS = {slug: f"{box.url}/{slug}" for slug in VENUES}
    get_connector.cache_clear()
    yield box
    get_connector.cache_clear()


def collect(*venues: str) -> None:
    for venue in venues or VENUES:
        ingest.sync_events(venue)
        ingest.sync_fees(venue)
        ingest.sync_markets(venue)


def stored() -> dict[str, tuple[object, ...]]:
    """What may not be wrong, whatever happens: what each market is."""
    fields = ("title", "rules", "kind", "price_ranges", "close_time", "event__ref")
    return {row[0]: row[1:] for row in Market.objects.values_list("key", *fields)}


def test_three_venues_are_collected_whole(desk: Running) -> None:
    collect()
    choose_tracked()
    for venue in VENUES:
        ingest.refresh_quotes(venue)
        ingest.refresh_books(venue)
        ingest.check_venue(venue)
    runs = CollectionRun.objects.all()
    assert {run.venue_id for run in runs} == set(VENUES)
    assert not [(run.venue_id, run.job, run.errors) for run in runs if run.errors]
    assert not [(run.venue_id, run.job) for run in runs if not run.is_complete]
    assert not list(Incident.objects.values_list("venue", "endpoint", "field", "sample"))
    tracked = LatestQuote.objects.filter(outcome__market__is_tracked=True)
    assert tracked.count() > SIZE // 2
    assert set(tracked.values_list("flags", flat=True)) <= {"", "not_open"}
    assert tracked.filter(is_tradable=True).count() > 0.9 * tracked.count()
    assert LatestBook.objects.exists()


def test_fast_time_brings_nothing_from_the_future(
    settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = datetime.now(UTC)
    monkeypatch.setenv("CLOCK_ORIGIN", (now + timedelta(days=3)).isoformat())
    monkeypatch.setenv("CLOCK_START", now.isoformat())
    monkeypatch.setenv("CLOCK_SPEED", "60")
    clock.restart()
    origin = (now + timedelta(days=3)).timestamp()
    try:
        with run_sandbox(markets=120, origin=origin, start=now.timestamp(), speed=60.0) as fast:
            for _ in _pointed_at(fast, settings):
                collect()
                choose_tracked()
                for venue in VENUES:
                    ingest.refresh_quotes(venue)
                    ingest.refresh_books(venue)
                    ingest.refresh_trades(venue)
    finally:
        monkeypatch.undo()
        clock.restart()
    assert LatestQuote.objects.exists()
    assert not LatestQuote.objects.filter(flags__contains="future").exists()
    assert LatestQuote.objects.filter(received_at__gt=now + timedelta(days=2)).exists()


FAULTS: list[tuple[str, str, dict[str, Any]]] = [
    ("kalshi", "GET /markets", {"kind": "429", "rate": 0.3}),
    ("kalshi", "GET /markets", {"kind": "5xx"}),
    ("kalshi", "GET /markets", {"kind": "truncate"}),
    ("kalshi", "GET /markets", {"kind": "malformed"}),
    ("kalshi", "GET /markets", {"kind": "html"}),
    ("kalshi", "GET /markets", {"kind": "reset"}),
    ("kalshi", "GET /markets", {"kind": "partial"}),
    ("kalshi", "GET /markets", {"kind": "oversize"}),
    ("kalshi", "GET /markets", {"kind": "rename:status"}),
    ("kalshi", "GET /markets", {"kind": "rename:yes_bid_dollars"}),
    ("kalshi", "GET /markets", {"kind": "retype:rules_primary"}),
    ("kalshi", "GET /markets", {"kind": "rename:cursor"}),
    ("polymarket", "*", {"kind": "429", "rate": 0.3}),
    ("polymarket", "*", {"kind": "truncate"}),
    ("polymarket", "*", {"kind": "rename:conditionId"}),
    ("polymarket", "*", {"kind": "retype:outcomes"}),
    ("polymarket", "*", {"kind": "rename:next_cursor"}),
    ("polymarket", "*", {"kind": "partial"}),
    ("predictit", "*", {"kind": "html"}),
    ("predictit", "*", {"kind": "truncate"}),
    ("predictit", "*", {"kind": "rename:bestBuyYesCost"}),
    ("predictit", "*", {"kind": "retype:status"}),
]


@pytest.mark.parametrize(
    ("venue", "endpoint", "fault"), FAULTS, ids=lambda x: x["kind"] if isinstance(x, dict) else None
)
def test_while_a_fault_lasts_nothing_wrong_is_stored_and_nothing_closed(
    desk: Running,
    venue: str,
    endpoint: str,
    fault: dict[str, Any],
) -> None:
    collect(venue)
    before = stored()
    live = set(Market.objects.live().values_list("key", flat=True))
    get_connector.cache_clear()
    asked = {"venue": venue, "endpoint": endpoint, "until": None, "rate": 1.0} | fault
    httpx.post(f"{desk.url}/sandbox/faults", json=asked).raise_for_status()
    ingest.sync_markets(venue)
    during = stored()
    assert {key: during[key] for key in before} == before
    gone = live - set(Market.objects.live().values_list("key", flat=True))
    assert not Market.objects.filter(key__in=gone, venue_status="gone").exists()

    httpx.delete(f"{desk.url}/sandbox/faults")
    BreakerState.objects.all().delete()
    get_connector.cache_clear()
    ingest.sync_markets(venue)
    last = CollectionRun.objects.order_by("-id")[0]
    assert (last.is_complete, last.errors) == (True, [])
