from datetime import UTC, datetime, timedelta

import pytest

from markets.calc.breaker import (
    CLOSED,
    COOLDOWN_MAX,
    HALF_OPEN,
    OPEN,
    PROBE,
    Breaker,
    failed,
    may_probe,
    probing,
    succeeded,
)

START = datetime(2026, 11, 20, 12, tzinfo=UTC)


def at(seconds):
    return START + timedelta(seconds=seconds)


def after_failures(*seconds):
    breaker = Breaker()
    for second in seconds:
        breaker = failed(breaker, at(second))
    return breaker


@pytest.mark.parametrize(
    ("seconds", "state"),
    [
        ((0, 1, 2, 3), CLOSED),
        ((0, 1, 2, 3, 4), OPEN),
        ((0, 15, 30, 45, 59), OPEN),
        ((0, 15, 30, 45, 60), CLOSED),  # the first is a whole window old
        ((0, 0, 0, 0, 70), CLOSED),
        ((0, 61, 62, 63, 64, 65), OPEN),
    ],
)
def test_five_failures_within_a_minute_open(seconds, state):
    assert after_failures(*seconds).state == state


def test_open_for_thirty_seconds_then_sixty_after_a_failed_probe():
    breaker = after_failures(0, 1, 2, 3, 4)
    assert breaker.retry_at == at(34)
    assert not may_probe(breaker, at(33.9))
    assert may_probe(breaker, at(34))
    breaker = failed(probing(breaker, at(34)), at(35))
    assert (breaker.state, breaker.retry_at) == (OPEN, at(95))
    assert breaker.opened_at == at(4)


def test_answered_probe_closes_and_forgets():
    assert succeeded(probing(after_failures(0, 1, 2, 3, 4), at(34))) == Breaker()


def test_answer_or_failure_of_a_call_begun_before_changes_nothing_while_open():
    breaker = after_failures(0, 1, 2, 3, 4)
    assert succeeded(breaker) == breaker
    assert failed(breaker, at(5)) == breaker


def test_answer_while_closed_keeps_the_recent_failures():
    breaker = after_failures(0, 1)
    assert succeeded(breaker) == breaker


def test_probe_that_died_with_its_process_may_be_repeated():
    breaker = probing(after_failures(0, 1, 2, 3, 4), at(34))
    assert breaker.state == HALF_OPEN
    assert not may_probe(breaker, at(35))
    assert may_probe(breaker, at(34) + PROBE)


def test_cooldown_doubles_up_to_its_limit():
    breaker = after_failures(0, 1, 2, 3, 4)
    waits = []
    for _ in range(8):
        now = breaker.retry_at
        breaker = failed(probing(breaker, now), now)
        waits.append(breaker.cooldown.total_seconds())
    assert waits == [60, 120, 240, 480, 960, 960, 960, 960]
    assert COOLDOWN_MAX == timedelta(seconds=960)


def test_closed_breaker_is_never_probed():
    assert not may_probe(Breaker(), at(0))
