"""Polymarket's Gamma, CLOB and Data hosts, as the venue sheet has them, over a real socket."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import Any

import httpx
import pytest

from sandbox.clock import FixedClock
from sandbox.testing import Running, run_sandbox
from tests.sandbox.conftest import NOON, ORIGIN

GAMMA, CLOB, DATA = "/polymarket/gamma", "/polymarket/clob", "/polymarket/data"


def get(http: httpx.Client, path: str, **params: Any) -> Any:
    answer = http.get(path, params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


def walk(http: httpx.Client, kind: str, **params: Any) -> list[Any]:
    """Every page of a keyset listing."""
    out: list[Any] = []
    cursor: str | None = None
    for _ in range(300):
        page = get(http, f"{GAMMA}/{kind}/keyset", **params,
                   **({"after_cursor": cursor} if cursor else {}))
        out += page[kind]
        cursor = page.get("next_cursor")
        if cursor is None:
            return out
    raise AssertionError("the listing does not end")


def tokens(market: dict[str, Any]) -> list[str]:
    if market["version"] == "v2":
        return list(market["positionIds"])
    return list(json.loads(market["clobTokenIds"]))


def best(book: dict[str, Any]) -> tuple[Decimal | None, Decimal | None]:
    bids, asks = ([Decimal(x["price"]) for x in book[side]] for side in ("bids", "asks"))
    return (max(bids) if bids else None), (min(asks) if asks else None)


def test_a_market_has_the_sheets_forms(http: httpx.Client) -> None:
    found = walk(http, "markets", limit=100)
    assert {m["version"] for m in found} == {"v1", "v2"}
    assert {m["negRisk"] for m in found} == {True, False}
    for m in found:
        outcomes, prices = json.loads(m["outcomes"]), json.loads(m["outcomePrices"])
        assert len(outcomes) == len(prices) == len(tokens(m)) == 2
        assert all(isinstance(x, str) for x in (*outcomes, *prices, *tokens(m), m["id"]))
        assert sum(map(Decimal, prices)) == 1
        assert isinstance(m["volume"], str) and isinstance(m["volumeNum"], float)
        assert isinstance(m["liquidity"], str) and isinstance(m["bestBid"], float)
        assert re.fullmatch(r"0x[0-9a-f]{64}" if m["version"] == "v1" else r"0x[0-9a-f]{62}",
                            m["conditionId"])
        assert "{" not in m["question"] + m["description"] + m["slug"]
        assert m["feesEnabled"] == (m["feeSchedule"] is not None)
        assert not m["closed"] and m["events"][0]["id"]
        if m["version"] == "v2":
            assert m["clobTokenIds"] is None
            assert all((int(t) >> 40) & ((1 << 64) - 1) == 0 for t in tokens(m))
        else:
            assert all(70 < len(t) <= 78 for t in tokens(m))
    assert {m["feeSchedule"]["rate"] for m in found if m["feeSchedule"]} == {0.04, 0.05, 0.07}


def test_pages_hold_every_market_once(http: httpx.Client) -> None:
    whole = [m["id"] for m in walk(http, "markets", limit=500)]
    assert [m["id"] for m in walk(http, "markets", limit=23)] == whole
    assert len(set(whole)) == len(whole) > 100
    assert len(get(http, f"{GAMMA}/markets/keyset", limit=500)["markets"]) == 100
    by_volume = [m["volumeNum"] for m in walk(http, "markets", limit=50, order="volumeNum")]
    assert by_volume == sorted(by_volume, reverse=True) and len(by_volume) == len(whole)


def test_closings_between_pages_lose_no_open_market(http: httpx.Client, sandbox: Running) -> None:
    page = get(http, f"{GAMMA}/markets/keyset", limit=30)
    seen = [m["id"] for m in page["markets"]]
    sandbox.box.clock.at = NOON + 8 * 3600  # type: ignore[attr-defined]
    while cursor := page.get("next_cursor"):
        page = get(http, f"{GAMMA}/markets/keyset", limit=30, after_cursor=cursor)
        seen += [m["id"] for m in page["markets"]]
    assert {m["id"] for m in walk(http, "markets", limit=100)} <= set(seen)
    assert len(seen) == len(set(seen))


def test_closed_markets_are_asked_for_and_say_how_they_ended(http: httpx.Client,
                                                            sandbox: Running) -> None:
    done = walk(http, "markets", limit=100, closed="true")
    assert done and all(m["closed"] and not m["acceptingOrders"] for m in done)
    ends = {tuple(json.loads(m["outcomePrices"])) for m in done}
    assert ends >= {("1", "0"), ("0", "1"), ("0", "0")}
    one = done[0]["conditionId"]
    assert get(http, f"{GAMMA}/markets/keyset", condition_ids=one)["markets"] == []
    again = get(http, f"{GAMMA}/markets/keyset", condition_ids=one, closed="true")["markets"]
    assert [m["conditionId"] for m in again] == [one]


def test_named_filters_select(http: httpx.Client) -> None:
    two = get(http, f"{GAMMA}/markets/keyset", limit=2)["markets"]
    ids = [m["conditionId"] for m in two]
    found = http.get(f"{GAMMA}/markets/keyset", params=[("condition_ids", x) for x in ids]).json()
    assert [m["conditionId"] for m in found["markets"]] == ids
    by_token = get(http, f"{GAMMA}/markets/keyset", clob_token_ids=tokens(two[0])[1])["markets"]
    assert [m["id"] for m in by_token] == [two[0]["id"]]
    assert get(http, f"{GAMMA}/markets/slug/{two[0]['slug']}")["id"] == two[0]["id"]
    assert get(http, f"{GAMMA}/markets/{two[0]['id']}")["id"] == two[0]["id"]
    event = get(http, f"{GAMMA}/events/{two[0]['events'][0]['id']}")
    assert two[0]["id"] in [m["id"] for m in event["markets"]]
    assert get(http, f"{GAMMA}/events/slug/{event['slug']}")["id"] == event["id"]
    tag = event["tags"][0]
    tagged = walk(http, "events", tag_id=tag["id"], limit=100)
    assert event["id"] in [e["id"] for e in tagged]
    assert all(tag in e["tags"] for e in tagged)
    assert "tags" in get(http, f"{GAMMA}/markets/keyset", limit=1, include_tag="true")["markets"][0]
    word = event["slug"].split("-")[0]
    assert event["id"] in [e["id"] for e in get(
        http, f"{GAMMA}/public-search", q=word, limit_per_type=500)["events"]]


@pytest.mark.parametrize(("path", "params"), [
    ("markets/keyset", {"offset": 0}), ("events/keyset", {"offset": 5}),
    ("markets/keyset", {"order": "volume_num"}), ("events", {"order": "end_date"}),
    ("markets", {"offset": 2001}), ("events", {"offset": 2001}),
    ("markets/keyset", {"after_cursor": "!!"}), ("markets/keyset", {"limit": "many"}),
    ("markets/keyset", {"end_date_min": "soon"})])
def test_wrong_gamma_queries_are_422(http: httpx.Client, path: str, params: dict[str, Any]) -> None:
    assert http.get(f"{GAMMA}/{path}", params=params).status_code == 422


def test_events_group_their_markets(http: httpx.Client) -> None:
    events = walk(http, "events", limit=100)
    neg = [e for e in events if e["negRisk"]]
    assert neg and any(e["negRiskAugmented"] for e in neg)
    for e in events:
        assert isinstance(e["volume"], float) and isinstance(e["liquidity"], float)
        assert e["tags"] and e["markets"]
        if e["negRisk"]:
            assert len(e["markets"]) > 1
            assert {m["negRiskMarketID"] for m in e["markets"]} == {e["negRiskMarketID"]}
            assert all(m["groupItemTitle"] for m in e["markets"])
        if e["negRiskAugmented"]:
            assert e["markets"][-1]["groupItemTitle"] == "Other"
    assert any(json.loads(m["outcomes"])[0] not in ("Yes", "Up") for e in events
               for m in e["markets"])


def test_no_books_mirror_yes_books(http: httpx.Client) -> None:
    found = [m for m in walk(http, "markets", limit=100) if m["acceptingOrders"]][:60]
    asked = [{"token_id": t} for m in found for t in tokens(m)]
    books = {b["asset_id"]: b for b in http.post(f"{CLOB}/books", json=asked).json()}
    assert len(books) == len(asked)
    for m in found:
        yes, no = (books[t] for t in tokens(m))
        assert yes["market"] == no["market"] == m["conditionId"]
        for a, b in (("bids", "asks"), ("asks", "bids")):
            mirrored = {(1 - Decimal(x["price"]), x["size"]) for x in no[b]}
            assert {(Decimal(x["price"]), x["size"]) for x in yes[a]} == mirrored
        assert yes["last_trade_price"] == no["last_trade_price"]
        bid, ask = best(yes)
        if bid is not None and ask is not None:
            assert bid < ask
            assert Decimal(yes["bids"][-1]["price"]) == bid
            assert Decimal(yes["asks"][-1]["price"]) == ask
        tick = Decimal(yes["tick_size"])
        assert all(Decimal(x["price"]) % tick == 0 for x in yes["bids"] + yes["asks"])


def test_small_answers_agree_with_the_book(http: httpx.Client) -> None:
    m = next(m for m in walk(http, "markets", limit=100) if m["acceptingOrders"]
             and 0.2 < m["bestBid"] < 0.8 and m["feesEnabled"])
    t = tokens(m)[0]
    book = get(http, f"{CLOB}/book", token_id=t)
    bid, ask = best(book)
    assert bid is not None and ask is not None
    assert get(http, f"{CLOB}/price", token_id=t, side="BUY") == {"price": str(bid)}
    assert get(http, f"{CLOB}/price", token_id=t, side="SELL") == {"price": str(ask)}
    assert Decimal(get(http, f"{CLOB}/midpoint", token_id=t)["mid"]) == (bid + ask) / 2
    assert Decimal(get(http, f"{CLOB}/spread", token_id=t)["spread"]) == ask - bid
    both = [{"token_id": t, "side": "BUY"}, {"token_id": t, "side": "SELL"}]
    assert http.post(f"{CLOB}/prices", json=both).json() == {
        t: {"BUY": str(bid), "SELL": str(ask)}}
    assert get(http, f"{CLOB}/prices", token_ids=f"{t},{t}", sides="BUY,SELL")[t]["BUY"] == str(bid)
    assert set(get(http, f"{CLOB}/last-trade-price", token_id=t)) == {"price", "side"}
    assert get(http, f"{CLOB}/tick-size", token_id=t) == {
        "minimum_tick_size": m["orderPriceMinTickSize"]}
    assert get(http, f"{CLOB}/neg-risk", token_id=t) == {"neg_risk": m["negRisk"]}
    assert get(http, f"{CLOB}/fee-rate", token_id=t) == {"base_fee": 1000}
    info = get(http, f"{CLOB}/clob-markets/{m['conditionId']}")
    assert [x["t"] for x in info["t"]] == tokens(m) and info["v"] == m["version"]
    assert info["fd"]["r"] == m["feeSchedule"]["rate"]
    assert get(http, f"{CLOB}/markets-by-token/{t}")["condition_id"] == m["conditionId"]
    assert get(http, f"{CLOB}/time") == int(NOON) and get(http, f"{CLOB}/ok") == "OK"


def test_book_errors_are_the_venues_own(http: httpx.Client) -> None:
    assert http.get(f"{CLOB}/book", params={"token_id": "12"}).status_code == 404
    assert "No orderbook exists" in http.get(f"{CLOB}/book", params={"token_id": "12"}).text
    assert http.get(f"{CLOB}/book", params={"token_id": "x"}).json() == {
        "error": "Invalid token id"}
    many = http.post(f"{CLOB}/books", json=[{"token_id": str(i)} for i in range(501)])
    assert many.status_code == 400 and "Payload exceeds the limit" in many.text
    assert http.post(f"{CLOB}/books", json=[{"token_id": "12"}]).json() == []
    assert http.get(f"{CLOB}/books").status_code == 405
    done = get(http, f"{GAMMA}/markets/keyset", closed="true", limit=1)["markets"][0]
    assert http.get(f"{CLOB}/book", params={"token_id": tokens(done)[0]}).status_code == 404


def test_price_history_reaches_back_a_week_and_mirrors(http: httpx.Client) -> None:
    m = next(m for m in walk(http, "markets", limit=100)
             if m["acceptingOrders"] and m["startDate"] < "2026-11-10")
    yes, no = tokens(m)
    week = get(http, f"{CLOB}/prices-history", market=yes, interval="1w", fidelity=60)["history"]
    assert len(week) == 7 * 24 and week[0]["t"] <= NOON - 6.9 * 86_400
    other = get(http, f"{CLOB}/prices-history", market=no, interval="1w", fidelity=60)["history"]
    assert all(a["p"] + b["p"] == pytest.approx(1) for a, b in zip(week, other, strict=True))
    span = get(http, f"{CLOB}/prices-history", market=yes, startTs=int(NOON) - 600,
               endTs=int(NOON), fidelity=1)["history"]
    assert len(span) == 11
    batch = http.post(f"{CLOB}/batch-prices-history",
                      json={"markets": [yes, no], "interval": "1h"}).json()["history"]
    assert set(batch) == {yes, no}
    assert http.post(f"{CLOB}/batch-prices-history",
                     json={"markets": [yes] * 21, "interval": "1h"}).status_code == 400
    rows = get(http, f"{DATA}/v2/prices-history", token_id=yes, interval="1d",
               bucket_seconds=3600)["data"]
    assert len(rows) == 24 and set(rows[0]) == {"timestamp", "price", "resolution_seconds"}
    assert http.get(f"{DATA}/v2/prices-history", params={
        "token_id": yes, "interval": "1d", "as_of": 1}).status_code == 400
    wide = {"token_id": yes, "start": int(NOON) - 16 * 86_400, "end": int(NOON)}
    assert http.get(f"{DATA}/v2/prices-history", params=wide).status_code == 400


def test_data_trades_page_with_a_cursor(http: httpx.Client) -> None:
    start = int(NOON) - 300
    seen: list[Any] = []
    cursor: dict[str, str] = {}
    for _ in range(100):
        page = get(http, f"{DATA}/v2/trades", start=start, limit=70, **cursor)
        seen += page["data"]
        if not page["pagination"]["has_more"]:
            break
        cursor = {"cursor": page["pagination"]["next_cursor"]}
    whole = get(http, f"{DATA}/v2/trades", start=start, limit=1000)["data"]
    assert seen[:1000] == whole and len({t["transaction_hash"] for t in seen}) == len(seen) > 100
    condition = seen[0]["condition_id"]
    mine = get(http, f"{DATA}/v2/trades", condition_id=condition, start=start)["data"]
    assert mine == [t for t in seen if t["condition_id"] == condition][:100]
    many = ",".join(f"0x{i}" for i in range(21))
    assert http.get(f"{DATA}/v2/trades", params={"condition_id": many}).status_code == 400
    assert http.get(f"{DATA}/trades").status_code == 404


def test_reference_data_names_tokens_and_resolutions(http: httpx.Client) -> None:
    done = next(m for m in walk(http, "markets", limit=100, closed="true")
                if m["outcomePrices"] != '["0", "0"]')
    row = get(http, f"{DATA}/v2/resolutions", condition_id=done["conditionId"])["data"][0]
    prices = [float(p) for p in json.loads(done["outcomePrices"])]
    assert row["payouts"] == prices and row["status"] == "resolved"
    pair = get(http, f"{DATA}/v2/tokens", condition=done["conditionId"])["data"]
    assert [x["token_id"] for x in pair] == tokens(done) and pair[0]["resolved"]
    assert [x["final_price"] for x in pair] == prices
    assert get(http, f"{DATA}/v2/oi", condition_id=done["conditionId"])["data"]
    assert http.get(f"{DATA}/v2/resolutions").status_code == 400


@pytest.mark.parametrize("agent", ["Python-urllib/3.11", ""])
def test_requests_without_an_honest_agent_are_forbidden(http: httpx.Client, agent: str) -> None:
    assert http.get(f"{CLOB}/time", headers={"User-Agent": agent}).status_code == 403


def test_the_window_delays_with_retry_after() -> None:
    with run_sandbox(markets=40, origin=ORIGIN, clock=FixedClock(NOON), limits=True,
                     limit_scale=0.02) as box, httpx.Client(base_url=box.url) as http:
        answers = [http.get(f"{GAMMA}/markets") for _ in range(12)]
        refused = [a for a in answers if a.status_code == 429]
        assert [a.status_code for a in answers[:6]] == [200] * 6 and len(refused) == 6
        assert int(refused[0].headers["retry-after"]) >= 1
        assert http.get(f"{CLOB}/time").status_code == 200
