"""What stands before the venues: finds the venue of a request, sets its time, applies faults."""

from __future__ import annotations

import asyncio
import json
from email.utils import formatdate
from typing import Any

from sandbox.faults import HTML, SKEW_SECONDS, SLOW_SECONDS, Fault, spoiled
from sandbox.state import Sandbox

# Where each venue's API root is, below its prefix; the fault endpoints are relative to these.
ROOTS = {"kalshi": ("/trade-api/v2",), "polymarket": ("/gamma", "/clob", "/data"),
         "predictit": ("/api",)}
ALIASES = {"/trade-api/v2": "kalshi"}  # official clients sign the path they call


class Captured:
    """One response, kept until the faults have had their turn."""

    def __init__(self) -> None:
        self.status = 500
        self.headers: list[tuple[bytes, bytes]] = []
        self.body = b""

    async def send(self, message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = list(message.get("headers", []))
        else:
            self.body += message.get("body", b"")


class Front:
    def __init__(self, box: Sandbox, venues: dict[str, Any], control: Any) -> None:
        self.box, self.venues, self.control = box, venues, control

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await self.control(scope, receive, send)
            return
        if scope["type"] != "http":
            return
        venue, path = self.venue_of(scope["path"])
        now = self.box.clock.now()
        if venue is None:
            self.box.advance(now)
            await self.control({**scope, "sandbox.now": now}, receive, send)
            return
        struck = self.box.faults.hit(venue, f"{scope['method']} {short(venue, path)}", now)
        now = moved(struck, now)
        self.box.advance(now)
        if await self.cut_off(struck, send):
            return
        captured = Captured()
        forced = forced_answer(venue, struck)
        if forced is not None:
            captured.status, captured.body, extra = forced
            captured.headers = extra
        else:
            inner = {**scope, "path": path, "raw_path": path.encode(), "root_path": "",
                     "sandbox.now": now, "sandbox.path": path}
            await self.venues[venue](inner, receive, captured.send)
        await deliver(captured, struck, scope, now, send)

    def venue_of(self, path: str) -> tuple[str | None, str]:
        for venue in self.venues:
            if path.startswith(f"/{venue}/"):
                return venue, path[len(venue) + 1:]
        for prefix, venue in ALIASES.items():
            if path.startswith(prefix + "/") and venue in self.venues:
                return venue, path
        return None, path

    async def cut_off(self, struck: list[Fault], send: Any) -> bool:
        """Wait for `slow`; close the connection for `reset`. True when nothing is to be sent."""
        for rule in struck:
            if rule.name == "slow":
                await asyncio.sleep(SLOW_SECONDS if rule.seconds is None else rule.seconds)
        if any(r.name == "reset" for r in struck):
            abort(send)
            return True
        return False


def short(venue: str, path: str) -> str:
    """The path relative to the venue's API root."""
    for root in ROOTS[venue]:
        if path.startswith(root + "/"):
            return path[len(root):]
    return path


def moved(struck: list[Fault], now: float) -> float:
    """The venue's idea of now under skew and freeze."""
    for rule in struck:
        if rule.name == "freeze":
            now = min(now, rule.made_at)
        elif rule.name == "skew":
            now += SKEW_SECONDS if rule.seconds is None else rule.seconds
    return now


def abort(send: Any) -> None:
    """Drop the TCP connection with nothing more said (uvicorn's cycle holds the transport)."""
    transport = getattr(getattr(send, "__self__", None), "transport", None)
    if transport is None:
        raise ConnectionResetError("fault: reset")
    transport.abort()


def forced_answer(venue: str, struck: list[Fault]
                  ) -> tuple[int, bytes, list[tuple[bytes, bytes]]] | None:
    """The whole answer of a fault that does not ask the venue."""
    for rule in struck:
        if rule.name == "429":
            return too_many(venue)
        if rule.name == "5xx":
            status = (500, 502, 503, 504)[rule.hits % 4]
            error: Any = {"code": "internal_server_error", "message": "internal server error"} \
                if venue == "kalshi" else "internal server error"
            return status, json.dumps({"error": error}).encode(), JSON
        if rule.name == "html":
            return 403, HTML, [(b"content-type", b"text/html; charset=UTF-8")]
    return None


JSON = [(b"content-type", b"application/json")]


def too_many(venue: str) -> tuple[int, bytes, list[tuple[bytes, bytes]]]:
    """429 in the venue's own words; Kalshi sends no Retry-After."""
    body = json.dumps({"error": "too many requests"}).encode()
    return 429, body, JSON if venue == "kalshi" else [*JSON, (b"retry-after", b"1")]


async def deliver(captured: Captured, struck: list[Fault], scope: dict[str, Any], now: float,
                  send: Any) -> None:
    body = captured.body
    for rule in struck:
        if rule.name == "partial" and rule.mode == "loop":
            body = looping(body, scope)
        elif rule.name in ("truncate", "malformed", "oversize", "rename", "retype", "duplicate",
                           "partial"):
            body = spoiled(rule, captured.status, body)
    headers = [h for h in captured.headers if h[0].lower() not in (b"content-length", b"date")]
    headers += [(b"content-length", str(len(body)).encode()),
                (b"date", formatdate(now, usegmt=True).encode())]
    await send({"type": "http.response.start", "status": captured.status, "headers": headers})
    if any(r.name == "drop" for r in struck):
        await send({"type": "http.response.body", "body": body[: len(body) // 2],
                    "more_body": True})
        await asyncio.sleep(0.01)
        abort(send)
        return
    await send({"type": "http.response.body", "body": body})


def looping(body: bytes, scope: dict[str, Any]) -> bytes:
    """The page with its cursor pointing at itself, once there is one."""
    from urllib.parse import parse_qs

    query = parse_qs(scope["query_string"].decode())
    mine = (query.get("cursor") or query.get("after_cursor") or [None])[0]
    try:
        value = json.loads(body)
    except ValueError:
        return body
    if mine is None or not isinstance(value, dict):
        return body
    name = "cursor" if "cursor" in value else "next_cursor"
    return json.dumps({**value, name: mine}, ensure_ascii=False).encode()
