"""A private Redis for tests that stop it."""

import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import redis

from arbsite.servers import binaries


class RedisServer:
    """On a socket in a short folder; `start` and `stop` as often as a test likes."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="arb-redis-"))
        self.url = f"unix://{self.folder}/r.sock"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        program = binaries.find("redis", "auto")[0].folder / "redis-server"
        options = ["--port", "0", "--unixsocket", f"{self.folder}/r.sock", "--save", ""]
        self.process = subprocess.Popen(
            [program, *options], stdout=subprocess.DEVNULL, cwd=self.folder
        )
        client = redis.Redis.from_url(self.url)
        deadline = time.monotonic() + 10
        while True:
            try:
                client.ping()
                return
            except redis.RedisError:
                assert time.monotonic() < deadline, "Redis did not start"
                time.sleep(0.02)

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def remove(self) -> None:
        self.stop()
        shutil.rmtree(self.folder)
