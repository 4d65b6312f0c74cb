"""A task that kills its worker every time is given up, instead of being redelivered for ever."""

import logging
from typing import Any

import redis
from celery import Task
from celery.exceptions import Reject
from django.conf import settings

from markets.incidents import report

log = logging.getLogger(__name__)
MOST_DELIVERIES = 4
REMEMBER_S = 86_400


class BoundedTask(Task):
    """Counts, in Redis, how often a message came back; past the cap it is dropped loudly."""

    abstract = True

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run, unless this message has already cost too many workers."""
        info = self.request.delivery_info or {}
        if info.get("redelivered") and deliveries(self.request.id) > MOST_DELIVERIES:
            text = f"{self.name} was given up: its worker was lost {MOST_DELIVERIES} times"
            log.error("%s (args %s)", text, self.request.argsrepr)
            report("task", text, tier="important", about=self.name)
            raise Reject(text, requeue=False)
        return super().__call__(*args, **kwargs)


def deliveries(task_id: str) -> int:
    """How often this message has been delivered, this time included; the first is not counted
    where it happens (nearly every message has only one)."""
    key = f"{settings.REDIS_PREFIX}deliveries:{task_id}"
    with redis.Redis.from_url(settings.REDIS_URL, socket_timeout=5) as client:
        with client.pipeline() as pipe:
            count, _ = pipe.incr(key).expire(key, REMEMBER_S).execute()
    return int(count) + 1
