"""Every fault that REST can show, set at run time and gone when cleared."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import pytest

from sandbox.clock import FixedClock, iso
from sandbox.faults import Faults
from sandbox.testing import Running, run_sandbox
from tests.sandbox.conftest import NOON, ORIGIN

MARKETS = "/kalshi/trade-api/v2/markets"
GAMMA = "/polymarket/gamma/markets/keyset"
ALL = "/predictit/api/marketdata/all/"


def set_fault(http: httpx.Client, kind: str, venue: str = "kalshi", endpoint: str = "*",
              **more: Any) -> dict[str, Any]:
    body = {"venue": venue, "endpoint": endpoint, "kind": kind, "rate": 1, "until": None, **more}
    answer = http.post("/sandbox/faults", json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()


@pytest.mark.parametrize(("venue", "path", "retry_after"), [
    ("kalshi", MARKETS, None), ("polymarket", GAMMA, "1"), ("predictit", ALL, "1")])
def test_429_comes_in_the_venues_words(http: httpx.Client, venue: str, path: str,
                                       retry_after: str | None) -> None:
    set_fault(http, "429", venue)
    answer = http.get(path)
    assert answer.status_code == 429 and answer.json() == {"error": "too many requests"}
    assert answer.headers.get("retry-after") == retry_after


def test_5xx(http: httpx.Client) -> None:
    set_fault(http, "5xx")
    assert {http.get(MARKETS).status_code for _ in range(4)} == {500, 502, 503, 504}


def test_slow_waits(http: httpx.Client) -> None:
    set_fault(http, "slow", seconds=0.4)
    begin = time.monotonic()
    assert http.get(MARKETS).status_code == 200
    assert time.monotonic() - begin >= 0.4


@pytest.mark.parametrize("kind", ["reset", "drop"])
def test_connections_break(http: httpx.Client, kind: str) -> None:
    set_fault(http, kind)
    with pytest.raises(httpx.TransportError):
        http.get(MARKETS)


def test_truncate_keeps_a_valid_length(http: httpx.Client) -> None:
    set_fault(http, "truncate")
    answer = http.get(MARKETS)
    assert answer.status_code == 200 and len(answer.content) == int(
        answer.headers["content-length"])
    with pytest.raises(ValueError, match="."):
        answer.json()


def test_malformed_and_html(http: httpx.Client) -> None:
    set_fault(http, "malformed")
    with pytest.raises(json.JSONDecodeError):
        http.get(MARKETS).json()
    http.delete("/sandbox/faults")
    set_fault(http, "html", "polymarket")
    answer = http.get(GAMMA)
    assert answer.headers["content-type"].startswith("text/html") and b"<html>" in answer.content


def test_rename_and_retype_reach_every_item(http: httpx.Client) -> None:
    set_fault(http, "rename:yes_bid_dollars", endpoint="GET /markets")
    set_fault(http, "retype:volume_fp", endpoint="GET /markets")
    for m in http.get(MARKETS).json()["markets"]:
        assert "yes_bid_dollars" not in m and "yes_bid_dollars_v2" in m
        assert isinstance(m["volume_fp"], float)
    event = http.get("/kalshi/trade-api/v2/events", params={
        "with_nested_markets": "true", "limit": 1}).json()["events"][0]
    assert "yes_bid_dollars" in event["markets"][0]


def test_skew_moves_the_venues_clock(http: httpx.Client) -> None:
    set_fault(http, "skew", "*", seconds=120)
    answer = http.get("/polymarket/clob/time")
    assert answer.json() == int(NOON) + 120
    assert parsedate_to_datetime(answer.headers["date"]) == datetime.fromtimestamp(
        int(NOON) + 120, UTC)


def test_freeze_repeats_an_old_answer(http: httpx.Client, sandbox: Running) -> None:
    before = http.get(MARKETS).content
    set_fault(http, "freeze")
    sandbox.box.clock.at = NOON + 900  # type: ignore[attr-defined]
    assert http.get(MARKETS).content == before
    http.delete("/sandbox/faults")
    assert http.get(MARKETS).content != before


def test_oversize_pads_a_valid_body(http: httpx.Client) -> None:
    set_fault(http, "oversize", bytes=3_000_000)
    answer = http.get(MARKETS)
    assert len(answer.content) > 3_000_000 and answer.json()["markets"]


def test_duplicate_repeats_an_item(http: httpx.Client) -> None:
    whole = http.get(MARKETS).json()["markets"]
    set_fault(http, "duplicate")
    again = http.get(MARKETS).json()["markets"]
    assert again == [whole[0], *whole]


@pytest.mark.parametrize(("path", "name", "cursor", "after"), [
    (MARKETS, "markets", "cursor", "cursor"), (GAMMA, "markets", "next_cursor", "after_cursor")])
def test_partial_cuts_a_page_or_loops_it(http: httpx.Client, path: str, name: str, cursor: str,
                                         after: str) -> None:
    whole = http.get(path).json()
    set_fault(http, "partial", "*")
    cut = http.get(path).json()
    assert len(cut[name]) == len(whole[name]) // 2 and not cut.get(cursor)
    http.delete("/sandbox/faults")
    set_fault(http, "partial", "*", mode="loop")
    second = http.get(path, params={after: whole[cursor]}).json()
    assert second[cursor] == whole[cursor] and second[name] != whole[name]


def test_endpoints_are_templates(http: httpx.Client) -> None:
    ticker = http.get(MARKETS).json()["markets"][0]["ticker"]
    set_fault(http, "429", endpoint="GET /markets/{ticker}/orderbook")
    assert http.get(f"{MARKETS}/{ticker}/orderbook").status_code == 429
    assert http.get(f"{MARKETS}/{ticker}").status_code == 200
    assert http.get(MARKETS).status_code == 200
    set_fault(http, "429", "polymarket", "POST /books")
    assert http.post("/polymarket/clob/books", json=[]).status_code == 429
    assert http.get(GAMMA).status_code == 200


def test_until_ends_a_fault_at_app_time(http: httpx.Client, sandbox: Running) -> None:
    set_fault(http, "429", until=iso(NOON + 10))
    assert http.get(MARKETS).status_code == 429
    sandbox.box.clock.at = NOON + 11  # type: ignore[attr-defined]
    assert http.get(MARKETS).status_code == 200


def test_rate_is_a_share_and_repeats_with_the_seed() -> None:
    def struck(seed: int) -> list[bool]:
        faults = Faults(seed, "kalshi:429=.3")
        return [bool(faults.hit("kalshi", "GET /markets", 0.0)) for _ in range(400)]

    assert 80 < sum(struck(1)) < 160
    assert struck(1) == struck(1) != struck(2)


def test_kinds_of_later_stages_are_kept_and_unknown_ones_refused(http: httpx.Client) -> None:
    for kind in ("timeout_after_accept", "late_fill", "duplicate_fill", "reject", "gap", "reorder"):
        set_fault(http, kind)
    assert http.get(MARKETS).status_code == 200
    assert len(http.get("/sandbox/faults").json()["faults"]) == 6
    for body in ({"kind": "mystery"}, {"kind": "rename:"}, {"kind": "429", "rate": 2},
                 {"kind": "429", "rate": "x"}, {"kind": "429", "venue": "nyse"},
                 {"kind": "429", "until": "soon"}):
        answer = http.post("/sandbox/faults", json=body)
        assert answer.status_code == 400, body
        assert "timeout_after_accept" in answer.json()["kinds"]
    assert http.post("/sandbox/faults", content=b"{").status_code == 400
    http.delete("/sandbox/faults")
    assert http.get("/sandbox/faults").json() == {"faults": []}


def test_faults_of_the_environment_hold_from_the_start() -> None:
    with run_sandbox(markets=40, origin=ORIGIN, clock=FixedClock(NOON),
                     faults="kalshi:429=1,polymarket:5xx=1") as box:
        assert httpx.get(box.url + MARKETS).status_code == 429
        assert httpx.get(box.url + GAMMA).status_code >= 500
        assert httpx.get(box.url + ALL).status_code == 200
