"""Advisory locks live and die with their own connection."""

import pytest
from django.db import Error, connection, connections, transaction

from markets.locks import AdvisoryLock, alone

pytestmark = pytest.mark.django_db(transaction=True)


def test_one_holder_at_a_time() -> None:
    first, second = AdvisoryLock("a"), AdvisoryLock("a")
    assert first.acquire()
    assert not second.acquire()
    first.release()
    assert second.acquire()
    second.release()


def test_holder_may_ask_again() -> None:
    lock = AdvisoryLock("a")
    assert lock.acquire()
    assert lock.acquire()
    lock.release()
    assert not lock.is_held()


def test_names_do_not_meet() -> None:
    with alone("a") as first, alone("b") as second:
        assert first
        assert second


def test_alone_says_when_it_is_not() -> None:
    with alone("a") as first:
        assert first
        with alone("a") as second:
            assert not second
    with alone("a") as again:
        assert again


def test_lock_is_freed_by_an_exception() -> None:
    with pytest.raises(ValueError, match="inside"), alone("a"):
        raise ValueError("inside")
    with alone("a") as again:
        assert again


def test_rollback_of_ours_does_not_free_it() -> None:
    """It is on a connection of its own."""
    lock, other = AdvisoryLock("a"), AdvisoryLock("a")
    with pytest.raises(ValueError, match="back"), transaction.atomic():
        lock.acquire()
        raise ValueError("back")
    assert not other.acquire()
    lock.release()


def test_terminated_connection_loses_the_lock_and_knows() -> None:
    lock, other = AdvisoryLock("a"), AdvisoryLock("a")
    assert lock.acquire()
    assert lock._connection is not None
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(%s)", [lock._connection.connection.info.backend_pid]
        )
    assert other.acquire()
    assert not lock.is_held()
    assert not lock.acquire()
    other.release()


def test_no_connection_is_left_behind() -> None:
    def count() -> int:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            )
            return int(cursor.fetchone()[0])

    before = count()
    for _ in range(5):
        with alone("a") as mine, alone("a"):
            assert mine
    assert count() <= before + 1  # one that is still closing


def test_unreachable_database_is_an_error_and_not_a_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    lock = AdvisoryLock("a")
    monkeypatch.setattr(type(connections["default"]), "connect", _refuse)
    with pytest.raises(Error):
        lock.acquire()
    monkeypatch.undo()
    assert not lock.is_held()


def _refuse(self: object) -> None:
    raise Error("no server")
