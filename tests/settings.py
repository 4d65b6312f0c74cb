"""Settings of the tests: servers and data of their own, fast and thrown away."""

import atexit
import os
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

_folder = Path(tempfile.mkdtemp(prefix="arbsite-test-"))
_folder.chmod(0o711)  # so that as root the servers' own user can reach their data in it
atexit.register(shutil.rmtree, _folder, ignore_errors=True)  # after the servers have stopped

os.environ["DATA_DIR"] = str(_folder)
os.environ["DATASET"] = "test"
for _name in ("DATABASE_URL", "REDIS_URL", "CLOCK_ORIGIN", "CLOCK_START", "CLOCK_SPEED", "FAULTS"):
    os.environ.pop(_name, None)

from arbsite.settings import *  # noqa: E402, F403
from arbsite.settings import SERVER_CONFIG as _CONFIG  # noqa: E402

SERVER_CONFIG = replace(_CONFIG, durable=False)
# A safe hash is slow on purpose, and every test that signs in would pay for it.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
