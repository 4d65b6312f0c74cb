"""Settings of the tests: servers and data of their own, fast and thrown away."""

import os
import tempfile

os.environ["DATA_DIR"] = os.environ.get("TEST_DATA_DIR") or tempfile.mkdtemp(prefix="arbsite-test-")
os.environ["DATASET"] = "test"
for _name in ("DATABASE_URL", "REDIS_URL", "CLOCK_ORIGIN", "CLOCK_START", "CLOCK_SPEED", "FAULTS"):
    os.environ.pop(_name, None)

from arbsite.settings import *  # noqa: E402, F403
