"""The project as an installed app: it stands above the four and holds what spans them."""

from django.apps import AppConfig, apps
from django.contrib.admin import apps as admin
from django.db.models.signals import post_migrate


class ArbsiteConfig(AppConfig):
    name = "arbsite"
    verbose_name = "arbsite"

    def ready(self) -> None:
        """Roles and schedule follow the tables: both are completed after every migrate.

        Django makes permissions app by app, so roles listen to each; the schedule to its own.
        """
        from arbsite import celery  # noqa: F401  so that `shared_task` and `delay` use our broker
        from arbsite.roles import make_roles

        post_migrate.connect(make_roles, dispatch_uid="arbsite.roles")
        post_migrate.connect(
            _complete_schedule,
            sender=apps.get_app_config("django_celery_beat"),
            dispatch_uid="arbsite.schedule",
        )


class DeskAdminConfig(admin.AdminConfig):
    """Django's admin with the desk's own site as the default one."""

    default = False  # of this module; settings name it in full
    default_site = "arbsite.admin.DeskAdminSite"


def _complete_schedule(**_: object) -> None:
    from arbsite.schedule import create_missing

    create_missing()
