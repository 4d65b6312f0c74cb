#!/usr/bin/env python
"""The command line of arbsite: `manage.py --help` lists what it can do."""

import os
import sys

from django.core.management import execute_from_command_line

from arbsite.env import SettingError
from arbsite.servers import ServerError


def main() -> None:
    """Run one command; a wrong setting is one line and exit 2, a missing server one line and 1."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "arbsite.settings")
    if sys.argv[1:2] == ["sync"] and any(word.startswith("--from") for word in sys.argv):
        os.environ.setdefault("DATASET", "recorded")  # recordings have a world of their own
    try:
        execute_from_command_line(sys.argv)
    except SettingError as problem:
        print(problem, file=sys.stderr)
        sys.exit(2)
    except ServerError as problem:
        print(problem, file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
