"""/sandbox/truth and /sandbox/ledger say what is so, in the ids of the canon."""

from __future__ import annotations

from decimal import Decimal

import httpx
import pytest

from sandbox.clock import parse_time
from sandbox.episodes import lock
from sandbox.fees import kalshi_taker, polymarket_taker
from sandbox.layout import KALSHI, POLY
from sandbox.testing import Running
from tests.sandbox.conftest import NOON


def test_truth_has_the_promised_form(http: httpx.Client) -> None:
    truth = http.get("/sandbox/truth").json()
    assert truth["now"] == "2026-11-20T18:30:00.000Z" and truth["seed"] == 7
    ids = {m["id"] for e in truth["events"] for m in e["markets"]}
    for pair in truth["pairs"]:
        assert {pair["a"], pair["b"]} <= ids
        assert pair["relation"] == {1: "equivalent", -1: "inverse"}[pair["polarity"]]
    assert {p["relation"] for p in truth["pairs"]} == {"equivalent", "inverse"}
    assert all({p["a"], p["b"]} <= ids and p["differs_in"] for p in truth["near_pairs"])
    assert {i.split(":")[0] for i in ids} == {"KALSHI", "POLY", "PREDICTIT"}
    for e in truth["episodes"]:
        assert isinstance(e["net"], str) and isinstance(e["executable_qty"], str)
        assert {leg["market"] for leg in e["legs"]} <= ids


def test_its_ids_are_those_the_venues_serve(http: httpx.Client) -> None:
    truth = http.get("/sandbox/truth").json()
    pair = next(p for p in truth["pairs"] if p["a"].startswith("KALSHI")
                and p["b"].startswith("POLY") and p["polarity"] == 1)
    ticker, condition = pair["a"].split(":")[1], pair["b"].split(":")[1]
    assert http.get(f"/kalshi/trade-api/v2/markets/{ticker}").status_code == 200
    assert http.get(f"/polymarket/clob/clob-markets/{condition}").status_code == 200
    third = next(p["b"] for p in truth["pairs"] if p["b"].startswith("PREDICTIT"))
    market, contract = third.split(":")[1].split(".")
    shown = http.get("/predictit/api/marketdata/all/").json()["markets"]
    known = {str(m["id"]): {str(c["id"]) for c in m["contracts"]} for m in shown}
    assert contract in known.get(market, {contract})


def test_an_episode_can_be_taken_from_the_books_it_names(http: httpx.Client,
                                                         sandbox: Running) -> None:
    """Rebuild the net of an episode from the public books alone."""
    truth = http.get("/sandbox/truth", params={"back_hours": 0, "ahead_hours": 6}).json()
    episode = max((e for e in truth["episodes"] if e["kind"] == "planted"),
                  key=lambda e: Decimal(e["executable_qty"]))  # several levels deep
    sandbox.box.clock.at = parse_time(episode["at"])  # type: ignore[attr-defined]
    quantity, paid = Decimal(episode["executable_qty"]), Decimal(0)
    for leg in episode["legs"]:
        venue, name = leg["market"].split(":")
        left, cost = quantity, Decimal(0)
        for price, size in asks(http, venue, name, leg["side"]):
            take = min(left, size)
            cost, left = cost + take * price, left - take
        assert left == 0 and cost == Decimal(leg["cost"])
        paid += cost + Decimal(leg["fee"])
    assert quantity - paid == Decimal(episode["net"]) > 0


def test_a_lock_takes_each_level_until_its_fees_eat_it(sandbox: Running) -> None:
    """10 at .40+.50, 5 at .44+.50 and 15 at .44+.52 pay; .47+.52 leaves a cent, less than fees."""
    mk = sandbox.box.world.markets
    pair = next(p for p in sandbox.box.world.pairs if mk.venue[p.a] == KALSHI
                and mk.venue[p.b] == POLY and sandbox.box.poly.static(p.b)["feesEnabled"])
    first, second = [(4000, 1000), (4400, 2000), (4700, 1000)], [(5000, 1500), (5200, 5000)]
    found = lock(sandbox.box, pair, ("yes", "no"), NOON, first, second)
    assert found is not None and found.quantity == 30
    assert [x.cost for x in found.legs] == [Decimal("12.8"), Decimal("15.3")]
    assert [x.price for x in found.legs] == [4400, 5200]
    assert found.net == Decimal("1.9") - sum(x.fee for x in found.legs) > 0
    assert lock(sandbox.box, pair, ("yes", "no"), NOON, [(4900, 100)], [(5000, 100)]) is None


def asks(http: httpx.Client, venue: str, name: str, side: str) -> list[tuple[Decimal, Decimal]]:
    if venue == "KALSHI":
        book = http.get(f"/kalshi/trade-api/v2/markets/{name}/orderbook").json()["orderbook_fp"]
        other = book["no_dollars" if side == "yes" else "yes_dollars"]
        return sorted((1 - Decimal(p), Decimal(s)) for p, s in other)
    info = http.get(f"/polymarket/clob/clob-markets/{name}").json()
    token = info["t"][0 if side == "yes" else 1]["t"]
    book = http.get("/polymarket/clob/book", params={"token_id": token}).json()
    return sorted((Decimal(x["price"]), Decimal(x["size"])) for x in book["asks"])


def test_the_ledger_is_empty_until_there_are_accounts(http: httpx.Client) -> None:
    assert http.get("/sandbox/ledger", params={"account": "a"}).json() == {
        "entries": [], "balance": "0.00"}


def test_windows_can_be_widened(http: httpx.Client) -> None:
    wide = http.get("/sandbox/truth", params={"back_hours": 6, "ahead_hours": 6}).json()
    none = http.get("/sandbox/truth", params={"back_hours": 0, "ahead_hours": 0}).json()
    assert len(wide["episodes"]) > len(none["episodes"])
    assert all(e["opens"] <= none["now"] < e["closes"] for e in none["episodes"])
    assert http.get("/sandbox/truth", params={"back_hours": "x"}).status_code == 400


@pytest.mark.parametrize(("count", "price", "fee"), [
    ("1", ".50", "0.017500"), ("100", ".45", "1.732500"), ("7", ".62", "0.115444"),
    ("1", ".055", "0.003639")])
def test_kalshi_fees_of_the_sheet(count: str, price: str, fee: str) -> None:
    assert kalshi_taker(Decimal(count), Decimal(price), Decimal(1)) == Decimal(fee)


@pytest.mark.parametrize(("count", "price", "rate", "exponent", "fee"), [
    ("100", ".50", ".07", 1, "1.75"), ("100", ".976", ".04", 1, "0.09370"),
    ("57", ".42", ".07", 1, "0.97196"), ("100", ".50", ".25", 2, "1.5625"),
    ("5", ".01", ".04", 1, "0.00198")])
def test_polymarket_fees_of_the_sheet(count: str, price: str, rate: str, exponent: int,
                                      fee: str) -> None:
    assert polymarket_taker(Decimal(count), Decimal(price), Decimal(rate), exponent) == Decimal(fee)
