from collections.abc import Iterator

import pytest

from markets.venues.limits import connect
from tests.markets.venues.misbehaving import Misbehaving
from tests.markets.venues.redis_server import RedisServer


@pytest.fixture
def redis_server() -> Iterator[RedisServer]:
    server = RedisServer()
    server.start()
    yield server
    connect.cache_clear()
    server.remove()


@pytest.fixture
def venue() -> Iterator[Misbehaving]:
    """A venue on a free port that answers what the test tells it to."""
    server = Misbehaving()
    yield server
    server.close()
