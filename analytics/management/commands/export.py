"""`manage.py export`: rows as CSV or Parquet."""

import json
from argparse import ArgumentParser
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from analytics.export import FORMATS, TABLES, ExportError, export_table


class Command(BaseCommand):
    help = (
        "Write quotes, markets or runs to a file, streamed.\n"
        "Example: manage.py export quotes --from 2026-11-20 --format parquet --out exports/"
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("table", choices=[*TABLES, "all"])
        parser.add_argument("--from", dest="start", type=_moment, help="first time, ISO 8601 UTC")
        parser.add_argument("--to", dest="end", type=_moment, help="end, not included")
        parser.add_argument("--format", choices=FORMATS, default="csv")
        parser.add_argument("--out", type=Path, default=Path("exports"), help="folder")
        parser.add_argument("--dry-run", action="store_true", help="name the files, write none")
        parser.add_argument("--json", action="store_true", help="one object on the last line")

    def handle(self, *args: Any, **options: Any) -> None:
        names = list(TABLES) if options["table"] == "all" else [options["table"]]
        files = {}
        for name in names:
            path = options["out"] / f"{name}.{options['format']}"
            if options["dry_run"]:
                self.stdout.write(f"would write {path}")
                continue
            try:
                rows = export_table(name, path, options["start"], options["end"])
            except ExportError as problem:
                raise CommandError(str(problem)) from None
            files[str(path)] = rows
            self.stdout.write(f"{path}: {rows} rows")
        if options["json"]:
            self.stdout.write(json.dumps({"files": files}))


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
