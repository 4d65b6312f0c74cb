"""`python -m sandbox`: run the simulated venues on loopback."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from types import FrameType
from urllib.parse import urlsplit

import uvicorn

from sandbox.app import create_app
from sandbox.state import Config

EXAMPLE = "example: %(prog)s --port 8601 --seed 7 --markets 1200 --faults kalshi:429=.05"
DEFAULT_URL = "http://127.0.0.1:8601"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options shared by `python -m sandbox` and `manage.py sandbox`."""
    place = urlsplit(os.environ.get("SANDBOX_URL") or DEFAULT_URL)
    parser.add_argument("--port", type=int, default=place.port or 8601,
                        help="port to listen on, 0 for a free one (default: that of SANDBOX_URL)")
    parser.add_argument("--host", default=place.hostname or "127.0.0.1")
    parser.add_argument("--seed", type=int, help="seed of the world (SANDBOX_SEED)")
    parser.add_argument("--markets", type=int, help="size of the world (SANDBOX_MARKETS)")
    parser.add_argument("--faults", help="faults from the start (FAULTS)")
    parser.add_argument("--no-limits", dest="limits", action="store_false", default=None,
                        help="no rate limits, for measurements")


class Server(uvicorn.Server):
    """Says where it listens once it does."""

    async def startup(self, sockets: object = None) -> None:
        await super().startup(sockets=sockets)  # type: ignore[arg-type]
        if self.started and self.servers:
            host, port = self.servers[0].sockets[0].getsockname()[:2]
            print(f"sandbox at http://{host}:{port}", flush=True)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stop; a second SIGINT stops at once. The signal is not raised again afterwards, so a
        stop that was asked for ends with exit code 0."""
        self.force_exit = self.should_exit and sig == signal.SIGINT
        self.should_exit = True


def serve(options: argparse.Namespace) -> int:
    """Run until SIGINT or SIGTERM. Exit code 2 for a setting that cannot be read."""
    try:
        config = Config.from_env(seed=options.seed, markets=options.markets,
                                 faults=options.faults, limits=options.limits)
        app = create_app(config)
    except ValueError as e:
        print(f"sandbox: {e}", file=sys.stderr)
        return 2
    Server(uvicorn.Config(app, options.host, options.port, log_level="warning",
                          access_log=False, proxy_headers=False, date_header=False,
                          server_header=False, timeout_graceful_shutdown=3)).run()
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m sandbox", epilog=EXAMPLE,
        description="Simulated venues on this machine, speaking the real wire formats.")
    add_arguments(parser)
    return serve(parser.parse_args(argv))


if __name__ == "__main__":
    raise SystemExit(main())
