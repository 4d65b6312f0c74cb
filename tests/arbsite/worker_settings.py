"""Settings of a worker that a test starts: the test's own servers (DATA_DIR) and database."""

import os
from dataclasses import replace

from arbsite.settings import *  # noqa: F403
from arbsite.settings import DATABASES
from arbsite.settings import SERVER_CONFIG as _CONFIG

DATABASES["default"]["NAME"] = os.environ["WORKER_DATABASE"]
SERVER_CONFIG = replace(_CONFIG, durable=False)
