"""Anything at all in any place of a payload: the parsers refuse it and never fall over."""

import json
from copy import deepcopy
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from markets.quotes import CandleInfo, Listing, OrderBook, Quote, TradePrint
from tests.markets.drift_cases import PAYLOADS

ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**20), 10**20),
    st.floats(allow_nan=True, allow_infinity=True),
    st.text(max_size=20),
    st.sampled_from(
        ["", "NaN", "sNaN", "1e400", "-1", "0.5", "0", "1", "2026-13-40", "\x00", "[1]", "[]"]
    ),
    st.lists(st.integers(), max_size=3),
    st.dictionaries(st.text(max_size=5), st.integers(), max_size=2),
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a JSON value."""
    found = [path] if path else []
    if isinstance(value, dict | list):
        for step, inner in value.items() if isinstance(value, dict) else enumerate(value):
            found += places(inner, (*path, step))
    return found


PLACES = {name: places(payload) for name, (payload, _) in PAYLOADS.items()}


def numbers(item: Any) -> list[Decimal | None]:
    """Every price in an item."""
    if isinstance(item, Listing):
        return numbers(item.quote) + [item.market.settlement_value]
    if isinstance(item, Quote):
        return [item.bid, item.ask, item.last, item.other_bid, item.other_ask]
    if isinstance(item, OrderBook):
        return [level.price for level in (*item.bids, *item.asks)]
    if isinstance(item, TradePrint):
        return [item.price]
    if isinstance(item, CandleInfo):
        return [item.open, item.high, item.low, item.close, item.bid_close, item.ask_close]
    return []


#: Each of these in every place.
HOSTILE = ("NaN", "sNaN", "-Infinity", "1e400", "-1", "", "0001-01-01T00:00:00Z", -1, 1e300, None)


@pytest.mark.parametrize("name", PAYLOADS)
def test_no_hostile_value_in_every_place_breaks_a_parser(name: str) -> None:
    payload, read = PAYLOADS[name]
    for *way, last in PLACES[name]:
        changed = deepcopy(payload)
        place = changed
        for step in way:
            place = place[step]
        for value in HOSTILE:
            place[last] = value
            for item in read(json.dumps(changed).encode()).items:
                assert all(n is None or 0 <= n <= 1 for n in numbers(item))


@pytest.mark.parametrize("name", PAYLOADS)
@settings(
    max_examples=120, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
)
@given(data=st.data())
def test_no_value_in_any_place_breaks_a_parser(name: str, data: st.DataObject) -> None:
    payload, read = PAYLOADS[name]
    changed = deepcopy(payload)
    *way, last = data.draw(st.sampled_from(PLACES[name]))
    place = changed
    for step in way:
        place = place[step]
    place[last] = data.draw(ODD)
    page = read(json.dumps(changed).encode())
    for item in page.items:
        assert all(n is None or 0 <= n <= 1 for n in numbers(item))


@pytest.mark.parametrize("name", PAYLOADS)
@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(cut=st.floats(0, 1), noise=st.binary(max_size=8))
def test_no_cut_or_noise_breaks_a_parser(name: str, cut: float, noise: bytes) -> None:
    payload, read = PAYLOADS[name]
    body = json.dumps(payload).encode()
    at = int(cut * len(body))
    page = read(body[:at] + noise)
    if at < len(body) - 1:
        assert not page.is_last or page.items
    read(body[:at] + noise + body[at:])
