"""Tasks that belong to no single app."""

import os
import socket
from typing import Any

from markets import health
from markets.periodic import periodic


@periodic(queue="analyze", seconds=20)
def heartbeat(queue: str) -> dict[str, Any]:
    """Prove that beat, broker and a worker of this queue work together: a row in the end."""
    figures = {"state": "up", "pid": os.getpid(), "host": socket.gethostname()}
    health.record(f"queue {queue}", None, figures)
    return figures
