"""`manage.py status`: where the system stands."""

import json
import sys
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from typing import Any

from django.core.management.base import BaseCommand

from arbsite.status import processes, status


class Command(BaseCommand):
    help = (
        "Show processes, venues and open incidents.\n\n"
        "Example:\n  DATASET=run manage.py status --why"
    )

    def create_parser(self, *args: Any, **kwargs: Any) -> Any:
        return super().create_parser(*args, formatter_class=RawDescriptionHelpFormatter, **kwargs)

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--why", action="store_true", help="how many markets come how far")
        parser.add_argument("--alive", metavar="NAME", help="exit code 1 unless it was heard of")
        parser.add_argument("--json", action="store_true", help="one object on the last line")

    def handle(self, *args: Any, why: bool, **options: Any) -> None:
        if options["alive"]:
            if processes().get(options["alive"]) != "up":
                sys.exit(1)
            return
        found = status(why)
        if options["json"]:
            self.stdout.write(json.dumps(found))
            return
        self.stdout.write(f"{found['dataset']}, {found['mode']}, {found['now']}")
        for name, state in found["processes"].items():
            self.stdout.write(f"  {state:8} {name}")
        for slug, row in found["venues"].items():
            said = ", ".join(f"{key} {value}" for key, value in row.items())
            self.stdout.write(f"  {slug}: {said}")
        self.stdout.write(f"  {found['incidents']} open incidents")
        for step, count in found.get("funnel", {}).items():
            self.stdout.write(f"  {count:9,} {step}")
