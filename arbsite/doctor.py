"""What could be wrong, looked at piece by piece: each check says what it saw and how to cure it."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum
from functools import partial
from typing import Any

import httpx
import redis
from django.conf import settings
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from arbsite import clock, health, servers
from markets.models import BreakerState
from markets.venues import VENUES, get_connector
from markets.venues.base import StatusReports, VenueError
from markets.venues.limits import budget

LOW_DISK = (2e9, 10e9)  # bytes free below which it fails, and below which it warns
SKEW_S = (2.0, 30.0)  # off by more: a warning; by more still: signatures are refused
CREDENTIALS = {"kalshi": "KALSHI_KEY_ID", "polymarket": "POLYMARKET_PRIVATE_KEY"}


class State(StrEnum):
    """How a check ended; only FAIL means that something does not work."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True)
class Check:
    """One line of the doctor."""

    name: str
    state: State
    says: str
    cure: str = ""


def examine() -> list[Check]:
    """Every check, whatever the others found; one that breaks has failed."""
    found: list[Check] = []
    for examination in (_servers, _schema, _disk, _processes, _breakers):
        found += _safely(examination.__name__.strip("_"), examination)
    for venue in VENUES:
        found += _safely(venue, partial(_venue, venue))
    return found


def as_json(checks: list[Check]) -> dict[str, Any]:
    """The object that `doctor --json` prints."""
    return {"checks": [asdict(check) for check in checks]}


def _safely(name: str, examination: Callable[[], Iterator[Check]]) -> Iterator[Check]:
    try:
        yield from examination()
    except Exception as problem:  # the doctor must not be the next patient
        said = (str(problem).strip().splitlines() or [type(problem).__name__])[0]
        yield Check(name, State.FAIL, said, "see the line above and the logs")


def _servers() -> Iterator[Check]:
    status = servers.status(settings.SERVER_CONFIG)
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        version = cursor.fetchone()[0].split()[0]
    yield Check("postgresql", State.OK, f"{version}, {status['postgresql']['way']}")
    try:
        with redis.Redis.from_url(settings.REDIS_URL, socket_timeout=5) as client:
            info = client.info()
    except redis.RedisError as problem:
        yield Check("redis", State.FAIL, type(problem).__name__, "manage.py servers start")
        return
    policy = info.get("maxmemory_policy", "noeviction")
    says = f"{info['redis_version']}, {status['redis']['way']}, {policy}"
    cure = "" if policy == "noeviction" else "set maxmemory-policy noeviction: it holds the queues"
    yield Check("redis", State.WARN if cure else State.OK, says, cure)


def _schema() -> Iterator[Check]:
    executor = MigrationExecutor(connection)
    missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if missing:
        yield Check("schema", State.FAIL, f"{len(missing)} migrations missing", "manage.py migrate")
    else:
        yield Check("schema", State.OK, f"every migration applied, dataset {settings.DATASET}")


def _disk() -> Iterator[Check]:
    free = shutil.disk_usage(settings.DATA_DIR).free
    state = State.FAIL if free < LOW_DISK[0] else State.WARN if free < LOW_DISK[1] else State.OK
    cure = "" if state is State.OK else "free space, or lower RETENTION_DAYS"
    yield Check("disk", state, f"{free / 1e9:.1f} GB free at {settings.DATA_DIR}", cure)


def _processes() -> Iterator[Check]:
    rows = health.latest()
    cure = "start them: make demo, make run or docker compose up"
    for name in ("beat", *(name for name in sorted(rows) if name.startswith("queue "))):
        row = rows.get(name)
        if row is None:
            yield Check(name, State.WARN, "never heard of", cure)
        else:
            state = State.OK if health.is_fresh(row) else State.FAIL
            yield Check(
                name,
                state,
                f"last heard of {health.age_s(row):.0f} s ago",
                "" if state is State.OK else cure,
            )


def _breakers() -> Iterator[Check]:
    for row in BreakerState.objects.exclude(state=BreakerState.State.CLOSED):
        says = f"{row.state}: {row.reason}"
        yield Check(f"breaker {row.venue_id}", State.WARN, says, "it tries again by itself")


def _venue(venue: str) -> Iterator[Check]:
    """Credentials, reachability, announced pauses, clock, rate limits of one venue."""
    yield _credentials(venue)
    connector = get_connector(venue)
    if isinstance(connector, StatusReports):
        yield from _reachability(venue, connector)
    yield from _skew(venue, connector.http.base_url)  # type: ignore[attr-defined]
    for bucket in budget(venue):
        slow = bucket["rate"] < bucket["ceiling"] / 2 or bucket["paused_until"]
        says = f"{bucket['rate']:.0f} of {bucket['ceiling']:.0f} a second"
        cure = "the venue said too many requests; it recovers by itself" if slow else ""
        state = State.WARN if slow else State.OK
        yield Check(f"{venue} limit {bucket['bucket']}", state, says, cure)


def _credentials(venue: str) -> Check:
    name, setting = f"{venue} credentials", CREDENTIALS.get(venue, "")
    try:
        get_connector(venue)
    except VenueError as problem:
        return Check(name, State.FAIL, str(problem), f"mend {setting} or unset it")
    if not setting:
        return Check(name, State.OK, "none needed")
    has = bool(getattr(settings, setting))
    return Check(name, State.OK, "readable" if has else f"{setting} not set: public data only")


def _reachability(venue: str, connector: StatusReports) -> Iterator[Check]:
    try:
        status = connector.exchange_status()
    except VenueError as problem:
        cure = "mend the key" if problem.status in {401, 403} else "look at the network"
        yield Check(f"{venue} reachable", State.FAIL, str(problem), cure)
        return
    says = "open" if status.is_trading else "not trading" if status.is_up else "down"
    state = State.OK if status.is_up and status.is_trading else State.WARN
    if not status.is_up:
        state = State.FAIL
    says += f": {status.note}" if status.note else ""
    yield Check(f"{venue} reachable", state, says, "" if state is State.OK else "wait for it")
    now = clock.now()
    coming = sorted((w for w in status.windows if w.end > now), key=lambda w: w.start)
    says = f"{coming[0].start:%a %d %b %H:%M} to {coming[0].end:%H:%M} UTC" if coming else "none"
    state = State.WARN if coming and coming[0].start <= now else State.OK
    yield Check(f"{venue} maintenance", state, says, "wait for its end" if state != "ok" else "")


def _skew(venue: str, url: str) -> Iterator[Check]:
    """Our clock against the Date the venue's server sends (to the second)."""
    try:
        answer = httpx.get(url, timeout=10)
        theirs = parsedate_to_datetime(answer.headers["date"])
    except (httpx.HTTPError, KeyError, ValueError):
        return  # unreachable has been said already; without a Date there is nothing to compare
    off = abs((clock.now() - _aware(theirs)).total_seconds()) - 1 - clock.speed()
    state = State.OK if off <= SKEW_S[0] else State.WARN if off <= SKEW_S[1] else State.FAIL
    cure = "" if state is State.OK else "set this machine's clock (NTP)"
    yield Check(f"{venue} clock", state, f"{max(0.0, off):.0f} s apart", cure)


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
