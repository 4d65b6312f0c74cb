"""`manage.py doctor`: what is wrong, and how to cure it."""

import json
import sys
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from typing import Any

from django.core.management.base import BaseCommand

from arbsite import doctor


class Command(BaseCommand):
    help = (
        "Look at servers, tables, disk, processes, and each venue's key, clock, hours, limits.\n\n"
        "Example:\n  DATASET=run manage.py doctor --json"
    )
    requires_system_checks: list[str] = []

    def create_parser(self, *args: Any, **kwargs: Any) -> Any:
        return super().create_parser(*args, formatter_class=RawDescriptionHelpFormatter, **kwargs)

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="one object on the last line")

    def handle(self, *args: Any, **options: Any) -> None:
        """Exit code 1 when a check failed."""
        found = doctor.examine()
        if options["json"]:
            self.stdout.write(json.dumps(doctor.as_json(found)))
        else:
            for check in found:
                cure = f"  → {check.cure}" if check.cure else ""
                self.stdout.write(f"{check.state:5}{check.name:26} {check.says}{cure}")
        if any(check.state is doctor.State.FAIL for check in found):
            sys.exit(1)
