"""`manage.py servers`: keep the private PostgreSQL and Redis up, stop them, see them."""

import json
import sys
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from arbsite import servers


class Command(BaseCommand):
    """Thin: everything it does is in `arbsite.servers`."""

    help = (
        "Start, stop or show the private PostgreSQL and Redis of this checkout.\n\n"
        "example: manage.py servers start   (they stay up until `manage.py servers stop`)"
    )
    requires_system_checks: list[str] = []

    def create_parser(self, prog_name: str, subcommand: str, **options: Any) -> Any:
        """Keep the example on a line of its own."""
        options["formatter_class"] = RawDescriptionHelpFormatter
        return super().create_parser(prog_name, subcommand, **options)

    def add_arguments(self, parser: ArgumentParser) -> None:
        """start, stop or status."""
        parser.add_argument("action", choices=["start", "stop", "status"])
        parser.add_argument("--json", action="store_true", help="print one JSON object")
        parser.add_argument("--force", action="store_true", help="stop even while in use")

    def handle(self, action: str, json: bool, force: bool, **options: Any) -> None:
        """Exit code 1 with one line when it cannot be done."""
        config = settings.SERVER_CONFIG
        try:
            if action == "start":
                servers.start(config)
            elif action == "stop":
                servers.stop(config, force=force)
            said = servers.status(config)
        except servers.ServerError as problem:
            print(problem, file=sys.stderr)
            sys.exit(1)
        self.stdout.write(_as_json(said) if json else _as_text(said))


def _as_json(said: dict[str, Any]) -> str:
    return json.dumps(said)


def _as_text(said: dict[str, Any]) -> str:
    lines = []
    for kind in ("postgresql", "redis"):
        one = said[kind]
        words = dict.fromkeys([one["state"], one["way"], one.get("version") or ""])
        lines.append("  ".join([f"{kind:10}", *words]).rstrip())
        for name in ("pid", "socket", "data"):
            if one.get(name):
                lines.append(f"{'':10}  {name} {one[name]}")
        if one.get("size_bytes"):
            lines.append(f"{'':10}  size {one['size_bytes'] / 2**20:.1f} MiB")
    lines += [f"user        pid {user['pid']}  {user['command']}" for user in said["users"]]
    if said["kept"]:
        lines.append("kept up until `manage.py servers stop`")
    return "\n".join(lines)
