import base64

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from markets.venues.base import VenueError
from markets.venues.kalshi.auth import Signer, load_key, load_signer, sign

PATH = "/trade-api/v2/portfolio/balance"
ED25519 = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def pem(key, form=serialization.PrivateFormat.PKCS8, passphrase=None):
    lock = (
        serialization.BestAvailableEncryption(passphrase)
        if passphrase
        else serialization.NoEncryption()
    )
    return key.private_bytes(serialization.Encoding.PEM, form, lock)


def test_ed25519_signature_is_the_golden_one():
    headers = Signer("key", load_key(pem(ED25519))).headers(1703123456789, "get", PATH)
    assert headers == {
        "KALSHI-ACCESS-KEY": "key",
        "KALSHI-ACCESS-TIMESTAMP": "1703123456789",
        "KALSHI-ACCESS-SIGNATURE": (
            "hkBtGNHKCfMll7XdniCzUygg/ek7JdCINuVOaGq0bDS3feQIdYVMirJSybX93bQtj8CMmr3q0RiAToeTeMOwBg=="
        ),
    }


@pytest.mark.parametrize(
    "form", [serialization.PrivateFormat.PKCS8, serialization.PrivateFormat.TraditionalOpenSSL]
)
def test_rsa_signature_verifies_with_salt_of_digest_length(form):
    signature = base64.b64decode(sign(load_key(pem(RSA, form)), "1GET" + PATH))
    scheme = padding.PSS(padding.MGF1(hashes.SHA256()), salt_length=32)
    RSA.public_key().verify(signature, f"1GET{PATH}".encode(), scheme, hashes.SHA256())
    with pytest.raises(InvalidSignature):
        RSA.public_key().verify(signature, b"2GET", scheme, hashes.SHA256())


def test_query_is_not_signed():
    signer = Signer("key", ED25519)
    assert signer.headers(1, "GET", PATH + "?limit=5") == signer.headers(1, "GET", PATH)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (b"", "not a PEM private key"),
        (b"not a key at all", "not a PEM private key"),
        (pem(RSA).replace(b"A", b"!", 40), "not a PEM private key"),
        (pem(ec.generate_private_key(ec.SECP256R1())), "neither RSA nor Ed25519"),
        (pem(ED25519, passphrase=b"secret"), "has a passphrase"),
    ],
)
def test_unusable_key_is_named_and_never_shown(text, says):
    with pytest.raises(VenueError, match=says) as caught:
        load_key(text)
    assert caught.value.permanent
    body = text.decode("ascii").split("\n")[1:-2]
    assert not any(line and line in str(caught.value) for line in body)
    assert caught.value.__cause__ is None


def test_key_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(VenueError, match="KALSHI_KEY_FILE=.*No such file"):
        load_signer("key", str(tmp_path / "none.pem"))


def test_half_of_the_credentials_names_the_other_half(tmp_path):
    with pytest.raises(VenueError, match="KALSHI_KEY_FILE is not set"):
        load_signer("key", "")
    with pytest.raises(VenueError, match="KALSHI_KEY_ID is not set"):
        load_signer("", str(tmp_path))


def test_no_credentials_is_no_signer():
    assert load_signer("", "") is None


def test_signer_is_read_from_its_file_and_prints_no_key(tmp_path):
    file = tmp_path / "key.pem"
    file.write_bytes(pem(ED25519))
    signer = load_signer("key", str(file))
    assert repr(signer) == "Signer('key')"
