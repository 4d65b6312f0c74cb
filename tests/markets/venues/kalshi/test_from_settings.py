"""The connector as the processes build it: shared budget, breaker row, key from its file."""

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from markets.models import BreakerState
from markets.quotes import MarketRef
from markets.venues import http
from markets.venues.base import VenueError
from markets.venues.kalshi.connector import Kalshi
from markets.venues.limits import budget
from tests.markets.venues.kalshi.payload import body
from tests.markets.venues.misbehaving import says

pytestmark = pytest.mark.django_db
REFS = [MarketRef("KXHIGHNY-26NOV20-T60")]


@pytest.fixture
def kalshi(venue, settings, monkeypatch):
    monkeypatch.setattr(http, "ATTEMPTS", 1)
    settings.VENUE_URLS = {**settings.VENUE_URLS, "kalshi": venue.url}
    settings.REDIS_PREFIX = f"test:{id(venue)}:"
    connector = Kalshi.from_settings()
    yield connector
    connector.http.close()


def test_budget_is_shared_through_the_redis_of_the_settings(venue, kalshi):
    venue.will(says(200, body("orderbooks")))
    kalshi.fetch_books(REFS)
    (figures,) = budget("kalshi")
    assert (figures["bucket"], figures["ceiling"]) == ("read", 200)
    assert 0 < figures["tokens"] <= 400


def test_failing_calls_open_the_breaker_and_no_more_are_sent(venue, kalshi):
    venue.will(says(500, b"{}"))
    for _ in range(5):
        with pytest.raises(VenueError, match="status 500"):
            kalshi.fetch_books(REFS)
    assert BreakerState.objects.get(venue_id="kalshi").state == "open"
    with pytest.raises(VenueError, match="left alone"):
        kalshi.fetch_books(REFS)
    assert len(venue.requests) == 5


def test_key_of_the_settings_signs_and_its_limits_hold(venue, settings, tmp_path):
    file = tmp_path / "key.pem"
    file.write_bytes(
        Ed25519PrivateKey.generate().private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    settings.VENUE_URLS = {**settings.VENUE_URLS, "kalshi": venue.url}
    settings.REDIS_PREFIX = f"test:{id(venue)}:"
    settings.KALSHI_KEY_ID, settings.KALSHI_KEY_FILE = "mine", str(file)
    kalshi = Kalshi.from_settings()
    venue.will(says(200, body("account_limits")), says(200, body("orderbooks")))
    kalshi.fetch_books(REFS)
    kalshi.fetch_books(REFS)
    paths = [request[1].partition("?")[0] for request in venue.requests]
    assert paths == [
        "/api/trade-api/v2/account/limits",
        "/api/trade-api/v2/markets/orderbooks",
        "/api/trade-api/v2/markets/orderbooks",
    ]
    assert {request[2]["KALSHI-ACCESS-KEY"] for request in venue.requests} == {"mine"}
    rates = {figures["bucket"]: figures["ceiling"] for figures in budget("kalshi")}
    assert rates == {"read": 1000, "write": 1000}
    kalshi.http.close()


def test_unreadable_key_file_is_one_clear_error(settings, tmp_path):
    settings.KALSHI_KEY_ID, settings.KALSHI_KEY_FILE = "mine", str(tmp_path / "gone.pem")
    with pytest.raises(VenueError, match="KALSHI_KEY_FILE=.*: No such file"):
        Kalshi.from_settings()
