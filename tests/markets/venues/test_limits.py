import multiprocessing
import time

import pytest

from markets.venues import limits
from markets.venues.base import VenueError
from markets.venues.limits import Buckets, Limit, budget, connect

PREFIX = "test:"


def buckets(server, rate=100.0, capacity=10.0, shares=4):
    client = connect(server.url) if server is not None else None
    return Buckets("kalshi", {"read": Limit(rate, capacity)}, client, PREFIX, shares)


def row(server):
    (only,) = budget("kalshi", connect(server.url), PREFIX)
    return only


def soon(seconds=10.0):
    return time.monotonic() + seconds


def spend(count, bucket):
    started = time.monotonic()
    for _ in range(count):
        bucket.take("read", 1, soon())
    return time.monotonic() - started


def test_savings_are_spent_at_once_and_then_the_rate_holds(redis_server):
    bucket = buckets(redis_server)
    assert spend(10, bucket) < 0.1
    assert 0.2 < spend(30, bucket) < 0.6


def test_two_connectors_share_one_bucket(redis_server):
    spend(10, buckets(redis_server))
    assert 0.1 < spend(15, buckets(redis_server)) < 0.5


def _spend_apart(url, count, done):
    client = connect(url)
    bucket = Buckets("kalshi", {"read": Limit(100, 10)}, client, PREFIX)
    done.put(spend(count, bucket))


def test_two_processes_share_one_bucket(redis_server):
    fork = multiprocessing.get_context("fork")
    done = fork.Queue()
    workers = [
        fork.Process(target=_spend_apart, args=(redis_server.url, 35, done)) for _ in range(2)
    ]
    for worker in workers:
        worker.start()
    seconds = max(done.get(timeout=20) for _ in workers)
    for worker in workers:
        worker.join()
    assert 0.5 < seconds < 1.5  # 70 tokens, 10 saved, 100 a second; each alone would need 0.25


def test_cut_halves_the_rate_and_pauses_every_process(redis_server):
    one, other = buckets(redis_server), buckets(redis_server)
    one.take("read", 1, soon())
    one.cut("read", 0.4)
    figures = row(redis_server)
    assert (figures["bucket"], figures["rate"], figures["ceiling"]) == ("read", 50, 100)
    assert figures["paused_until"] is not None
    assert 0.35 < other.take("read", 1, soon()) < 0.7
    assert row(redis_server)["paused_until"] is None


def test_many_429s_of_one_moment_cut_once(redis_server):
    bucket = buckets(redis_server)
    for _ in range(5):
        bucket.cut("read", 0)
    assert row(redis_server)["rate"] == 50


def test_rate_never_dries_up(redis_server, monkeypatch):
    monkeypatch.setattr(limits, "_CONSTANTS", (0.05, 10.0, limits.LOWEST, 0.0))
    bucket = buckets(redis_server)
    for _ in range(20):
        bucket.cut("read", 0)
    assert row(redis_server)["rate"] == pytest.approx(100 * limits.LOWEST)


def test_rate_grows_back_slowly_to_its_ceiling(redis_server, monkeypatch):
    monkeypatch.setattr(limits, "_CONSTANTS", (0.05, 0.1, limits.LOWEST, 1.0))
    bucket = buckets(redis_server)
    bucket.cut("read", 0)
    time.sleep(0.25)
    assert row(redis_server)["rate"] == 60
    time.sleep(1.0)
    assert row(redis_server)["rate"] == 100


def test_account_limit_takes_the_place_of_the_published_one_everywhere(redis_server):
    one, other = buckets(redis_server), buckets(redis_server)
    one.take("read", 1, soon())
    one.declare("read", Limit(1000, 2000))
    other.take("read", 1, soon())
    assert (row(redis_server)["rate"], row(redis_server)["ceiling"]) == (1000, 1000)


def test_declaring_does_not_undo_a_cut(redis_server):
    bucket = buckets(redis_server)
    bucket.cut("read", 0)
    bucket.declare("read", Limit(1000, 2000))
    assert row(redis_server)["rate"] == 50


def test_waiting_is_bounded_by_the_deadline(redis_server):
    bucket = buckets(redis_server, rate=1, capacity=1)
    bucket.take("read", 1, soon())
    started = time.monotonic()
    with pytest.raises(VenueError, match="read budget is spent") as caught:
        bucket.take("read", 1, soon(0.3))
    assert time.monotonic() - started < 0.3
    assert not caught.value.permanent


def test_cost_beyond_the_capacity_is_paid_with_all_of_it(redis_server):
    bucket = buckets(redis_server, capacity=5)
    assert bucket.take("read", 50, soon()) < 0.2


def test_without_redis_each_process_takes_its_share():
    bucket = buckets(None, rate=400, capacity=40, shares=4)
    assert spend(10, bucket) < 0.05
    assert 0.1 < spend(20, bucket) < 0.5


def test_redis_gone_and_back_is_no_exception(redis_server, monkeypatch):
    monkeypatch.setattr(limits, "REDIS_AGAIN_SECONDS", 0.2)
    bucket = buckets(redis_server)
    bucket.take("read", 1, soon())
    redis_server.stop()
    assert bucket.take("read", 1, soon()) < 0.2
    assert budget("kalshi", connect(redis_server.url), PREFIX) == []
    bucket.cut("read", 0)  # is kept here for as long as Redis is away
    assert bucket._local["read"].rate == pytest.approx(100 / 4 / 2)
    redis_server.start()
    time.sleep(0.25)
    bucket.take("read", 1, soon())
    assert row(redis_server)["rate"] == 100


def test_redis_that_hangs_costs_little(redis_server):
    import os
    import signal

    bucket = buckets(redis_server)
    bucket.take("read", 1, soon())
    os.kill(redis_server.process.pid, signal.SIGSTOP)
    try:
        assert bucket.take("read", 1, soon()) < 1.5
        assert bucket.take("read", 1, soon()) < 0.2  # it is not asked again at once
    finally:
        os.kill(redis_server.process.pid, signal.SIGCONT)


def test_local_bucket_is_cut_and_paused_too():
    bucket = buckets(None, rate=400, capacity=40)
    bucket.cut("read", 0.3)
    assert bucket.take("read", 1, soon()) >= 0.3
    assert bucket._local["read"].rate == 50
