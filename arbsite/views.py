"""What every page carries, whatever app it belongs to, and whether the process can serve one."""

from dataclasses import dataclass
from datetime import datetime

import redis
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.models import AnonymousUser
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.cache import never_cache

from arbsite import clock, roles
from markets.freshness import recorded_until
from markets.models import Incident

MODES = {
    "paper": ("PAPER", "No real money moves"),
    "approve": ("LIVE", "Real money; every trade waits for a person's yes"),
    "live": ("LIVE", "Real money"),
}
PAGES = (
    ("markets", "Markets", "markets"),
    ("health", "Data health", "health"),
    ("scope", "Scope", "scope"),
    ("admin:index", "Admin", "admin"),
)


@dataclass(frozen=True)
class NavItem:
    """A page in the sidebar."""

    label: str
    url: str
    icon: str
    is_current: bool


@dataclass(frozen=True)
class Shell:
    """What the frame around a page shows. `as_of` is set when the data is not of now."""

    mode: str
    mode_says: str
    dataset: str
    is_sandbox: bool
    as_of: datetime | None
    now: datetime
    speed: float
    role: str
    nav: tuple[NavItem, ...]
    alarms: "QuerySet[Incident] | tuple[Incident, ...]"


def shell(request: HttpRequest) -> dict[str, object]:
    """Template context of the shell."""
    mode, says = MODES[settings.TRADING_MODE]
    user = getattr(request, "user", AnonymousUser())
    known = user.is_authenticated
    as_of = recorded_until() if known else None
    frame = Shell(
        mode=mode,
        mode_says=says,
        dataset=settings.DATASET,
        is_sandbox=settings.DEMO,
        as_of=as_of,
        now=clock.now(),
        speed=clock.speed() if as_of is None else 0,
        role=roles.role_of(user) if known else "",
        nav=_nav(request.path) if known else (),
        alarms=Incident.objects.alarming() if known else (),
    )
    return {"shell": frame}


def _nav(path: str) -> tuple[NavItem, ...]:
    items = ((label, reverse(name), icon) for name, label, icon in PAGES)
    return tuple(NavItem(label, url, icon, path.startswith(url)) for label, url, icon in items)


@login_not_required
@never_cache
def healthz(request: HttpRequest) -> HttpResponse:
    """The process answers."""
    return HttpResponse("ok", content_type="text/plain")


@login_not_required
@never_cache
def readyz(request: HttpRequest) -> HttpResponse:
    """Whether a page could be served: database, its migrations, Redis. One word, no reasons."""
    is_ready = _database_is_ready() and _redis_is_ready()
    word, status = ("ready", 200) if is_ready else ("unready", 503)
    return HttpResponse(word, status=status, content_type="text/plain")


def _database_is_ready() -> bool:
    try:
        executor = MigrationExecutor(connection)
        return not executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError:
        return False


def _redis_is_ready() -> bool:
    client = redis.Redis.from_url(settings.REDIS_URL, socket_timeout=1, socket_connect_timeout=1)
    try:
        return bool(client.ping())
    except redis.RedisError:
        return False
    finally:
        client.close()
