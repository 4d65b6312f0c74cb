"""/sandbox/…: faults, keys, truth and the ledger (interfaces.md, "Sandbox control")."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox import kalshi_auth
from sandbox.clock import iso
from sandbox.faults import ALL_KINDS, BadFault
from sandbox.state import Sandbox
from sandbox.truth import truth
from sandbox.wire import answer, now_of


async def read_object(request: Request) -> dict[str, Any]:
    """The request's JSON object; ValueError for anything else."""
    body = await request.json()
    if not isinstance(body, dict):
        raise ValueError("a JSON object is needed")
    return body


def default_hours(pairs: int) -> float:
    """How far the told episodes reach each way: a day, less in a world with very many pairs."""
    return max(1.0, min(24.0, 16_000 / max(pairs, 1)))


def control_routes(box: Sandbox) -> list[Route]:
    async def faults(request: Request) -> Response:
        if request.method == "DELETE":
            box.faults.clear()
        elif request.method == "POST":
            try:
                rule = box.faults.add(await read_object(request), box.clock.now())
            except BadFault as e:
                return answer({"error": str(e), "kinds": ALL_KINDS}, 400)
            except ValueError as e:
                return answer({"error": f"not a JSON object: {e}"}, 400)
            return answer(rule.shown(), 201)
        return answer({"faults": [r.shown() for r in box.faults.rules]})

    async def keys(request: Request) -> Response:
        try:
            body = await read_object(request)
            venue, key_id = str(body["venue"]), str(body["key_id"])
            box.keys[venue, key_id] = kalshi_auth.load_public_key(str(body["public_pem"]))
        except (KeyError, ValueError) as e:
            return answer({"error": f"venue, key_id and public_pem are needed: {e}"}, 400)
        return answer({"venue": venue, "key_id": key_id}, 201)

    async def ledger(request: Request) -> Response:
        return answer({"entries": [], "balance": "0.00"})

    async def show_truth(request: Request) -> Response:
        q = request.query_params
        usual = default_hours(len(box.world.pairs))
        try:
            hours = float(q.get("back_hours", usual)), float(q.get("ahead_hours", usual))
        except ValueError:
            return answer({"error": "back_hours and ahead_hours must be numbers"}, 400)
        return answer(truth(box, now_of(request), hours[0] * 3600, hours[1] * 3600))

    async def home(request: Request) -> Response:
        world = box.world
        return answer({"now": iso(now_of(request), 3), "seed": world.seed,
                       "origin": iso(world.origin), "markets": world.markets.n,
                       "speed": box.config.speed})

    return [Route("/sandbox/faults", faults, methods=["GET", "POST", "DELETE"]),
            Route("/sandbox/keys", keys, methods=["POST"]),
            Route("/sandbox/ledger", ledger), Route("/sandbox/truth", show_truth),
            Route("/sandbox", home), Route("/", home)]
