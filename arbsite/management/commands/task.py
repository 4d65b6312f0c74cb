"""`manage.py task`: one entry of the schedule, once, in this process."""

import json
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from arbsite import schedule
from arbsite.celery import app


class Command(BaseCommand):
    help = (
        "Run an entry of the schedule once, here and now; without a name, list them.\n\n"
        'Example:\n  manage.py task "markets kalshi" --json'
    )

    def create_parser(self, *args: Any, **kwargs: Any) -> Any:
        return super().create_parser(*args, formatter_class=RawDescriptionHelpFormatter, **kwargs)

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", nargs="*", help="as listed; the words need no quotes")
        parser.add_argument("--json", action="store_true", help="one object on the last line")

    def handle(self, *args: Any, name: list[str], **options: Any) -> None:
        """Exit code 2 for a name that is not in the schedule."""
        known = {entry.name: entry for entry in schedule.entries()}
        wanted = " ".join(name)
        if not wanted:
            for one in known.values():
                self.stdout.write(f"{one.name:24}{one.seconds:6} s  {one.task}")
            return
        if wanted not in known:
            problem = f"no task {wanted!r} in the schedule; there are: {', '.join(known)}"
            raise CommandError(problem, returncode=2)
        app.loader.import_default_modules()
        entry = known[wanted]
        result = app.tasks[entry.task](**entry.kwargs)
        self.stdout.write(json.dumps({"name": wanted, "result": result}, default=str))
