"""The ASGI application: venues under their prefixes, control under /sandbox, faults in between."""

from __future__ import annotations

from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from sandbox.control import control_routes
from sandbox.front import Front
from sandbox.kalshi import Kalshi
from sandbox.poly_shapes import PolyShapes
from sandbox.polymarket import Polymarket
from sandbox.predictit import PredictIt
from sandbox.state import Config, Sandbox
from sandbox.wire import answer


async def unknown(request: Request, exc: Exception) -> Response:
    """A path or method the venue does not have, in JSON as the venues say it."""
    status = exc.status_code if isinstance(exc, HTTPException) else 404
    word = "not_found" if status == 404 else "method_not_allowed"
    return answer({"error": {"code": word, "message": word.replace("_", " ")}}, status)


def create_app(config: Config | None = None) -> Front:
    """A sandbox of its own; nothing is shared between two apps."""
    box = Sandbox.build(config or Config.from_env())
    box.poly, box.predictit = PolyShapes(box.world, box.books), PredictIt(box)
    box.advance(box.clock.now())
    venues: dict[str, Any] = {
        name: Starlette(routes=venue.routes(), exception_handlers={404: unknown, 405: unknown})
        for name, venue in (("kalshi", Kalshi(box)), ("polymarket", Polymarket(box)),
                            ("predictit", box.predictit))}
    return Front(box, venues, Starlette(routes=control_routes(box)))
