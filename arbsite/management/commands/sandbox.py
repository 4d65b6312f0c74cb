"""`manage.py sandbox`: the simulated venues, on loopback, for demo and tests."""

from __future__ import annotations

import sys
from argparse import RawDescriptionHelpFormatter
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from sandbox.__main__ import EXAMPLE, add_arguments, serve


class Command(BaseCommand):
    help = "Run the simulated venues (Kalshi, Polymarket, PredictIt) on this machine."
    requires_system_checks: list[str] = []

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        kwargs.setdefault("epilog", EXAMPLE)
        kwargs.setdefault("formatter_class", RawDescriptionHelpFormatter)
        return super().create_parser(prog_name, subcommand, **kwargs)

    def add_arguments(self, parser: CommandParser) -> None:
        add_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        from argparse import Namespace

        sys.exit(serve(Namespace(**options)))
