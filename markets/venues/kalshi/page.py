"""What every parser of Kalshi's payloads shares: the end of a listing, ids, times, news. Pure."""

import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import msgspec
from msgspec import UNSET

from markets.venues.payload import BadItem, Tray, is_dated, known_fields, unknown_keys

VENUE = "kalshi"
#: An escaped backslash first, so that what follows it is left alone.
_CONTROL = re.compile(rb"(\\\\)|\\u00(?:[01][0-9a-fA-F]|7[fF])")
_KEYS = msgspec.json.Decoder(dict[str, msgspec.Raw])


def turn(tray: Tray[Any], page: Any, body: bytes, found: int, limit: int) -> tuple[str, bool]:
    """The next cursor, and whether the venue said that there is none.

    A cursor that is absent rather than empty counts as the end only on a page that is short and
    has no unknown field beside it: otherwise it may merely have been renamed.
    """
    fields = known_fields(type(page))
    strange = unknown_keys(body, fields)
    tray.extras |= {f"{type(page).__name__}.{key}" for key in strange}
    if page.cursor is UNSET:
        return "", not strange and (not limit or found < limit)
    return page.cursor or "", not page.cursor


def explained(bad: BadItem, raw: bytes) -> BadItem:
    """A better reason where the item belongs to a form we know and do not read."""
    if bad.reason not in ("missing", "retyped"):
        return bad
    try:
        keys = _KEYS.decode(raw)
    except (msgspec.DecodeError, UnicodeError):
        return bad
    if any(key.startswith("_") for key in keys):
        return BadItem("out_of_scope", sample="keys of a client library's own objects")
    if bad.field.endswith("_dollars") and bad.field.removesuffix("_dollars") in keys:
        return BadItem("legacy_cents", bad.field)
    return bad


def name(text: str, field: str) -> str:
    """An id that may go into keys and addresses."""
    if not text or len(text) > 200 or not text.isascii() or not text.isprintable() or " " in text:
        raise BadItem("out_of_range", field, sample=text[:80])
    return text


def utc(moment: datetime | None) -> datetime | None:
    """Aware UTC; year 1, which Kalshi writes for a time it does not have, is None, and 9999 too."""
    if moment is None or not is_dated(moment):
        return None
    if moment.tzinfo is UTC:
        return moment
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


@lru_cache(1 << 14)
def address(series: str) -> str:
    return f"https://kalshi.com/markets/{series.lower()}"


def plain(raw: bytes) -> bytes:
    """JSON that is kept as text, without escapes of control characters: no table takes NUL."""
    return _CONTROL.sub(lambda found: found[1] or b" ", raw) if b"\\u00" in raw else raw


def note_extras(tray: Tray[Any], raw: bytes, known: frozenset[str], label: str) -> None:
    try:
        tray.extras.update(f"{label}.{key}" for key in unknown_keys(raw, known))
    except (msgspec.DecodeError, UnicodeError):
        return
