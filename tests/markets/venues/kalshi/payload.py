"""The complete payloads beside this file, written from the venue sheet, and changes to them."""

import json
from copy import deepcopy
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "payloads"
RECEIVED = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)
ABSENT = object()


def body(name: str) -> bytes:
    return (FOLDER / f"http_get_{name}.json").read_bytes()


def loaded(name: str) -> Any:
    return json.loads(body(name))


def markets_with(**changes: Any) -> bytes:
    """A page of two markets, the first of which is changed (ABSENT takes a field away)."""
    page = loaded("markets")
    page["markets"] = [changed(page["markets"][0], **changes), page["markets"][1]]
    return json.dumps(page).encode()


def changed(item: dict[str, Any], **changes: Any) -> dict[str, Any]:
    item = deepcopy(item)
    for name, value in changes.items():
        item.pop(name, None)
        if value is not ABSENT:
            item[name] = value
    return item
