"""`manage.py demo`: `up` with simulated venues."""

import os
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from arbsite.supervisor.up import up

YES = {"1", "true", "yes", "on"}


class Command(BaseCommand):
    help = (
        "Run everything against simulated venues on this machine, with a login that is printed.\n\n"
        "Example:\n  manage.py demo --reset   (start the world anew; also RESET=1)"
    )
    requires_system_checks: list[str] = []

    def create_parser(self, *args: Any, **kwargs: Any) -> Any:
        return super().create_parser(*args, formatter_class=RawDescriptionHelpFormatter, **kwargs)

    def add_arguments(self, parser: ArgumentParser) -> None:
        reset = os.environ.get("RESET", "").lower() in YES
        parser.add_argument("--reset", action="store_true", default=reset, help="a new world")

    def handle(self, *args: Any, reset: bool, **options: Any) -> None:
        """Exit code 2 where another dataset was asked for, 1 where it cannot start."""
        if not settings.DEMO:
            problem = f"DATASET={settings.DATASET!r} is not allowed; allowed: demo (or `up`)"
            raise CommandError(problem, returncode=2)
        try:
            up(fresh=reset)
        except KeyboardInterrupt:
            print("arbsite: stopped while starting", flush=True)
