"""Beat that is alone: it holds a PostgreSQL lock and looks at it before it sends anything."""

import logging
import os
import socket
import time
from datetime import timedelta
from typing import Any

from celery import schedules
from django.db import Error, close_old_connections
from django_celery_beat.schedulers import DatabaseScheduler, ModelEntry

from arbsite import clock
from markets import health
from markets.freshness import SHORTEST_S
from markets.locks import AdvisoryLock

log = logging.getLogger(__name__)
LOCK = "arbsite.beat"
WAIT_S = 2.0  # between two looks at a lock that another beat holds
HEARTBEAT_S = 15.0


class PacedEntry(ModelEntry):
    """A row of the schedule, whose app seconds are turned into wall seconds when it is read."""

    def __init__(self, model: Any, app: Any = None) -> None:
        super().__init__(model, app=app)
        told = model.schedule if model.enabled else None  # a broken row was disabled just now
        if isinstance(told, schedules.schedule) and clock.speed() != 1:
            app_s = told.run_every.total_seconds()
            wall_s = max(SHORTEST_S, clock.wall_seconds(app_s))
            self.schedule = schedules.schedule(timedelta(seconds=wall_s), app=self.app)
            if isinstance(self.options.get("expires"), int):
                self.options["expires"] *= wall_s / app_s


class LockedScheduler(DatabaseScheduler):
    """Sends only while its lock's connection lives; a second beat waits for the first to go."""

    Entry = PacedEntry

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.lock = AdvisoryLock(LOCK)
        self._waiting = False
        self._last_heartbeat = -HEARTBEAT_S
        super().__init__(*args, **kwargs)

    def tick(self, *args: Any, **kwargs: Any) -> float:
        """Send what is due (one message a tick), if we are the one to do so."""
        if not self._is_ours():
            return WAIT_S
        self._heartbeat()
        return float(super().tick(*args, **kwargs))

    def _is_ours(self) -> bool:
        had = self.lock.is_held()
        try:
            mine = had or self.lock.acquire()
        except Error as problem:
            self._say_once("the database cannot be reached: %s", problem)
            return False
        if not mine:
            self._say_once("another beat holds the lock; waiting")
        elif not had:
            close_old_connections()  # the database may have been restarted
            self._schedule = None  # and the rows edited while another was sending
            self._heap = None
            self._initial_read = True
            self._waiting = False
            log.info("this beat sends from now on")
        return mine

    def _say_once(self, text: str, *args: object) -> None:
        if not self._waiting:
            log.warning(text, *args)
        self._waiting = True

    def _heartbeat(self) -> None:
        if time.monotonic() - self._last_heartbeat < HEARTBEAT_S:
            return
        self._last_heartbeat = time.monotonic()
        try:
            figures = {"state": "up", "pid": os.getpid(), "host": socket.gethostname()}
            health.record("beat", None, figures)
        except Error as problem:
            log.warning("no heartbeat: %s", problem)
            close_old_connections()

    def close(self) -> None:
        """Save what was sent when, then let the next beat in."""
        super().close()
        self.lock.release()
