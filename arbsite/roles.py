"""The four roles: groups with Django permissions, made after every migrate.

A role holds what the one before it holds and more. Code asks for permissions, never for a role.
Permissions a person adds to a group stay; those listed here are put back.
"""

from django.apps import AppConfig
from django.contrib.auth.models import AnonymousUser, Group, Permission, User
from django.db.models import Q

VIEWER, REVIEWER, TRADER, RISK_MANAGER = "viewer", "reviewer", "trader", "risk manager"
ROLES = (VIEWER, REVIEWER, TRADER, RISK_MANAGER)

#: Apps whose every model any role may read.
READ_APPS = ("markets",)

#: What each role may do beyond the role before it, as app_label.codename.
GRANTS: dict[str, tuple[str, ...]] = {
    VIEWER: (),
    REVIEWER: (),
    TRADER: (
        "markets.add_scope",
        "markets.change_scope",
        "markets.delete_scope",
        "markets.change_incident",
    ),
    RISK_MANAGER: (
        "markets.add_categorymap",
        "markets.change_categorymap",
        "markets.delete_categorymap",
        "markets.change_venue",
        "markets.add_feeschedule",
        "markets.change_feeschedule",
        "django_celery_beat.view_periodictask",
        "django_celery_beat.change_periodictask",
        "django_celery_beat.view_intervalschedule",
        "django_celery_beat.add_intervalschedule",
        "django_celery_beat.view_crontabschedule",
        "django_celery_beat.add_crontabschedule",
    ),
}


def make_roles(app_config: AppConfig, **_: object) -> None:
    """Create the groups and give them what exists of this app's permissions so far."""
    label = app_config.label
    may = Q(pk__in=())
    if label in READ_APPS:
        may |= Q(content_type__app_label=label, codename__startswith="view_")
    for role in ROLES:
        for name in GRANTS[role]:
            app, _dot, codename = name.partition(".")
            if app == label:
                may |= Q(content_type__app_label=app, codename=codename)
        group, _made = Group.objects.get_or_create(name=role)
        group.permissions.add(*Permission.objects.filter(may))


def role_of(user: User | AnonymousUser) -> str:
    """The highest role of a user, as a word for the sidebar."""
    if getattr(user, "is_superuser", False):
        return "administrator"
    names = set(user.groups.values_list("name", flat=True))
    return next((role for role in reversed(ROLES) if role in names), "no role")
