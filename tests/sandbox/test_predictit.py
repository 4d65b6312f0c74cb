"""PredictIt's market data with its quirks, over a real socket."""

from __future__ import annotations

import re
from xml.etree import ElementTree as Xml

import httpx

from sandbox.layout import PREDICTIT
from sandbox.testing import Running
from tests.sandbox.conftest import NOON

ALL = "/predictit/api/marketdata/all/"
PRICES = ("bestBuyYesCost", "bestBuyNoCost", "bestSellYesCost", "bestSellNoCost")


def test_the_list_has_the_sites_fields_and_prices(http: httpx.Client) -> None:
    markets = http.get(ALL).json()["markets"]
    assert len(markets) > 5 and any(len(m["contracts"]) > 1 for m in markets)
    for m in markets:
        assert set(m) == {"id", "name", "shortName", "image", "url", "contracts", "timeStamp",
                          "status"}
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}", m["timeStamp"])
        assert "{" not in m["name"] + m["shortName"]
        for c in m["contracts"]:
            yes, no, sell_yes, sell_no = (c[p] for p in PRICES)
            for p in (yes, no, sell_yes, sell_no):
                assert p is None or 0.01 <= p <= 0.99
            assert (yes is None) == (sell_no is None) and (no is None) == (sell_yes is None)
            assert yes is None or abs(yes + sell_no - 1) < 1e-9
            assert no is None or abs(no + sell_yes - 1) < 1e-9
            assert yes is None or sell_yes is None or sell_yes < yes


def test_end_dates_come_in_every_form_the_site_has(http: httpx.Client, sandbox: Running) -> None:
    found = [sandbox.box.predictit.date_end(r, sandbox.box.world.listings[0])
             for r in range(sandbox.box.world.markets.n)]
    assert {"NA", "N/A"} <= set(found)
    assert any(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", x) for x in found)
    assert any(re.fullmatch(r"\d\d/\d\d/\d{4} \d\d:\d\d:\d\d [AP]M \(ET\)", x) for x in found)


def test_bytes_change_once_a_minute_and_carry_eastern_time(http: httpx.Client,
                                                           sandbox: Running) -> None:
    clock, bodies = sandbox.box.clock, []
    for t in (NOON, NOON + 59, NOON + 61):
        clock.at = t  # type: ignore[attr-defined]
        bodies.append(http.get(ALL).content)
    assert bodies[0] == bodies[1] != bodies[2]
    assert b'"timeStamp":"2026-11-20T13:30:' in bodies[0]  # 18:30 UTC


def test_one_market_is_bare_and_equals_its_row(http: httpx.Client) -> None:
    first = http.get(ALL).json()["markets"][0]
    assert http.get(f"/predictit/api/marketdata/markets/{first['id']}").json() == first
    assert http.get("/predictit/api/marketdata/markets/1").json() is None


def test_xml_on_request(http: httpx.Client) -> None:
    answer = http.get(ALL, headers={"Accept": "application/xml"})
    assert answer.headers["content-type"].startswith("application/xml")
    root = Xml.fromstring(answer.content)
    names = [x.text for x in root.iter("Name")]
    assert http.get(ALL).json()["markets"][0]["name"] in names
    assert len(root.findall("./Markets/MarketData/Contracts/MarketContract")) > 5


def test_closed_markets_disappear(http: httpx.Client, sandbox: Running) -> None:
    mk = sandbox.box.world.markets
    rows = [r for r in range(mk.n) if mk.venue[r] == PREDICTIT and mk.decided[r] > NOON]
    row = min(rows, key=lambda r: mk.decided[r])
    ids = []
    for t in (mk.decided[row] - 120, mk.decided[row] + 120):
        sandbox.box.clock.at = float(t)  # type: ignore[attr-defined]
        ids.append({c["id"] for m in http.get(ALL).json()["markets"] for c in m["contracts"]})
    assert 30_000 + row in ids[0] and 30_000 + row not in ids[1]
