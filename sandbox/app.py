"""The ASGI application: venues under their prefixes, control under /sandbox, faults in between."""

from __future__ import annotations

from typing import Any

from starlette.applications import Starlette

from sandbox.control import control_routes
from sandbox.front import Front
from sandbox.kalshi import Kalshi
from sandbox.state import Config, Sandbox


def create_app(config: Config | None = None) -> Front:
    """A sandbox of its own; nothing is shared between two apps."""
    box = Sandbox.build(config or Config.from_env())
    venues: dict[str, Any] = {"kalshi": Starlette(routes=Kalshi(box).routes())}
    return Front(box, venues, Starlette(routes=control_routes(box)))
