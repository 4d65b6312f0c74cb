"""Kalshi request signatures, checked against registered public keys (venue sheet §3)."""

from __future__ import annotations

import base64
import binascii
import time
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

WINDOW_S = 30.0  # how far a timestamp may be from wall time


def load_public_key(pem: str) -> RSAPublicKey | Ed25519PublicKey:
    """ValueError for anything but an RSA or Ed25519 public key."""
    key = serialization.load_pem_public_key(pem.encode())
    if not isinstance(key, (RSAPublicKey, Ed25519PublicKey)):
        raise ValueError("the key must be RSA or Ed25519")
    return key


def verified(key: Any, signature: str, text: bytes) -> bool:
    try:
        raw = base64.b64decode(signature, validate=True)
        if isinstance(key, Ed25519PublicKey):
            key.verify(raw, text)
        else:
            pss = padding.PSS(padding.MGF1(hashes.SHA256()), hashes.SHA256().digest_size)
            key.verify(raw, text, pss, hashes.SHA256())
    except (InvalidSignature, binascii.Error, ValueError):
        return False
    return True


def refusal(headers: Any, method: str, path: str, keys: dict[tuple[str, str], Any],
            wall: float | None = None) -> str | None:
    """Why the request's credentials are refused, or None. `path` starts at /trade-api/v2."""
    key_id = headers.get("kalshi-access-key")
    stamp = headers.get("kalshi-access-timestamp", "")
    signature = headers.get("kalshi-access-signature", "")
    key = keys.get(("kalshi", key_id))
    if key is None:
        return "unknown api key"
    if not stamp.isdigit():
        return "invalid timestamp"
    now = time.time() if wall is None else wall
    if abs(int(stamp) / 1000 - now) > WINDOW_S:
        return "timestamp out of window"
    if not verified(key, signature, (stamp + method.upper() + path).encode()):
        return "invalid signature"
    return None
