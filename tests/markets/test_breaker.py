import time
from datetime import UTC, datetime, timedelta

import pytest

from arbsite import clock
from markets import breaker as module
from markets.breaker import VenueBreaker
from markets.models import BreakerState, Incident
from markets.venues.base import VenueError

pytestmark = pytest.mark.django_db
START = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def wall(monkeypatch):
    """Wall time that the test moves; the row is read afresh each time."""

    class Wall:
        at = START

        def move(self, seconds):
            self.at += timedelta(seconds=seconds)

    wall = Wall()
    monkeypatch.setattr(clock, "wall_now", lambda: wall.at)
    monkeypatch.setattr(module, "REMEMBERED_SECONDS", 0.0)
    return wall


def opened(slug="kalshi"):
    breaker = VenueBreaker(slug)
    for _ in range(5):
        breaker.before()
        breaker.failure("timeout")
    return breaker


def row():
    return BreakerState.objects.get(venue_id="kalshi", domain="data")


def is_refused(breaker):
    try:
        breaker.before()
    except VenueError as error:
        assert not error.permanent
        return str(error)
    return ""


def test_closed_breaker_without_a_row_lets_calls_go():
    breaker = VenueBreaker("kalshi")
    breaker.before()
    breaker.success()
    assert not BreakerState.objects.exists()


def test_fifth_failure_opens_for_every_process():
    opened()
    assert (row().state, row().reason, row().cooldown_s) == ("open", "timeout", 30)
    assert "until 12:00:30 UTC" in is_refused(VenueBreaker("kalshi"))


def test_other_venues_go_on():
    opened()
    VenueBreaker("polymarket").before()


def test_after_the_cooldown_exactly_one_process_probes(wall):
    one, other = opened(), VenueBreaker("kalshi")
    assert is_refused(other)
    wall.move(30)
    seen = other._look()
    one.before()
    assert row().state == "half_open"
    assert not other._claim(seen)  # it saw the open row before the first one claimed it
    assert is_refused(other)


def test_answered_probe_closes_for_every_process(wall):
    breaker, other = opened(), VenueBreaker("kalshi")
    wall.move(30)
    breaker.before()
    other.success()  # a call that was under way before says nothing
    assert row().state == "half_open"
    breaker.success()
    assert (row().state, row().reason, row().failures) == ("closed", "", [])
    other.before()


def test_failed_probe_doubles_the_cooldown(wall):
    breaker = opened()
    wall.move(30)
    breaker.before()
    breaker.failure("html")
    assert (row().state, row().cooldown_s, row().reason) == ("open", 60, "html")
    wall.move(59)
    assert is_refused(breaker)
    wall.move(1)
    assert not is_refused(breaker)


def test_open_breaker_is_an_incident_until_it_closes(wall):
    breaker = opened()
    incident = Incident.objects.get(kind="breaker")
    assert (incident.venue_id, incident.tier) == ("kalshi", "important")
    assert incident.text == "kalshi is left alone for 30 s: timeout"
    wall.move(30)
    breaker.before()
    breaker.success()
    incident.refresh_from_db()
    assert incident.resolved_by == "breaker"


def test_row_is_read_at_most_once_a_second(monkeypatch, django_assert_num_queries):
    monkeypatch.setattr(module, "REMEMBERED_SECONDS", 1.0)
    breaker = VenueBreaker("kalshi")
    with django_assert_num_queries(1):
        for _ in range(50):
            breaker.before()
            breaker.success()
    breaker._seen_until = time.monotonic() - 1
    with django_assert_num_queries(1):
        breaker.before()


def test_failures_of_two_processes_count_together():
    one, other = VenueBreaker("kalshi"), VenueBreaker("kalshi")
    for _ in range(3):
        one.failure("timeout")
    for _ in range(2):
        other.failure("reset")
    assert row().state == "open"
