"""Polymarket credentials: the sheet's golden vectors, and the official client end to end."""

from __future__ import annotations

import json
import time
from typing import Any

import httpx
import pytest
from eth_account import Account
from eth_account.messages import encode_typed_data
from py_clob_client_v2.client import ClobClient
from py_clob_client_v2.clob_types import (
    ApiCreds,
    AssetType,
    BalanceAllowanceParams,
    BookParams,
    PricesHistoryParams,
)
from py_clob_client_v2.exceptions import PolyApiException

from sandbox import poly_auth
from sandbox.testing import Running

KEY = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"
ADDRESS = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"
L1 = {
    80002: "0xf62319a987514da40e57e2f4d7529f7bac38f0355bd88bb5adbb3768d80de6c1"
           "682518e0af677d5260366425f4361e7b70c25ae232aff0ab2331e2b164a1aedc1b",
    137: "0x1a7118db6100dfd8efd102be36f472b59475dcac56eb4c9a2a94748d3655ba7c"
         "3c89deb8c19ee79eceb0a531122fbfbe88ed118034f9d8212e2b725e7b296b9d1c"}
SECRET = "A" * 43 + "="


@pytest.mark.parametrize("chain", sorted(L1))
def test_l1_golden_vectors_recover_the_wallet(chain: int) -> None:
    assert poly_auth.l1_signer(ADDRESS, "10000000", 23, L1[chain], chain) == ADDRESS
    assert poly_auth.l1_signer(ADDRESS, "10000000", 24, L1[chain], chain) != ADDRESS
    assert poly_auth.l1_signer(ADDRESS, "10000000", 23, "0x12", chain) is None


@pytest.mark.parametrize(("given", "signature"), [
    (("1000000", "test-sign", "/orders", '{"hash": "0x123"}'),
     "ZwAdJKvoYRlEKDkNMwd5BuwNNtg93kNaR_oU2HrfVvc="),
    (("1710000000", "GET", "/data/orders", ""), "ikhPvzkGUsjL-NRfc7-t_mgOlnzt9QU9GD1LKLTs8z4=")])
def test_l2_golden_vectors(given: tuple[str, str, str, str], signature: str) -> None:
    assert poly_auth.l2_signature(SECRET, *given) == signature


@pytest.fixture
def client(sandbox: Running) -> ClobClient:
    return ClobClient(f"{sandbox.polymarket}/clob", 137, key=KEY)


@pytest.fixture
def market(http: httpx.Client) -> dict[str, Any]:
    found = http.get("/polymarket/gamma/markets/keyset", params={"limit": 100}).json()["markets"]
    return next(m for m in found if m["acceptingOrders"] and m["version"] == "v1"
                and 0.2 < m["bestBid"] < 0.8 and m["feesEnabled"])


def test_the_official_client_reads_the_market(client: ClobClient, market: dict[str, Any]) -> None:
    yes, no = json.loads(market["clobTokenIds"])
    book = client.get_order_book(yes)
    assert book["asset_id"] == yes and book["market"] == market["conditionId"]
    assert client.get_order_book_hash(dict(book)) == book["hash"]
    books = client.get_order_books([BookParams(token_id=yes), BookParams(token_id=no)])
    assert {b["asset_id"] for b in books} == {yes, no}
    assert float(client.get_tick_size(yes)) == market["orderPriceMinTickSize"]
    assert client.get_neg_risk(yes) == market["negRisk"]
    assert client.get_fee_rate_bps(yes) == 1000
    assert client.get_fee_exponent(yes) == 1
    mid = float(client.get_midpoint(yes)["mid"])
    bid = float(client.get_price(yes, "BUY")["price"])
    assert bid < mid < float(client.get_price(yes, "SELL")["price"])
    assert set(client.get_midpoints([BookParams(token_id=yes)])) == {yes}
    assert set(client.get_prices([BookParams(token_id=yes, side="BUY")])[yes]) == {"BUY"}
    assert float(client.get_spread(yes)["spread"]) > 0
    assert set(client.get_spreads([BookParams(token_id=no)])) == {no}
    assert client.get_last_trade_price(yes)["side"] in ("BUY", "SELL")
    assert client.get_last_trades_prices([BookParams(token_id=yes)])[0]["token_id"] == yes
    week = client.get_prices_history(PricesHistoryParams(market=yes, interval="1w", fidelity=60))
    assert len(week["history"]) > 100
    info = client.get_clob_market_info(market["conditionId"])
    assert info["fd"]["r"] == market["feeSchedule"]["rate"]
    assert client.get_ok() == "OK" and client.get_version() == 2
    assert isinstance(client.get_server_time(), int)


def test_the_official_client_gets_credentials_and_reads_its_account(client: ClobClient) -> None:
    creds = client.create_or_derive_api_key()
    assert creds == client.derive_api_key()
    client.set_api_creds(creds)
    assert client.get_open_orders() == [] and client.get_trades() == []
    assert client.get_api_keys() == {"apiKeys": [creds.api_key]}
    assert client.get_closed_only_mode() == {"closed_only": False}
    params = BalanceAllowanceParams(asset_type=AssetType.COLLATERAL, signature_type=0)
    assert client.get_balance_allowance(params) == {"balance": "0", "allowance": "0"}


def test_server_time_serves_for_signing(sandbox: Running) -> None:
    """The client may sign with the venue's own clock, which is app time here."""
    client = ClobClient(f"{sandbox.polymarket}/clob", 137, key=KEY, use_server_time=True)
    client.set_api_creds(client.create_or_derive_api_key())
    assert client.get_open_orders() == []


@pytest.mark.parametrize("wrong", ["secret", "passphrase", "key"])
def test_wrong_l2_credentials_are_refused(client: ClobClient, wrong: str) -> None:
    good = client.create_or_derive_api_key()
    client.set_api_creds(ApiCreds(
        api_key="x" if wrong == "key" else good.api_key,
        api_secret=SECRET if wrong == "secret" else good.api_secret,
        api_passphrase="x" if wrong == "passphrase" else good.api_passphrase))
    with pytest.raises(PolyApiException) as refused:
        client.get_open_orders()
    assert refused.value.status_code == 401


def l1_headers(nonce: int = 0, late_s: int = 0, signer: str = KEY) -> dict[str, str]:
    stamp = str(int(time.time()) - late_s)
    body = {"address": ADDRESS, "timestamp": stamp, "nonce": nonce, "message": poly_auth.MESSAGE}
    domain = {"name": "ClobAuthDomain", "version": "1", "chainId": 137}
    signed = Account.sign_message(encode_typed_data(domain, poly_auth.TYPES, body), signer)
    return {"POLY_ADDRESS": ADDRESS, "POLY_SIGNATURE": "0x" + signed.signature.hex(),
            "POLY_TIMESTAMP": stamp, "POLY_NONCE": str(nonce)}


def test_l1_requests_must_be_signed_by_their_wallet_and_fresh(http: httpx.Client) -> None:
    path = "/polymarket/clob/auth/derive-api-key"
    assert http.get(path, headers=l1_headers()).status_code == 200
    assert http.get(path, headers=l1_headers(1)).json() != http.get(
        path, headers=l1_headers(2)).json()
    for bad in (l1_headers(late_s=3 * 86_400), l1_headers(signer="0x" + "11" * 32),
                {**l1_headers(), "POLY_NONCE": "7"}, {}):
        answer = http.get(path, headers=bad)
        assert (answer.status_code, answer.json()) == (401, {"error": "Invalid L1 Request headers"})
