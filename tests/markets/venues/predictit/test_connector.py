"""The connector over real sockets against the simulated venue, and against a standing one."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import redis

from arbsite import clock
from markets.quotes import MarketRef
from markets.venues.base import Books, Connector, Fees, StatusReports, Trades, VenueError
from markets.venues.http import VenueHttp
from markets.venues.predictit.connector import LIMITS, PredictIt
from sandbox.testing import Running, run_sandbox

BODY = (Path(__file__).parent / "payloads/http_get_marketdata_all.json").read_bytes()
MADE = datetime.fromisoformat("2026-09-14T22:21:05.2+00:00")


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Running]:
    with run_sandbox(markets=300) as running:
        yield running


@pytest.fixture
def venue(sandbox: Running) -> Iterator[PredictIt]:
    http = VenueHttp("predictit", f"{sandbox.predictit}/api", LIMITS, deadline=5)
    yield PredictIt(http)
    http.close()
    sandbox.box.faults.clear()


def fault(sandbox: Running, kind: str) -> None:
    rule = {"venue": "predictit", "endpoint": "*", "kind": kind, "rate": 1}
    assert httpx.post(f"{sandbox.url}/sandbox/faults", json=rule).is_success


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("markets.venues.http.BACKOFF_SECONDS", 0.01)


def answering(body: bytes = BODY) -> tuple[PredictIt, list[httpx.Request]]:
    """A venue that always gives this body, and the requests it saw."""
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, content=body)

    limits = {name: type(limit)(1000, 1000) for name, limit in LIMITS.items()}
    http = VenueHttp("predictit", "http://venue/api", limits, transport=httpx.MockTransport(answer))
    return PredictIt(http), seen


def test_it_is_read_only_and_has_no_books(venue: PredictIt) -> None:
    for promise in (Connector, Fees, StatusReports):
        assert isinstance(venue, promise)
    assert not isinstance(venue, Books | Trades)
    assert not hasattr(venue, "place")


def test_one_page_is_the_whole_venue(venue: PredictIt) -> None:
    (page,) = venue.list_markets()
    assert page.is_last
    assert page.items
    assert not page.refused
    assert not page.extras
    assert all(item.event and item.market.event_ref == item.event.ref for item in page.items)


def test_quotes_and_markets_come_by_name(venue: PredictIt) -> None:
    (page,) = venue.list_markets()
    wanted = [item.market.ref for item in page.items[:2]]
    assert {item.market.ref for item in venue.fetch_markets([*wanted, "1.1"]).items} == set(wanted)
    assert venue.fetch_markets(wanted).is_last
    quotes = venue.fetch_quotes([MarketRef(ref) for ref in wanted]).items
    assert {quote.ref for quote in quotes} == set(wanted)


def test_the_venue_is_asked_once_a_minute_whatever_is_wanted() -> None:
    venue, seen = answering()
    clock.settle(MADE)
    for _ in range(3):
        list(venue.list_markets())
        venue.fetch_quotes([MarketRef("7456.35810")])
        venue.exchange_status()
    clock.settle(MADE + timedelta(seconds=59))
    venue.fetch_quotes([])
    assert [request.url.path for request in seen] == ["/api/marketdata/all/"]
    assert seen[0].headers["accept"] == "application/json"
    clock.settle(MADE + timedelta(seconds=60))
    venue.fetch_quotes([])
    assert len(seen) == 2


class Shelf:
    """The part of Redis that is used, with a switch to break it."""

    def __init__(self) -> None:
        self.held: dict[str, bytes] = {}
        self.is_broken = False

    def get(self, name: str) -> bytes | None:
        if self.is_broken:
            raise redis.ConnectionError
        return self.held.get(name)

    def set(self, name: str, value: bytes, px: int) -> None:
        if self.is_broken:
            raise redis.ConnectionError
        self.held[name] = value


def test_two_processes_ask_once_between_them() -> None:
    (first, seen), (second, also_seen) = answering(), answering()
    first.memory = second.memory = Shelf()
    clock.settle(MADE)
    (page,) = first.list_markets()
    clock.settle(MADE + timedelta(seconds=30))
    (same,) = second.list_markets()
    assert (len(seen), len(also_seen)) == (1, 0)
    assert same == page  # the time of receipt included
    clock.settle(MADE + timedelta(seconds=60))
    list(second.list_markets())
    assert len(also_seen) == 1


def test_a_spoilt_body_is_not_shared() -> None:
    venue, _ = answering(BODY[:700])
    venue.memory = shelf = Shelf()
    clock.settle(MADE)
    (page,) = venue.list_markets()
    assert (page.items, page.is_last, shelf.held) == ((), False, {})


def test_without_the_shared_memory_each_asks_for_itself() -> None:
    venue, seen = answering()
    venue.memory = shelf = Shelf()
    shelf.is_broken = True
    clock.settle(MADE)
    assert list(venue.list_markets())[0].is_last
    assert len(seen) == 1


def test_the_same_data_in_three_polls_is_stale() -> None:
    venue, _ = answering()
    for poll, is_trading in ((0, True), (1, True), (2, False)):
        clock.settle(MADE + timedelta(seconds=poll * 60))
        assert venue.exchange_status().is_trading is is_trading
    assert venue.exchange_status().note == "the same data in 3 polls"


def test_three_minutes_without_new_data_are_stale() -> None:
    venue, _ = answering()
    clock.settle(MADE + timedelta(seconds=181))
    status = venue.exchange_status()
    assert (status.is_up, status.is_trading, status.note) == (True, False, "data is 181 s old")
    assert venue.frozen_after == timedelta(seconds=180)


def test_moving_data_is_fresh(venue: PredictIt) -> None:
    status = venue.exchange_status()
    assert (status.is_up, status.is_trading, status.note) == (True, True, "")


@pytest.mark.parametrize("kind", ["html", "429", "5xx"])
def test_a_venue_that_blocks_us_is_a_venue_error(
    sandbox: Running, venue: PredictIt, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    fault(sandbox, kind)
    monkeypatch.setattr(venue.http, "_deadline", 0.5)
    with pytest.raises(VenueError):
        list(venue.list_markets())
    status = venue.exchange_status()
    assert (status.is_up, status.is_trading) == (False, False)


def test_a_venue_that_blocks_us_is_left_alone_for_longer_and_longer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    venue, seen = answering(b'{"error": "blocked"}')
    monkeypatch.setattr(venue.http, "_transport", httpx.MockTransport(_forbidden(seen)))
    asked = []
    for second in range(0, 1200, 30):
        clock.settle(MADE + timedelta(seconds=second))
        before = len(seen)
        with pytest.raises(VenueError):
            venue.fetch_quotes([])
        if len(seen) > before:
            asked.append(second)
    assert asked == [0, 60, 180, 420, 900]


def _forbidden(seen: list[httpx.Request]) -> Any:
    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(403, content=b'{"error": "blocked"}')

    return answer


@pytest.mark.parametrize(
    ("kind", "reason", "field"),
    [
        ("rename:bestBuyYesCost", "missing", "bestBuyYesCost"),
        ("retype:status", "retyped", "market.status"),
        ("rename:contracts", "missing", "market.contracts"),
    ],
)
def test_a_drifted_body_gives_refusals_by_field_and_ends_nothing(
    sandbox: Running, venue: PredictIt, kind: str, reason: str, field: str
) -> None:
    fault(sandbox, kind)
    (page,) = venue.list_markets()
    assert not page.items
    assert not page.is_last
    assert {(refusal.reason, refusal.field) for refusal in page.refused} == {(reason, field)}


def test_xml_is_refused_and_stops_nothing_but_itself() -> None:
    venue, _ = answering(b"<?xml version='1.0'?><MarketList/>")
    with pytest.raises(VenueError):
        list(venue.list_markets())


def test_fees_are_stated_once(venue: PredictIt) -> None:
    (page,) = venue.list_fees()
    assert page.is_last
    assert page.items[0].formula == "predictit"


def test_settings_name_the_root(settings: Any) -> None:
    settings.VENUE_URLS = {"predictit": "http://127.0.0.1:1/predictit"}
    assert PredictIt.from_settings().http.base_url == "http://127.0.0.1:1/predictit/api"
    settings.VENUE_URLS = {"predictit": ""}
    assert PredictIt.from_settings().http.base_url == "https://www.predictit.org/api"


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(429, json={}),
        httpx.Response(403, html="<html>challenge</html>"),
        httpx.Response(200, html="<html>challenge</html>"),
        httpx.Response(503, json={}),
    ],
)
def test_a_venue_that_blocks_us_is_asked_once(answer: httpx.Response) -> None:
    seen: list[httpx.Request] = []

    def block(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(answer.status_code, content=answer.content, headers=answer.headers)

    http = VenueHttp("predictit", "http://venue", LIMITS, transport=httpx.MockTransport(block))
    venue = PredictIt(http)
    for _ in range(2):  # the second time it is left alone
        with pytest.raises(VenueError):
            list(venue.list_markets())
    assert len(seen) == 1


def test_what_a_whole_list_leaves_out_is_denied() -> None:
    venue, _ = answering()
    page = venue.fetch_markets(["7456.35810", "7456.99999"])
    assert [item.market.ref for item in page.items] == ["7456.35810"]
    assert page.denied == frozenset({"7456.99999"})


@pytest.mark.parametrize("body", [b'{"markets": []}', b"<html>", BODY.replace(b'"id"', b'"ID"')])
def test_a_list_that_is_not_whole_denies_nothing(body: bytes) -> None:
    venue, _ = answering(body)
    with suppress(VenueError):
        assert venue.fetch_markets(["7456.99999"]).denied == frozenset()


def test_a_contract_that_is_refused_is_not_denied() -> None:
    venue, _ = answering(BODY.replace(b'"id": 35810', b'"id": 35810, "status": "Odd"', 1))
    page = venue.fetch_markets(["7456.35810", "7456.99999"])
    assert "7456.35810" not in page.denied
