"""Who may open what: every address of the site, for every role."""

from collections.abc import Iterator

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import AnonymousUser, Group, User
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from arbsite.roles import ROLES, make_roles, role_of
from tests import factories as make

pytestmark = pytest.mark.django_db

WHO = ("anonymous", "viewer", "reviewer", "trader", "risk manager", "superuser")

# What each of WHO gets. "login" is a redirect to the login page, "moved" any other redirect.
EVERYONE = ("200",) * 6
SIGNED_IN = ("login", *("200",) * 5)
MOVED = ("login", *("moved",) * 5)
MISSING = ("login", *("404",) * 5)
TRADERS = ("login", "403", "403", "moved", "moved", "moved")
MANAGERS = ("login", "403", "403", "403", "moved", "moved")
ROOT = ("login", "403", "403", "403", "403", "200")
NOBODY = ("login", *("403",) * 5)

MARKET = {"key": "KALSHI:KXCUP-1"}

#: Name of the address → (method, its arguments, what each role gets).
MATRIX = {
    "home": ("get", {}, MOVED),
    "login": ("get", {}, ("200", *("moved",) * 5)),
    "logout": ("post", {}, ("login",) * 6),
    "healthz": ("get", {}, EVERYONE),
    "readyz": ("get", {}, EVERYONE),
    "markets": ("get", {}, SIGNED_IN),
    "markets_export": ("get", {}, SIGNED_IN),
    "market": ("get", MARKET, SIGNED_IN),
    "market_chart": ("get", MARKET, SIGNED_IN),
    "health": ("get", {}, SIGNED_IN),
    "incident_banner": ("get", {}, SIGNED_IN),
    "incident_acknowledge": ("post", {"pk": 1}, TRADERS),
    "incident_resolve": ("post", {"pk": 1}, TRADERS),
    "venue_switch": ("post", {"slug": "kalshi"}, MANAGERS),
    "scope": ("get", {}, SIGNED_IN),
    "scope_lines": ("get", {}, SIGNED_IN),
    "scope_preview": ("get", {}, SIGNED_IN),
    "scope_add": ("post", {}, ("login", "403", "403", "422", "422", "422")),
    "scope_preset": ("post", {}, ("login", "403", "403", "404", "404", "404")),
    "scope_switch": ("post", {"pk": 1}, TRADERS),
    "scope_remove": ("post", {"pk": 1}, TRADERS),
    "api_markets": ("get", {}, ("403", *("200",) * 5)),
    "api_market": ("get", MARKET, ("403", *("200",) * 5)),
    "admin:index": ("get", {}, SIGNED_IN),
    "admin:login": ("get", {}, ("200", *("moved",) * 5)),
    "admin:logout": ("post", {}, ("login", *("200",) * 5)),
    "admin:password_change": ("get", {}, SIGNED_IN),
    "admin:password_change_done": ("get", {}, SIGNED_IN),
    "admin:autocomplete": ("get", {}, NOBODY),
    "admin:jsi18n": ("get", {}, SIGNED_IN),
    "admin:view_on_site": ("get", {"content_type_id": 0, "object_id": 0}, MISSING),
    "admin:app_list": (
        "get",
        {"app_label": "auth"},
        ("login", "404", "404", "404", "404", "200"),
    ),
    "admin:auth_user_password_change": (
        "get",
        {"id": 0},
        ("login", "403", "403", "403", "403", "404"),
    ),
}

#: Models of the admin → who may (read, add, change, delete); names as in WHO, "all" but anonymous.
ALL = WHO[1:]
FROM_TRADER, FROM_MANAGER, SUPERUSER = WHO[3:], WHO[4:], WHO[5:]
READ_ONLY = (ALL, (), (), ())
ADMIN = {
    "markets_venue": (ALL, (), FROM_MANAGER, ()),
    "markets_categorymap": (ALL, FROM_MANAGER, FROM_MANAGER, FROM_MANAGER),
    "markets_scope": (ALL, FROM_TRADER, FROM_TRADER, FROM_TRADER),
    "markets_feeschedule": (ALL, FROM_MANAGER, FROM_MANAGER, ()),
    "markets_event": READ_ONLY,
    "markets_market": READ_ONLY,
    "markets_outcome": READ_ONLY,
    "markets_marketrevision": READ_ONLY,
    "markets_latestquote": READ_ONLY,
    "markets_latestbook": READ_ONLY,
    "markets_candle": READ_ONLY,
    "markets_tradeprint": READ_ONLY,
    "markets_quote": READ_ONLY,
    "markets_booksnapshot": READ_ONLY,
    "markets_collectionrun": READ_ONLY,
    "markets_componenthealth": READ_ONLY,
    "markets_incident": READ_ONLY,
    "markets_gap": READ_ONLY,
    "markets_breakerstate": READ_ONLY,
    "markets_jobrun": READ_ONLY,
    "auth_user": (SUPERUSER,) * 4,
    "auth_group": (SUPERUSER,) * 4,
    "django_celery_beat_periodictask": (FROM_MANAGER, SUPERUSER, FROM_MANAGER, SUPERUSER),
    "django_celery_beat_intervalschedule": (FROM_MANAGER, FROM_MANAGER, SUPERUSER, SUPERUSER),
    "django_celery_beat_crontabschedule": (FROM_MANAGER, FROM_MANAGER, SUPERUSER, SUPERUSER),
    "django_celery_beat_clockedschedule": (SUPERUSER,) * 4,
    "django_celery_beat_solarschedule": (SUPERUSER,) * 4,
}


def _admin_cases() -> Iterator[tuple[str, tuple[str, dict[str, object], tuple[str, ...]]]]:
    """Pages of objects are asked for one that does not exist: who may see it is sent on."""
    missing = {"object_id": 0}
    for model, (read, add, change, delete) in ADMIN.items():
        yield f"admin:{model}_changelist", ("get", {}, _answers(read, "200"))
        yield f"admin:{model}_add", ("get", {}, _answers(add, "200"))
        readers = tuple(who for who in WHO if who in read or who in change)
        yield f"admin:{model}_change", ("get", missing, _answers(readers, "moved"))
        yield f"admin:{model}_delete", ("get", missing, _answers(delete, "moved"))
        yield f"admin:{model}_history", ("get", missing, MOVED)


def _answers(allowed: tuple[str, ...], answer: str) -> tuple[str, ...]:
    return ("login", *(answer if who in allowed else "403" for who in WHO[1:]))


CASES = MATRIX | dict(_admin_cases())


def _names(patterns: list[URLPattern | URLResolver], prefix: str = "") -> Iterator[str]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            inner = f"{prefix}{pattern.namespace}:" if pattern.namespace else prefix
            yield from _names(pattern.url_patterns, inner)
        elif pattern.name:
            yield prefix + pattern.name
        elif str(pattern.pattern) not in UNNAMED:
            yield f"without a name: {pattern.pattern}"


#: The admin's own: an old form of change addresses, and its answer to unknown ones.
UNNAMED = {"<path:object_id>/", "(?P<url>.*)$"}


@pytest.fixture
def clients() -> dict[str, Client]:
    """One client a column of the matrix; rows that its addresses speak of."""
    market = make.MarketFactory(ref="KXCUP-1", key="KALSHI:KXCUP-1")
    make.OutcomeFactory(market=market)
    found = {who: Client(raise_request_exception=False) for who in WHO}
    for role in ROLES:
        user = User.objects.create_user(role)
        user.groups.add(Group.objects.get(name=role))
        found[role].user = user
    found["superuser"].user = User.objects.create_superuser("root")
    for client in list(found.values())[1:]:
        client.force_login(client.user)
    return found


def test_every_address_is_in_the_matrix() -> None:
    names = set(_names(get_resolver().url_patterns))
    assert names - set(CASES) == set(), "say who may open these"
    assert set(CASES) - names == set(), "these no longer exist"


def _part(name: str) -> str:
    """Addresses are asked in parts, a model of the admin at a time: rows are made once a part."""
    model = name.removeprefix("admin:").rpartition("_")[0]
    return model if model in ADMIN else name.partition(":")[0] if ":" in name else "pages"


@pytest.mark.parametrize("part", sorted({_part(name) for name in CASES}))
def test_each_role_gets_what_the_matrix_says(part: str, clients: dict[str, Client]) -> None:
    wrong = []
    for name in (name for name in CASES if _part(name) == part):
        for who, expected in zip(WHO, CASES[name][2], strict=True):
            found = _ask(clients[who], name)
            if found != expected:
                wrong.append(f"{name} as {who}: {found}, not {expected}")
    assert wrong == []


def _ask(client: Client, name: str) -> str:
    """The answer to one address, with a fresh row to act on; a client may sign out: it is put
    back."""
    method, arguments, _ = CASES[name]
    if "pk" in arguments:
        make.IncidentFactory(pk=1) if "incident" in name else make.ScopeFactory(pk=1)
    word = _word(getattr(client, method)(reverse(name, kwargs=arguments or None)))
    make.Incident.objects.all().delete()
    make.Scope.objects.all().delete()
    if name.endswith("logout") and hasattr(client, "user"):
        client.force_login(client.user)
    return word


def _word(answer: object) -> str:
    status = answer.status_code
    if status not in (301, 302):
        return str(status)
    return "login" if "/login" in answer["Location"] else "moved"


def test_changes_keep_their_author(clients: dict[str, Client]) -> None:
    incident = make.IncidentFactory()
    clients["trader"].post(reverse("incident_resolve", args=[incident.pk]))
    clients["trader"].post(
        reverse("scope_add"), {"action": "watch", "dimension": "word", "value": "cup"}
    )
    clients["risk manager"].post(reverse("venue_switch", args=["kalshi"]), {"enabled": "0"})
    line = make.Scope.objects.get()
    incident.refresh_from_db()
    assert line.author.username == "trader"
    assert incident.resolved_by == "trader" and incident.resolved_at
    assert not make.Venue.objects.get(slug="kalshi").is_enabled
    authors = set(LogEntry.objects.values_list("user__username", "object_repr"))
    assert authors == {
        ("trader", str(incident)),
        ("trader", str(line)),
        ("risk manager", "Kalshi"),
    }


def test_the_admin_keeps_the_author_of_a_new_line(clients: dict[str, Client]) -> None:
    form = {"action": "deny", "dimension": "word", "value": "cup", "is_enabled": "on"}
    clients["trader"].post(reverse("admin:markets_scope_add"), form)
    assert make.Scope.objects.get().author.username == "trader"


def test_roles_hold_each_what_the_one_before_holds() -> None:
    held = [set(Group.objects.get(name=role).permissions.all()) for role in ROLES]
    assert held[0] <= held[1] <= held[2] <= held[3]
    assert held[0] and held[2] < held[3]


def test_a_permission_given_by_a_person_survives_a_migrate() -> None:
    from django.apps import apps
    from django.contrib.auth.models import Permission

    viewers = Group.objects.get(name="viewer")
    given = Permission.objects.get(codename="add_group")
    viewers.permissions.add(given)
    viewers.permissions.remove(Permission.objects.get(codename="view_market"))
    make_roles(apps.get_app_config("markets"))
    assert given in viewers.permissions.all()
    assert viewers.permissions.filter(codename="view_market").exists()


def test_the_sidebar_names_the_highest_role() -> None:
    user = User.objects.create_user("someone")
    assert role_of(user) == "no role" and role_of(AnonymousUser()) == "no role"
    user.groups.add(*Group.objects.filter(name__in=("viewer", "trader")))
    assert role_of(user) == "trader"
