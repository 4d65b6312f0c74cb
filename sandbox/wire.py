"""Small pieces every venue's handlers share: JSON answers, errors, cursors, queries."""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any

from starlette.requests import Request
from starlette.responses import Response


class Refused(Exception):
    """An error answer: `body` is text or a JSON value."""

    def __init__(self, status: int, body: Any, headers: dict[str, str] | None = None) -> None:
        super().__init__(str(body))
        self.status, self.body, self.headers = status, body, headers or {}

    def response(self) -> Response:
        if isinstance(self.body, str):
            return Response(self.body, self.status, self.headers, "text/plain; charset=utf-8")
        return answer(self.body, self.status, self.headers)


def answer(body: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    raw = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
    return Response(raw, status, headers, "application/json")


def cursor_of(**state: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(state, sort_keys=True).encode()).decode()


def read_cursor(text: str | None) -> dict[str, Any]:
    """The state inside a cursor; {} for none. ValueError when it is not one of ours."""
    if not text:
        return {}
    try:
        state = json.loads(base64.urlsafe_b64decode(text))
    except (binascii.Error, UnicodeDecodeError, ValueError) as e:
        raise ValueError("invalid cursor") from e
    if not isinstance(state, dict):
        raise ValueError("invalid cursor")
    return state


def now_of(request: Request) -> float:
    """App time of this request, skewed or frozen by a fault."""
    return float(request.scope["sandbox.now"])
