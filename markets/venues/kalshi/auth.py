"""Kalshi's request signature: RSA-PSS or Ed25519 over timestamp + method + path.

The path is the venue's own, from `/trade-api/v2` on, without host or query, whatever prefix a
sandbox puts before it. Messages never hold key material.
https://docs.kalshi.com/getting_started/api_keys
"""

import base64
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from markets.venues.base import VenueError

API_PATH = "/trade-api/v2"
PrivateKey = RSAPrivateKey | Ed25519PrivateKey


class Signer:
    """Makes the three headers of an authenticated request."""

    def __init__(self, key_id: str, key: PrivateKey) -> None:
        self.key_id = key_id
        self._key = key

    def __repr__(self) -> str:
        return f"Signer({self.key_id!r})"

    def headers(self, timestamp_ms: int, method: str, path: str) -> dict[str, str]:
        """For `path` from the API root on, such as /trade-api/v2/portfolio/balance."""
        text = f"{timestamp_ms}{method.upper()}{path.partition('?')[0]}"
        return {
            "KALSHI-ACCESS-KEY": self.key_id,
            "KALSHI-ACCESS-TIMESTAMP": str(timestamp_ms),
            "KALSHI-ACCESS-SIGNATURE": sign(self._key, text),
        }


def sign(key: PrivateKey, text: str) -> str:
    """Base64 signature of the pre-sign text."""
    message = text.encode()
    if isinstance(key, Ed25519PrivateKey):
        signature = key.sign(message)
    else:
        scheme = padding.PSS(padding.MGF1(hashes.SHA256()), salt_length=padding.PSS.DIGEST_LENGTH)
        signature = key.sign(message, scheme, hashes.SHA256())
    return base64.b64encode(signature).decode("ascii")


def load_key(pem: bytes) -> PrivateKey:
    """The private key in a PEM text (PKCS#1 or PKCS#8, without a passphrase)."""
    try:
        key = serialization.load_pem_private_key(pem, password=None)
    except TypeError:
        raise VenueError("the Kalshi key has a passphrase; save it without one", True) from None
    except (ValueError, UnsupportedAlgorithm):
        raise VenueError("the Kalshi key is not a PEM private key", True) from None
    if not isinstance(key, RSAPrivateKey | Ed25519PrivateKey):
        raise VenueError("the Kalshi key is neither RSA nor Ed25519", True)
    return key


def load_signer(key_id: str, key_file: str) -> Signer | None:
    """The signer of KALSHI_KEY_ID and KALSHI_KEY_FILE; None when neither is set."""
    if not key_id and not key_file:
        return None
    if not (key_id and key_file):
        absent = "KALSHI_KEY_FILE" if key_id else "KALSHI_KEY_ID"
        raise VenueError(f"{absent} is not set, so that Kalshi requests cannot be signed", True)
    try:
        pem = Path(key_file).read_bytes()
    except OSError as problem:
        reason = problem.strerror or "unreadable"
        raise VenueError(f"KALSHI_KEY_FILE={key_file}: {reason}", True) from None
    return Signer(key_id, load_key(pem))
