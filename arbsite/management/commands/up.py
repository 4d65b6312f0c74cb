"""`manage.py up`: start everything of a dataset and keep it alive."""

from argparse import RawDescriptionHelpFormatter
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from arbsite.supervisor.up import up


class Command(BaseCommand):
    help = (
        "Start servers, pages, workers and beat, and keep them alive until Ctrl-C.\n\n"
        "Example:\n  DATASET=run manage.py up"
    )
    requires_system_checks: list[str] = []

    def create_parser(self, *args: Any, **kwargs: Any) -> Any:
        return super().create_parser(*args, formatter_class=RawDescriptionHelpFormatter, **kwargs)

    def handle(self, *args: Any, **options: Any) -> None:
        """Exit code 1 with one line when it is up already or cannot start."""
        if settings.DATASET == "recorded":
            problem = "DATASET=recorded is not collected; allowed: demo, run (or `manage.py web`)"
            raise CommandError(problem, returncode=2)
        try:
            up()
        except KeyboardInterrupt:
            print("arbsite: stopped while starting", flush=True)
