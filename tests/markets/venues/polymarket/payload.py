"""Payloads written from the venue sheet, and ways to change one thing in them."""

import copy
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "payloads"
NOW = datetime(2026, 11, 20, 14, 5, tzinfo=UTC)
GONE = object()


def body(name: str) -> bytes:
    return (FOLDER / f"http_{name}.json").read_bytes()


def load(name: str) -> Any:
    return json.loads(body(name))


def dump(value: Any) -> bytes:
    return json.dumps(value).encode()


def smith(**changes: Any) -> dict[str, Any]:
    """The open neg-risk market of the sheet, with some fields changed or GONE."""
    market = copy.deepcopy(load("get_events_keyset")["events"][0]["markets"][0])
    for name, value in changes.items():
        if value is GONE:
            del market[name]
        else:
            market[name] = value
    return market


def page_of(*markets: dict[str, Any], **envelope: Any) -> bytes:
    return dump({"markets": list(markets)} | envelope)
