"""`manage.py bench NAME`: what this machine does, beside the limit it was held against."""

import json
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from arbsite import universe
from markets import bench

BENCHES = ("ingest", "universe")


class Command(BaseCommand):
    help = (
        "Measure one part of the desk on scratch tables. "
        "Example: manage.py bench ingest --json"
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", choices=BENCHES)
        parser.add_argument("--rows", type=int, default=200_000, help="ingest: quotes")
        parser.add_argument("--outcomes", type=int, default=20_000, help="ingest: outcomes")
        parser.add_argument("--markets", type=int, default=280_000, help="universe: markets")
        parser.add_argument("--repeats", type=int, default=3, help="ingest: runs, median shown")
        parser.add_argument("--json", action="store_true", help="one object on the last line")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["name"] == "ingest":
            found = bench.bench_ingest(options["rows"], options["outcomes"], options["repeats"])
        else:
            pages = universe.Pages(show=sys.stderr.isatty())
            found = bench.bench_universe(pages, universe.parse, options["markets"])
        for name, value in found.items():
            self.stdout.write(f"{name:>20}  {value}")
        if options["json"]:
            self.stdout.write(json.dumps(found))
