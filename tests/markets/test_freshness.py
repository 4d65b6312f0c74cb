"""When a price is old: never sooner than beat can send anything at the clock's speed."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from arbsite import clock, schedule
from markets.freshness import (
    SHORTEST_S,
    limit_s,
    may_trade,
    quote_interval,
    quote_seconds,
)
from tests import factories as make


@pytest.fixture
def pace(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    def run_at(speed: str) -> None:
        monkeypatch.setenv("CLOCK_SPEED", speed)
        clock.restart()

    yield run_at
    monkeypatch.undo()
    clock.restart()


@pytest.mark.parametrize(
    ("speed", "venue", "seconds"),
    [
        ("1", "kalshi", 15),
        ("60", "kalshi", 60),
        ("60", "predictit", 60),
        ("1", "predictit", 60),
        ("90.5", "kalshi", 91),
    ],
)
def test_an_interval_is_at_least_what_beat_can_keep(
    pace: Callable[[str], None], settings: Any, speed: str, venue: str, seconds: int
) -> None:
    settings.QUOTE_SECONDS = 15
    pace(speed)
    assert quote_seconds(venue) == seconds >= SHORTEST_S * clock.speed()


@pytest.mark.django_db
def test_no_tier_is_stale_sooner_than_two_of_the_shortest_intervals(
    pace: Callable[[str], None],
) -> None:
    pace("5000")
    for is_tracked in (True, False):
        assert limit_s(make.MarketFactory(is_tracked=is_tracked)) >= 2 * SHORTEST_S * 5000


def test_the_schedule_keeps_the_interval_of_a_plain_clock(pace: Callable[[str], None]) -> None:
    pace("600")
    planned = {entry.name: entry.seconds for entry in schedule.entries()}
    assert planned["quotes kalshi 0"] == quote_interval("kalshi")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("status", "flags", "is_stale", "expected"),
    [
        ("open", "", False, True),
        ("paused", "", False, False),
        ("settled", "", False, False),
        ("open", "locked", False, False),
        ("open", "", True, False),
    ],
)
def test_a_quote_is_for_trading_only_when_open_fresh_and_undoubted(
    status: str, flags: str, is_stale: bool, expected: bool
) -> None:
    market = make.MarketFactory(status=status)
    quote = make.LatestQuoteFactory(outcome=make.OutcomeFactory(market=market), flags=flags)
    assert may_trade(market, quote, is_stale) is expected


@pytest.mark.django_db
def test_no_quote_is_not_for_trading() -> None:
    assert not may_trade(make.MarketFactory(), None, False)
