"""Faults set at run time: which request they hit, and what they do to its answer."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

from sandbox.clock import parse_time
from sandbox.spec import Draw

REST_KINDS = ("429", "5xx", "slow", "reset", "truncate", "malformed", "html", "skew", "oversize",
              "freeze", "duplicate", "partial", "drop")
FIELD_KINDS = ("rename", "retype")
LATER_KINDS = ("timeout_after_accept", "late_fill", "duplicate_fill", "reject", "gap", "reorder")
ALL_KINDS = (*REST_KINDS, *(f"{k}:<field>" for k in FIELD_KINDS), *LATER_KINDS)
VENUES = ("kalshi", "polymarket", "predictit", "*")
OVERSIZE_BYTES = 50_000_000
SKEW_SECONDS = 300.0
SLOW_SECONDS = 5.0
HTML = (b"<!DOCTYPE html><html><head><title>Just a moment...</title></head><body>"
        b"<h1>Checking your browser before accessing the site.</h1></body></html>")


class BadFault(ValueError):
    """A fault that cannot be set; the text says why."""


@dataclass
class Fault:
    """One rule. `endpoint` is a pattern such as "GET /markets/{ticker}/orderbook"."""

    id: int
    venue: str
    endpoint: str
    kind: str
    rate: float
    until: str | None = None
    seconds: float | None = None
    mode: str = "cut"
    bytes: int = OVERSIZE_BYTES
    hits: int = 0
    made_at: float = 0.0
    pattern: re.Pattern[str] = field(default=re.compile(""), repr=False)
    ends: float | None = None

    @property
    def name(self) -> str:
        return self.kind.split(":")[0]

    @property
    def target(self) -> str:
        return self.kind.partition(":")[2]

    def shown(self) -> dict[str, Any]:
        return {k: getattr(self, k) for k in
                ("id", "venue", "endpoint", "kind", "rate", "until", "mode", "hits")}


def compile_endpoint(endpoint: str) -> re.Pattern[str]:
    """ "GET /markets/{ticker}" to a pattern over "GET /markets/X"; "" and "*" match all."""
    text = (endpoint or "*").strip()
    if text == "*":
        return re.compile(".*", re.DOTALL)
    method, _, path = text.rpartition(" ")
    parts = re.split(r"(\{[^}]*\}|\*)", path or "*")
    body = "".join(".*" if p == "*" else "[^/]+" if p.startswith("{") else re.escape(p)
                   for p in parts)
    return re.compile(f"{method or '[A-Z]+'} {body.rstrip('/')}/?")


class Faults:
    """The rules in force. Draws come from the seed, so a run can be repeated."""

    def __init__(self, seed: int, text: str = "") -> None:
        self.draw = Draw(seed ^ 0xFA017)
        self.rules: list[Fault] = []
        self.count = 0
        for part in filter(None, (p.strip() for p in text.split(","))):
            venue, _, rest = part.partition(":")
            kind, _, rate = rest.rpartition("=")
            self.add({"venue": venue, "kind": kind, "rate": rate}, 0.0)

    def add(self, body: dict[str, Any], now: float) -> Fault:
        """Check and keep one rule. BadFault says what is wrong with it."""
        kind, venue = str(body.get("kind", "")), str(body.get("venue") or "*")
        name, _, target = kind.partition(":")
        known = kind in REST_KINDS or kind in LATER_KINDS or (name in FIELD_KINDS and target)
        if not known:
            raise BadFault(f"unknown kind {kind!r}; one of: {' '.join(ALL_KINDS)}")
        if venue not in VENUES:
            raise BadFault(f"unknown venue {venue!r}; one of: {' '.join(VENUES)}")
        try:
            rate = float(body.get("rate", 1.0))
            until = body.get("until")
            ends = parse_time(until) if until else None
            seconds = body.get("seconds")
            seconds = float(seconds) if seconds is not None else None
            size = int(body.get("bytes") or OVERSIZE_BYTES)
        except (TypeError, ValueError, AttributeError) as e:
            raise BadFault(f"rate, until, seconds or bytes cannot be read: {e}") from e
        if not 0 <= rate <= 1:
            raise BadFault("rate must lie in [0, 1]")
        mode = str(body.get("mode") or "cut")
        if mode not in ("cut", "loop"):
            raise BadFault("mode must be cut or loop")
        endpoint = str(body.get("endpoint") or "*")
        self.count += 1
        rule = Fault(self.count, venue, endpoint, kind, rate, until, seconds, mode, size,
                     made_at=now, pattern=compile_endpoint(endpoint), ends=ends)
        self.rules.append(rule)
        return rule

    def clear(self) -> None:
        self.rules.clear()

    def hit(self, venue: str, call: str, now: float) -> list[Fault]:
        """The rules that strike this request ("GET /markets")."""
        struck = []
        for rule in self.rules:
            over = rule.ends is not None and now >= rule.ends
            if over or rule.name in LATER_KINDS or rule.venue not in (venue, "*"):
                continue
            if rule.pattern.fullmatch(call) and self.draw.unit() < rule.rate:
                rule.hits += 1
                struck.append(rule)
        return struck


def spoiled(rule: Fault, status: int, body: bytes) -> bytes:
    """The body after a fault that only changes its content."""
    if rule.name == "truncate":
        return body[: max(1, len(body) * 2 // 3)]
    if rule.name == "malformed":
        return body[:-1] + b',"volume": NaN, }' if body.endswith(b"}") else body + b"\x00}{"
    if rule.name == "oversize":
        return body[:-1] + b" " * rule.bytes + body[-1:]
    if status >= 400:
        return body
    return changed(rule, body)


def changed(rule: Fault, body: bytes) -> bytes:
    """The body after a fault on its JSON: rename, retype, duplicate, partial."""
    try:
        value = json.loads(body)
    except ValueError:
        return body
    if rule.name == "rename":
        value = walk(value, rule.target, lambda k, v: (f"{k}_v2", v))
    elif rule.name == "retype":
        value = walk(value, rule.target, lambda k, v: (k, retyped(v)))
    elif rule.name == "duplicate":
        value = on_list(value, lambda items: items[:1] + items)
    elif rule.name == "partial" and rule.mode == "cut":
        value = without_cursor(on_list(value, lambda items: items[: len(items) // 2]))
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def walk(value: Any, name: str, change: Any) -> Any:
    if isinstance(value, list):
        return [walk(v, name, change) for v in value]
    if not isinstance(value, dict):
        return value
    out = {}
    for k, v in value.items():
        k, v = change(k, v) if k == name else (k, walk(v, name, change))
        out[k] = v
    return out


def retyped(value: Any) -> Any:
    """The same fact in another JSON type."""
    if isinstance(value, bool) or value is None:
        return str(value).lower()
    if isinstance(value, (int, float)):
        return str(value)
    if isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            return {"value": value}
    return str(value)


def on_list(value: Any, change: Any) -> Any:
    """Apply `change` to the first list of a page (or to the page when it is one)."""
    if isinstance(value, list):
        return change(value)
    if isinstance(value, dict):
        for k, v in value.items():
            if isinstance(v, list):
                return {**value, k: change(v)}
    return value


def without_cursor(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    value = {k: v for k, v in value.items() if k != "next_cursor"}
    return {**value, "cursor": ""} if "cursor" in value else value
