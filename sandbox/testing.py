"""A sandbox on a free port, for tests: `with run_sandbox(markets=200) as sandbox: sandbox.url`."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import uvicorn

from sandbox.app import create_app
from sandbox.front import Front
from sandbox.state import Config, Sandbox


@dataclass(frozen=True)
class Running:
    """A sandbox that listens. `box` gives tests its world, clock and faults directly."""

    url: str
    app: Front

    @property
    def box(self) -> Sandbox:
        return self.app.box

    @property
    def kalshi(self) -> str:
        return f"{self.url}/kalshi"

    @property
    def polymarket(self) -> str:
        return f"{self.url}/polymarket"

    @property
    def predictit(self) -> str:
        return f"{self.url}/predictit"


@contextlib.contextmanager
def run_sandbox(**config: Any) -> Iterator[Running]:
    """Serve a sandbox in a thread until the block ends. `config` are fields of `Config`.

    Rate limits are off unless `limits=True` is given. RuntimeError when it does not start.
    """
    app = create_app(Config(**{"limits": False, "markets": 300, **config}))
    # With the protocol named asyncio turns off Nagle, which else costs 40 ms an answer.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(
        app, log_level="error", access_log=False, proxy_headers=False, date_header=False,
        server_header=False, lifespan="off", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        wait_until_started(server, thread)
        yield Running(f"http://127.0.0.1:{port}", app)
    finally:
        server.should_exit = True
        thread.join(10)
        listener.close()


def wait_until_started(server: uvicorn.Server, thread: threading.Thread) -> None:
    deadline = time.monotonic() + 20
    while not server.started:
        if not thread.is_alive() or time.monotonic() > deadline:
            raise RuntimeError("the sandbox did not start")
        time.sleep(0.01)
