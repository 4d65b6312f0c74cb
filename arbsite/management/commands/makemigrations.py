"""`manage.py makemigrations`, which compares files with files and so needs no database."""

from typing import Any

from django.core.management.commands import makemigrations
from django.db import connection


class Command(makemigrations.Command):
    """Django's own, without asking a database which migrations it has seen."""

    def handle(self, *app_labels: Any, **options: Any) -> None:
        """Django leaves out a database of this engine; none is started for the question."""
        engine = connection.settings_dict["ENGINE"]
        connection.settings_dict["ENGINE"] = "django.db.backends.dummy"
        try:
            super().handle(*app_labels, **options)
        finally:
            connection.settings_dict["ENGINE"] = engine
