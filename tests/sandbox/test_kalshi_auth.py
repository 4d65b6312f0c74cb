"""Kalshi signatures: the sheet's golden vector, both kinds of key, and the official client."""

from __future__ import annotations

import base64
import time
from typing import Any

import httpx
import kalshi_python_sync
import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa

from sandbox.kalshi_auth import verified
from sandbox.testing import Running

API = "/kalshi/trade-api/v2"
GOLDEN = ("hkBtGNHKCfMll7XdniCzUygg/ek7JdCINuVOaGq0bDS3feQIdYVMirJSybX93bQtj8CMmr3q0RiAToeTeMOw"
          "Bg==")
ED = ed25519.Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
RSA = rsa.generate_private_key(65537, 2048)
BALANCE = "/portfolio/balance"


def public_pem(key: Any) -> str:
    return key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()


def signed(key: Any, text: str) -> str:
    if isinstance(key, ed25519.Ed25519PrivateKey):
        raw = key.sign(text.encode())
    else:
        pss = padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.DIGEST_LENGTH)
        raw = key.sign(text.encode(), pss, hashes.SHA256())
    return base64.b64encode(raw).decode()


def headers(key: Any, key_id: str, path: str = "/trade-api/v2" + BALANCE, method: str = "GET",
            late_s: float = 0) -> dict[str, str]:
    stamp = str(int((time.time() - late_s) * 1000))
    return {"KALSHI-ACCESS-KEY": key_id, "KALSHI-ACCESS-TIMESTAMP": stamp,
            "KALSHI-ACCESS-SIGNATURE": signed(key, stamp + method + path)}


@pytest.fixture(params=["rsa", "ed25519"])
def key(request: pytest.FixtureRequest, http: httpx.Client) -> tuple[Any, str]:
    chosen = RSA if request.param == "rsa" else ED
    body = {"venue": "kalshi", "key_id": request.param, "public_pem": public_pem(chosen)}
    assert http.post("/sandbox/keys", json=body).status_code == 201
    return chosen, request.param


def test_golden_vector_verifies() -> None:
    text = b"1703123456789GET/trade-api/v2/portfolio/balance"
    assert verified(ED.public_key(), GOLDEN, text)
    assert not verified(ED.public_key(), GOLDEN, text + b"x")


def test_a_good_signature_opens_the_account(http: httpx.Client, key: tuple[Any, str]) -> None:
    answer = http.get(API + BALANCE, params={"subaccount": 0}, headers=headers(*key))
    assert answer.status_code == 200 and answer.json()["balance"] == 0
    limits = http.get(API + "/account/limits",
                      headers=headers(*key, path="/trade-api/v2/account/limits")).json()
    assert limits["read"] == {"refill_rate": 200, "bucket_capacity": 400}


@pytest.mark.parametrize("wrong", ["path", "prefixed", "method", "late", "unknown", "garbage"])
def test_a_bad_signature_is_refused(http: httpx.Client, key: tuple[Any, str], wrong: str) -> None:
    private, key_id = key
    sent = headers(private, key_id)
    if wrong in ("path", "prefixed", "method"):
        given: dict[str, Any] = {
            "path": {"path": "/portfolio/balance"},
            "prefixed": {"path": "/kalshi/trade-api/v2/portfolio/balance"},
            "method": {"method": "POST"}}[wrong]
        sent = headers(private, key_id, **given)
    elif wrong == "late":
        sent = headers(private, key_id, late_s=60)
    elif wrong == "unknown":
        sent["KALSHI-ACCESS-KEY"] = "nobody"
    else:
        sent["KALSHI-ACCESS-SIGNATURE"] = "%%%"
    answer = http.get(API + BALANCE, headers=sent)
    assert answer.status_code == 401 and set(answer.json()["error"]) == {"code", "message"}


def test_private_reads_need_credentials_and_public_ones_do_not(http: httpx.Client) -> None:
    for path in (BALANCE, "/account/limits", "/portfolio/orders"):
        assert http.get(API + path).status_code == 401
    ticker = http.get(API + "/markets", params={"limit": 1}).json()["markets"][0]["ticker"]
    book = f"{API}/markets/{ticker}/orderbook"
    assert http.get(book).status_code == 200
    bad = {**headers(RSA, "nobody"), "KALSHI-ACCESS-SIGNATURE": "AAAA"}
    assert http.get(book, headers=bad).status_code == 401


def test_only_public_keys_are_registered(http: httpx.Client) -> None:
    body = {"venue": "kalshi", "key_id": "k", "public_pem": "nonsense"}
    assert http.post("/sandbox/keys", json=body).status_code == 400
    assert http.post("/sandbox/keys", json=[1]).status_code == 400


def test_the_official_client_signs_and_reads_the_status(sandbox: Running,
                                                        http: httpx.Client) -> None:
    """The client signs the path it calls, so it uses the root alias without the venue prefix."""
    body = {"venue": "kalshi", "key_id": "sdk", "public_pem": public_pem(RSA)}
    http.post("/sandbox/keys", json=body)
    config = kalshi_python_sync.Configuration(host=f"{sandbox.url}/trade-api/v2")
    config.api_key_id = "sdk"
    config.private_key_pem = RSA.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption()).decode()
    client = kalshi_python_sync.KalshiClient(config)
    status = client.get_exchange_status()
    assert status.exchange_active and status.trading_active
    raw = client.get_balance_without_preload_content()
    assert raw.status == 200
    config.api_key_id = "other"
    stranger = kalshi_python_sync.KalshiClient(config)
    with pytest.raises(kalshi_python_sync.ApiException) as refused:
        stranger.get_balance()
    assert refused.value.status == 401
