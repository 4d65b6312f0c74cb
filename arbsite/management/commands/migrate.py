"""`manage.py migrate`, by hand or started by the first connection that finds old tables."""

import os
from typing import Any

from django.conf import settings
from django.core.management.commands import migrate
from django.db import connections

from arbsite import servers

PARTIAL = ("app_label", "plan", "check_unapplied", "fake")


class Command(migrate.Command):
    """Django's own; it connects without being asked to migrate first, and leaves the stamp."""

    def execute(self, *args: Any, **options: Any) -> Any:
        """Say who we are before the first connection, which the system checks make."""
        before = os.environ.get(servers.MIGRATING)
        os.environ[servers.MIGRATING] = "1"
        try:
            return super().execute(*args, **options)
        finally:
            os.environ.pop(servers.MIGRATING)
            if before:
                os.environ[servers.MIGRATING] = before

    def handle(self, *args: Any, **options: Any) -> None:
        """Migrate; only a run through everything counts as having seen every migration."""
        super().handle(*args, **options)
        config = settings.SERVER_CONFIG
        partial = any(options.get(name) for name in PARTIAL)
        database = connections[options["database"]].settings_dict["NAME"]
        if config and not partial and database == config.database:
            servers.note_migrated(config)
