"""`manage.py web`: the pages alone, in the foreground."""

import os
import sys
from argparse import RawDescriptionHelpFormatter
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from arbsite import logins, servers
from arbsite.supervisor import plan


class Command(BaseCommand):
    help = (
        "Serve the pages of a dataset without collecting anything.\n\n"
        "Example:\n  DATASET=recorded manage.py web"
    )
    requires_system_checks: list[str] = []

    def create_parser(self, *args: Any, **kwargs: Any) -> Any:
        return super().create_parser(*args, formatter_class=RawDescriptionHelpFormatter, **kwargs)

    def handle(self, *args: Any, **options: Any) -> None:
        """Becomes the web server; exit code 1 with one line when the port is taken."""
        servers.use(settings.SERVER_CONFIG)
        servers.prepare_database(settings.SERVER_CONFIG)
        settings.DATASET_DIR.mkdir(parents=True, exist_ok=True)
        password = logins.ensure(settings.DATASET, settings.DATASET_DIR)
        chosen = {"WEB_PORT": plan.web_port()}
        self.stdout.write(plan.greeting(plan.url(chosen), password))
        self.stdout.flush()
        os.execv(sys.executable, plan.web(chosen).command)
