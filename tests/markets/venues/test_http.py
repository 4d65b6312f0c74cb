import gzip
import os
import threading
import time
from datetime import UTC, datetime

import pytest

from markets.venues import http
from markets.venues.answers import retry_after
from markets.venues.base import VenueError
from markets.venues.http import USER_AGENT, VenueHttp
from markets.venues.limits import Limit, budget, connect
from tests.markets.venues.misbehaving import cut_short, floods, resets, says, trickles

GOOD = says(200)


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setattr(http, "BACKOFF_SECONDS", 0.02)
    monkeypatch.setattr(http, "LIMITED_PAUSE_SECONDS", 0.05)


class Breaker:
    def __init__(self):
        self.told = []

    def before(self):
        self.told.append("before")

    def success(self):
        self.told.append("success")

    def failure(self, kind):
        self.told.append(kind)


@pytest.fixture
def make(venue):
    made = []

    def build(**options):
        options.setdefault("deadline", 5.0)
        client = VenueHttp("kalshi", venue.url, {"read": Limit(1000, 1000)}, **options)
        made.append(client)
        return client

    yield build
    for client in made:
        client.close()


def test_answer_carries_body_times_and_endpoint(venue, make):
    answer = make().get("/markets", {"limit": 5})
    assert (answer.status, answer.body, answer.endpoint) == (200, b'{"ok": true}', "GET /markets")
    assert abs((answer.dated - answer.received_at).total_seconds()) < 5
    (_, path, headers, _) = venue.requests[0]
    assert path == "/api/markets?limit=5"
    assert headers["User-Agent"] == USER_AGENT


FAULTS = {
    "server": says(503, b'{"error": {"code": "x", "message": "resting"}}'),
    "html": says(200, b"<!DOCTYPE html><title>Just a moment</title>", content_type="text/html"),
    "empty": says(200, b""),
    "garbled": says(200, b"\x1f\x8bnot gzip at all", content_encoding="gzip"),
    "broken": resets,
    "limited": says(429, b'{"error": "too many requests"}'),
}


@pytest.mark.parametrize("kind", FAULTS)
def test_read_is_tried_again_after_a_passing_fault(venue, make, kind):
    venue.will(FAULTS[kind], FAULTS[kind], GOOD)
    breaker = Breaker()
    client = make(breaker=breaker)
    assert client.get("/markets").status == 200
    figures = client.drain_counters()
    assert figures["errors"] == {kind: 2}
    assert (figures["requests"], figures["retries"]) == (3, 2)
    assert breaker.told == ["before", "success"]


@pytest.mark.parametrize("kind", FAULTS)
def test_lasting_fault_ends_as_a_venue_error(venue, make, kind, monkeypatch):
    monkeypatch.setattr(http, "ATTEMPTS", 3)
    monkeypatch.setattr(http, "LIMITED_ATTEMPTS", 3)
    venue.will(FAULTS[kind])
    breaker = Breaker()
    with pytest.raises(VenueError, match="kalshi GET /markets: ") as caught:
        make(breaker=breaker).get("/markets")
    assert not caught.value.permanent
    assert caught.value.endpoint == "GET /markets"
    assert breaker.told == ["before", kind]
    assert len(venue.requests) == 3


def test_truncated_body_is_tried_again(venue, make):
    venue.will(cut_short, GOOD)
    assert make().get("/markets").body == b'{"ok": true}'


def test_challenge_page_is_known_by_its_first_character(venue, make):
    venue.will(says(200, b"\n <html>"))
    with pytest.raises(VenueError, match="an HTML page in place of JSON"):
        make(deadline=0.3).get("/markets")


@pytest.mark.parametrize("kind", FAULTS)
def test_what_is_no_read_is_sent_once(venue, make, kind):
    venue.will(FAULTS[kind], GOOD)
    with pytest.raises(VenueError):
        make().post("/orders", {"a": 1})
    assert len(venue.requests) == 1


def test_post_declared_a_read_is_tried_again(venue, make):
    venue.will(FAULTS["server"], GOOD)
    assert make().post("/books", [{"token_id": "1"}], is_read=True).status == 200
    assert [request[3] for request in venue.requests] == [b'[{"token_id":"1"}]'] * 2


@pytest.mark.parametrize("status", [301, 400, 401, 403, 404, 410, 422])
def test_refusal_is_permanent_and_no_fault_of_the_venue(venue, make, status):
    venue.will(says(status, b'{"error": {"code": "bad", "message": "not\\u001b[31m here"}}'))
    breaker = Breaker()
    with pytest.raises(VenueError, match=f"status {status}: not .31m here") as caught:
        make(breaker=breaker).get("/markets")
    assert (caught.value.permanent, caught.value.status) == (True, status)
    assert breaker.told == ["before", "success"]
    assert len(venue.requests) == 1


def test_error_status_that_is_an_answer(venue, make):
    venue.will(says(503, b'{"exchange_active": false}'))
    answer = make().get("/exchange/status", accept=(500, 503))
    assert (answer.status, answer.body) == (503, b'{"exchange_active": false}')


def test_error_status_that_should_be_an_answer_and_is_html_is_tried_again(venue, make):
    venue.will(says(503, b"<html>"), says(503, b'{"exchange_active": false}'))
    assert make().get("/exchange/status", accept=(503,)).body == b'{"exchange_active": false}'


def test_empty_success_is_good_for_a_delete_only(venue, make):
    venue.will(says(204, b""))
    assert make().request("DELETE", "/orders", is_read=False).status == 204


def test_body_of_fifty_mib_is_refused_while_it_comes(venue, make):
    venue.will(floods(50))
    client = make(deadline=30.0)
    with pytest.raises(VenueError, match="larger than 32 MiB"):
        client.get("/markets")
    assert len(venue.requests) == 1


def test_small_body_that_unpacks_to_fifty_mib_is_refused(venue, make):
    venue.will(says(200, gzip.compress(b" " * (50 << 20)), content_encoding="gzip"))
    with pytest.raises(VenueError, match="larger than 32 MiB"):
        make(deadline=30.0).get("/markets")


def test_slow_body_ends_at_the_deadline(venue, make):
    stop = threading.Event()
    venue.will(trickles(0.05, stop))
    started = time.monotonic()
    try:
        with pytest.raises(VenueError, match="in time"):
            make(deadline=0.5).get("/markets")
    finally:
        stop.set()
    assert time.monotonic() - started < 1.5


def test_venue_that_is_not_there_is_a_venue_error():
    client = VenueHttp("kalshi", "http://127.0.0.1:9", {"read": Limit(100, 100)}, deadline=0.5)
    with pytest.raises(VenueError, match="no connection"):
        client.get("/markets")


@pytest.mark.parametrize("url", ["http://[::1", "ftp://127.0.0.1"])
def test_address_that_cannot_be_asked_is_a_permanent_venue_error(url):
    client = VenueHttp("kalshi", url, {"read": Limit(100, 100)}, deadline=0.5)
    with pytest.raises(VenueError, match="address is not valid") as caught:
        client.get("/markets")
    assert caught.value.permanent


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("", None),
        ("3", 3),
        (" 1.5 ", 1.5),
        ("-5", 0),
        ("999999", 120),
        ("inf", 120),
        ("nan", None),
        ("soon", None),
        ("Fri, 20 Nov 2026 12:00:07 GMT", 7),
        ("Fri, 20 Nov 2026 11:00:00 GMT", 0),
        ("Fri, 20 Nov 2026 23:00:00 GMT", 120),
        ("Fri, 99 Nov 2026 23:00:00 GMT", None),
    ],
)
def test_retry_after_in_seconds_or_as_a_date(text, seconds):
    assert retry_after(text, datetime(2026, 11, 20, 12, tzinfo=UTC)) == seconds


def test_retry_after_is_waited_for(venue, make):
    venue.will(says(503, b"{}", retry_after="1"), GOOD)
    started = time.monotonic()
    make().get("/markets")
    assert time.monotonic() - started >= 1.0


def test_retry_after_beyond_the_deadline_ends_at_once(venue, make):
    venue.will(says(429, b"{}", retry_after="60"))
    started = time.monotonic()
    with pytest.raises(VenueError, match="too many requests"):
        make(deadline=2.0).get("/markets")
    assert time.monotonic() - started < 1.0


def test_storm_of_429_makes_us_slower_then_steady(venue, make, redis_server):
    """The venue takes 40 requests a second; we believe in 200 until it says otherwise."""
    allowed = {"tokens": 5.0, "at": time.monotonic(), "refused": 0}
    lock = threading.Lock()

    def rationed(handler):
        with lock:
            now = time.monotonic()
            allowed["tokens"] = min(5.0, allowed["tokens"] + 40 * (now - allowed["at"]))
            allowed["at"] = now
            is_good = allowed["tokens"] >= 1
            allowed["tokens"] -= is_good
            allowed["refused"] += not is_good
        handler.say(200 if is_good else 429, b'{"ok": true}')

    venue.will(rationed)
    server = connect(redis_server.url)
    client = VenueHttp(
        "kalshi", venue.url, {"read": Limit(200, 5)}, server=server, prefix="t:", deadline=20.0
    )
    for _ in range(40):
        client.get("/markets")
    (figures,) = budget("kalshi", server, "t:")
    stormy = allowed["refused"]
    assert figures["rate"] <= 100
    assert client.drain_counters()["limited"] == stormy >= 1
    for _ in range(40):
        client.get("/markets")
    assert allowed["refused"] - stormy <= stormy + 3
    client.close()


def test_fresh_signature_for_each_attempt(venue, make):
    stamps = iter(range(10))
    venue.will(FAULTS["server"], GOOD)
    make(sign=lambda method, path: {"X-Sign": f"{method} {path} {next(stamps)}"}).get("/markets")
    signs = [request[2]["X-Sign"] for request in venue.requests]
    assert signs == ["GET /markets 0", "GET /markets 1"]


def test_open_breaker_stops_before_the_request(venue, make):
    class Open(Breaker):
        def before(self):
            raise VenueError("left alone")

    with pytest.raises(VenueError, match="left alone"):
        make(breaker=Open()).get("/markets")
    assert venue.requests == []


def test_spent_budget_is_no_fault_of_the_venue(venue):
    breaker = Breaker()
    client = VenueHttp("kalshi", venue.url, {"read": Limit(0.1, 1)}, breaker=breaker, shares=1)
    client.get("/markets")
    with pytest.raises(VenueError, match="read budget is spent"):
        client.get("/markets", deadline=0.5)
    assert breaker.told == ["before", "success"]
    assert client.drain_counters()["errors"] == {"budget": 1}
    client.close()


def test_counters_are_drained(venue, make):
    client = make()
    for _ in range(4):
        client.get("/markets")
    figures = client.drain_counters()
    assert (figures["requests"], figures["bytes"]) == (4, 4 * 12)
    assert figures["p50_ms"] <= figures["p95_ms"]
    assert sum(figures["histogram_ms"].values()) == 4
    empty = client.drain_counters()
    assert (empty["requests"], empty["bytes"], empty["p50_ms"]) == (0, 0, None)


def test_child_process_opens_connections_of_its_own(venue, make):
    client = make()
    client.get("/markets")
    parent = client._http()
    child = os.fork()
    if not child:
        os._exit(0 if client._http() is not parent else 1)
    assert os.waitpid(child, 0)[1] == 0


def test_whole_url_goes_to_another_host(venue, make):
    answer = make().get(venue.url + "/elsewhere")
    assert answer.endpoint == "GET /api/elsewhere"
    assert venue.requests[0][1] == "/api/elsewhere"


def test_page_that_blocks_us_is_not_asked_for_again(venue, make):
    venue.will(says(403, b"<html>challenge</html>"))
    with pytest.raises(VenueError, match="an HTML page") as caught:
        make().get("/markets")
    assert (len(venue.requests), caught.value.permanent) == (1, False)


@pytest.mark.parametrize("kind", FAULTS)
def test_caller_may_forbid_retries(venue, make, kind):
    venue.will(FAULTS[kind], GOOD)
    with pytest.raises(VenueError):
        make().get("/markets", attempts=1)
    assert len(venue.requests) == 1
