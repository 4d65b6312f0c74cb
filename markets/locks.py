"""Advisory locks of PostgreSQL, each on a connection of its own.

The lock lives exactly as long as its connection: a killed process, a lost network or a
terminated backend frees it at once, so nobody waits for a time-out and nobody works on in the
belief of still holding it (`is_held` asks). Locks of different datasets never meet, because
each database has its own.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import Error, connection
from django.db.backends.base.base import BaseDatabaseWrapper

log = logging.getLogger(__name__)
_KEY = "hashtextextended(%s, 0)"


class AdvisoryLock:
    """A named lock that at most one connection of the whole database holds."""

    def __init__(self, name: str) -> None:
        self.name = name
        # Ours alone, open only while we hold the lock.
        self._connection: BaseDatabaseWrapper | None = None

    def acquire(self) -> bool:
        """Whether the lock is ours now; never waits. True also when it was ours already.

        Raises django.db.Error when the database cannot be reached.
        """
        if self.is_held():
            return True
        own = connection.copy()
        try:
            with own.cursor() as cursor:
                cursor.execute(f"SELECT pg_try_advisory_lock({_KEY})", [self.name])
                mine: bool = cursor.fetchone()[0]
        except BaseException:
            own.close()
            raise
        if mine:
            self._connection = own
        else:
            own.close()
        return mine

    def is_held(self) -> bool:
        """Asks the connection itself; a lost one is let go of."""
        if self._connection is None:
            return False
        try:
            with self._connection.cursor() as cursor:
                cursor.execute("SELECT 1")
        except Error:
            self.release()
            return False
        return True

    def release(self) -> None:
        """Free the lock by closing its connection, which may be dead already."""
        if self._connection is None:
            return
        own, self._connection = self._connection, None
        try:
            own.close()
        except Error as problem:
            log.info("lock %s: connection was gone: %s", self.name, problem)


@contextmanager
def alone(name: str) -> Iterator[bool]:
    """Hold the lock meanwhile; False when another holds it (then do nothing)."""
    lock = AdvisoryLock(name)
    mine = lock.acquire()
    try:
        yield mine
    finally:
        lock.release()
