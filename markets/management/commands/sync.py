"""`manage.py sync`: collect every venue once, or load recorded responses."""

import json
import sys
import time
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from markets import ingest, ranks, scope
from markets.loading import Loaded, load_folder
from markets.models import CollectionRun, Event, Market
from markets.venues import VENUES

OWN_DATASETS = ("recorded", "test")


class Command(BaseCommand):
    help = (
        "Collect all venues once, or load a folder of recorded responses into DATASET=recorded.\n\n"
        "Examples:\n  manage.py sync --venue kalshi\n"
        "  manage.py sync --from ../recordings/two-venue --as-of 2026-03-01T12:00:00Z --json"
    )

    def create_parser(self, *args: Any, **kwargs: Any) -> Any:
        return super().create_parser(*args, formatter_class=RawDescriptionHelpFormatter, **kwargs)

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--from", dest="folder", type=Path, help="recorded responses")
        parser.add_argument("--as-of", type=_moment, help="when they were recorded, ISO 8601")
        parser.add_argument("--venue", choices=VENUES, action="append", help="default: all")
        parser.add_argument("--json", action="store_true", help="one object on the last line")

    def handle(self, *args: Any, **options: Any) -> None:
        started = time.monotonic()
        if options["folder"]:
            found = self._load(options["folder"], options["as_of"])
        else:
            found = {"venues": {}, "files": []}
            for venue in options["venue"] or VENUES:
                self.stderr.write(f"collecting {venue}")
                found["venues"][venue] = _sync(venue)
        scope.choose_tracked()
        ranks.refresh_ranks()
        found["seconds"] = round(time.monotonic() - started, 2)
        for venue, counts in found["venues"].items():
            self.stdout.write(f"{venue}: " + ", ".join(f"{n} {k}" for k, n in counts.items()))
        if options["json"]:
            self.stdout.write(json.dumps(found))

    def _load(self, folder: Path, as_of: datetime | None) -> dict[str, Any]:
        if settings.DATASET not in OWN_DATASETS:
            raise CommandError(
                f"DATASET={settings.DATASET}: recordings go to a dataset of their own,"
                " DATASET=recorded",
                returncode=2,
            )
        if not folder.exists():
            raise CommandError(f"{folder}: no such file or folder", returncode=2)
        loaded = Loaded()
        for loaded in load_folder(folder, as_of):
            if sys.stderr.isatty() and loaded.files:
                self.stderr.write(
                    f"\r{len(loaded.files)} {loaded.files[-1].file[:60]:60}", ending=""
                )
        _keep_as_of(loaded.as_of)
        return loaded.as_json()


def _sync(venue: str) -> dict[str, int]:
    """One venue, metadata first; what it holds afterwards and how much was set aside."""
    begun = CollectionRun.objects.order_by("-id").values_list("id", flat=True).first() or 0
    ingest.sync_events(venue)
    ingest.sync_fees(venue)
    ingest.sync_markets(venue)
    runs = CollectionRun.objects.filter(venue=venue, id__gt=begun)
    return {
        "markets": Market.objects.filter(venue=venue).count(),
        "events": Event.objects.filter(venue=venue).count(),
        "refused": sum(runs.values_list("refused", flat=True)),
    }


def _keep_as_of(as_of: datetime | None) -> None:
    """Pages of recorded data speak as of its newest date, whenever they are opened."""
    if as_of is None:
        return
    path = settings.AS_OF_FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    known = datetime.fromisoformat(path.read_text()) if path.is_file() else as_of
    path.write_text(max(known, as_of).isoformat())


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
