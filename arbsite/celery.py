"""The Celery application. Each setting says what it guards against.

Messages may be lost, late or doubled; what happened is in PostgreSQL. So a lost Redis costs
time, never a row.
"""

import os
from typing import Any

from celery import Celery, signals
from django.conf import settings
from kombu import Exchange, Queue

from arbsite import servers

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "arbsite.settings")

QUEUES = ("trade", "notify", "ingest", "match", "analyze")
LONGEST_TASK_S = 900  # no task may declare more
VISIBILITY_S = 1200

app = Celery("arbsite", task_cls="arbsite.redelivery:BoundedTask")
app.conf.update(
    broker_url=servers.celery_broker_url(settings.SERVER_CONFIG),
    # The broker may come up after us, and may be restarted under us.
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,
    broker_transport_options={
        # Datasets may share one Redis.
        "global_keyprefix": settings.REDIS_PREFIX,
        # Longer than the longest task, else a second copy starts beside the first.
        "visibility_timeout": VISIBILITY_S,
        # By default what a dead worker held is looked for every 100 s at the end of that time.
        "unacked_restore_interval": 5,
        "unacked_restore_throttle": 1,
        # A half-open connection is found out instead of being waited on for ever.
        "socket_timeout": 30,
        "socket_connect_timeout": 5,
        "socket_keepalive": True,
        "health_check_interval": 25,
    },
    # Named in full: left out, exchange and key would be the default queue's for all of them.
    task_queues=[Queue(name, Exchange(name), routing_key=name) for name in QUEUES],
    task_default_queue="analyze",
    # A misspelt queue is an error, not a queue that nobody reads.
    task_create_missing_queues=False,
    # A killed worker's task runs again. Tasks must bear that; those that must not run twice are
    # declared with `markets.periodic.at_most_once`. How often: see `redelivery`.
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    # One that failed or ran out of time is not repeated: its next turn is in the schedule.
    task_acks_on_failure=True,
    task_acks_on_timeout=True,
    # Late acknowledgement and a lost connection: the message will come again, so stop this copy.
    worker_cancel_long_running_tasks_on_connection_loss=True,
    # A worker takes what it works on, so a long task holds up nothing else in the queue.
    worker_prefetch_multiplier=1,
    # Whatever leaks memory starts afresh now and then.
    worker_max_tasks_per_child=1000,
    # On SIGTERM, running tasks get this long; then they go back to the queue.
    worker_soft_shutdown_timeout=5,
    # Only where a task declares none.
    task_soft_time_limit=300,
    task_time_limit=330,
    # Results are rows.
    task_ignore_result=True,
    result_expires=None,
    task_serializer="json",
    accept_content=["json"],
    enable_utc=True,
    timezone="UTC",
    # The schedule is in the database (arbsite/schedule.py): what is edited there stays edited.
    beat_schedule={},
    beat_scheduler="arbsite.beat:LockedScheduler",
    beat_max_loop_interval=5,
    worker_hijack_root_logger=False,
    worker_redirect_stdouts=False,
    # Without it a prefork worker opens a database connection for every task.
    CELERY_DB_REUSE_MAX=settings.CELERY_DB_REUSE_MAX,
)
app.autodiscover_tasks()


@signals.worker_init.connect
@signals.beat_init.connect
def _find_servers(**_: Any) -> None:
    """A worker started by itself finds or starts the private servers before it asks the broker."""
    servers.use(settings.SERVER_CONFIG)
