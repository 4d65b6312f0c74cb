"""Polymarket's two kinds of credentials (venue sheet §4.2–4.3)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import uuid
from collections.abc import Mapping
from typing import Any

WINDOW_S = 120.0
MESSAGE = "This message attests that I control the given wallet"
TYPES = {"ClobAuth": [
    {"name": "address", "type": "address"}, {"name": "timestamp", "type": "string"},
    {"name": "nonce", "type": "uint256"}, {"name": "message", "type": "string"}]}


def l1_signer(address: str, timestamp: str, nonce: int, signature: str,
              chain_id: int = 137) -> str | None:
    """The address that signed this L1 attestation, or None when nothing can be recovered."""
    from eth_account import Account  # slow to import and rarely needed
    from eth_account.messages import encode_typed_data

    domain = {"name": "ClobAuthDomain", "version": "1", "chainId": chain_id}
    body = {"address": address, "timestamp": timestamp, "nonce": nonce, "message": MESSAGE}
    try:
        signable = encode_typed_data(domain, TYPES, body)
        return str(Account.recover_message(signable, signature=signature))
    except Exception:  # noqa: BLE001 - whatever the library cannot digest is simply not a signature
        return None


def credentials(seed: int, address: str, nonce: int) -> dict[str, str]:
    """The API credentials of a wallet: the same for the same address and nonce."""
    raw = hashlib.sha256(f"{seed}|{address.lower()}|{nonce}".encode()).digest()
    secret = base64.urlsafe_b64encode(hashlib.sha256(raw + b"secret").digest()).decode()
    return {"apiKey": str(uuid.UUID(bytes=raw[:16], version=4)), "secret": secret,
            "passphrase": hashlib.sha256(raw + b"passphrase").hexdigest()}


def l2_signature(secret: str, timestamp: str, method: str, path: str, body: str = "") -> str:
    """HMAC-SHA256 over timestamp + METHOD + path + body, all url-safe base64."""
    key = base64.urlsafe_b64decode(secret)
    text = f"{timestamp}{method}{path}{body}".encode()
    return base64.urlsafe_b64encode(hmac.new(key, text, hashlib.sha256).digest()).decode()


def near(stamp: str, clocks: tuple[float, ...]) -> bool:
    """Whether a timestamp in seconds is close to any of our clocks (wall or app time)."""
    return stamp.isdigit() and any(abs(int(stamp) - c) <= WINDOW_S for c in clocks)


def check_l1(headers: Mapping[str, str], clocks: tuple[float, ...]) -> tuple[str, int] | None:
    """(address, nonce) of a good L1 request, else None."""
    address, nonce = headers.get("poly_address", ""), headers.get("poly_nonce", "0")
    stamp = headers.get("poly_timestamp", "")
    if not nonce.isdigit() or not near(stamp, clocks):
        return None
    signer = l1_signer(address, stamp, int(nonce), headers.get("poly_signature", ""))
    if signer is None or signer.lower() != address.lower():
        return None
    return signer, int(nonce)


def check_l2(headers: Mapping[str, str], accounts: dict[str, dict[str, Any]], method: str,
             path: str, body: str, clocks: tuple[float, ...]) -> str | None:
    """The address of a good L2 request, else None. `accounts` by API key."""
    account = accounts.get(headers.get("poly_api_key", ""))
    stamp = headers.get("poly_timestamp", "")
    if account is None or not near(stamp, clocks):
        return None
    right = l2_signature(account["secret"], stamp, method, path, body)
    same = (hmac.compare_digest(right.rstrip("="), headers.get("poly_signature", "").rstrip("="))
            and headers.get("poly_passphrase") == account["passphrase"]
            and headers.get("poly_address", "").lower() == account["address"].lower())
    return account["address"] if same else None


def valid_base64(text: str) -> bool:
    try:
        base64.urlsafe_b64decode(text)
    except (binascii.Error, ValueError):
        return False
    return True
