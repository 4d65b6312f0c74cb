"""Recorded responses: which file is what, and each through the parser that its endpoint has.

A file is recognised by what it holds. Recorders wrap bodies in their own envelopes, so those are
opened first. What is no response of a venue (summaries, frames of a socket, a client library's
own objects, derived tables) is listed as out of scope and never read for prices.
"""

import csv
import gzip
import re
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Raw

from markets.quotes import Listing, Page, Refusal
from markets.recorded_forms import (
    ARRAY,
    OBJECT,
    Context,
    Form,
    array,
    first_byte,
    form_of,
    keys_of,
    size,
)
from markets.venues.payload import SPOILT, epoch, is_dated
from markets.venues.predictit.parse import eastern

OUT_OF_SCOPE = "out_of_scope"
UNUSED = "unused_endpoint"
NO_TIME = "no_time"
#: The hour that comes twice each autumn is read as its first.
FIRST = datetime(2000, 1, 1, tzinfo=UTC)

#: Times that say when a body was true; the newest of them is its as-of.
_STAMPS = re.compile(
    rb'"(updatedAt|updated_time|last_updated_ts|timeStamp|recorded_at|fetched_at|created_time'
    rb'|timestamp)"\s*:\s*"?([0-9][0-9T:.Z+ -]{8,})'
)
_DAY = re.compile(r"(20\d\d)-(\d\d)(?:-(\d\d))?(?:T(\d\d)(\d\d)Z)?")
#: Names of what holds no venue response, with the words to say so.
_ASIDE = (
    (re.compile(r"\.(csv|log|txt|md)$"), "a summary or log, no response"),
    (re.compile(r"(^|_)(ws|rtds)_"), "messages of a socket"),
    (re.compile(r"\.ndjson$"), "messages of a socket"),
)


@dataclass(frozen=True, slots=True)
class RecordedFile:
    """What became of one file. `refused` counts by reason; `note` says why it is out of scope."""

    file: str
    venue: str
    endpoint: str
    records: int
    parsed: int
    refused: Mapping[str, int]
    as_of: datetime | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Body:
    """One response, out of its envelope."""

    raw: bytes
    ref: str = ""
    seconds: int = 60


def read_folder(
    path: Path, as_of: datetime | None = None
) -> Iterator[tuple[RecordedFile, list[Page[Any]]]]:
    """Every file under a folder (or the one file), listings before books.

    Pages hold Listing, EventInfo, OrderBook, TradePrint, CandleInfo or FeeInfo values, received
    at `as_of`, or without it at the newest time that the body, its name or its folder states.
    """
    root = path if path.is_dir() else path.parent
    files = sorted(path.rglob("*"), key=_turn) if path.is_dir() else [path]
    tokens: dict[str, tuple[str, int]] = {}
    for file in files:
        if file.is_file():
            seen, pages = read_file(file, as_of, tokens)
            tokens |= _tokens(pages)
            yield replace(seen, file=str(file.relative_to(root))), pages


def read_file(
    file: Path,
    as_of: datetime | None = None,
    tokens: Mapping[str, tuple[str, int]] | None = None,
) -> tuple[RecordedFile, list[Page[Any]]]:
    """One file; `tokens` tells which outcome of which market a token is."""
    name = file.name.removesuffix(".gz")
    note = _aside_words(name)
    if note:
        return _aside(file, _rows(file, name), note), []
    try:
        data = _content(file)
        bodies, note = _unwrap(name, data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return _aside(file, 1, f"not JSON: {error}"), []
    except (EOFError, OSError, zlib.error):
        return _aside(file, 1, "the archive is broken"), []
    forms = [form_of(body.raw) for body in bodies]
    if note or None in forms:
        note = note or "no response that a venue gives"
        return _aside(file, len(bodies) if len(bodies) > 1 else size(bodies[0].raw), note), []
    known = [form for form in forms if form is not None]
    seen = RecordedFile(
        file=file.name,
        venue=" ".join(sorted({form.venue for form in known})),
        endpoint=" ".join(sorted({form.endpoint for form in known})),
        records=sum(_count(b, f) for b, f in zip(bodies, known, strict=True)),
        parsed=0,
        refused={},
    )
    if all(form.read is None for form in known):
        return replace(seen, refused={UNUSED: seen.records} if seen.records else {}), []
    received_at = as_of or _newest(data) or _named_day(file) or _folder_time(file.parent)
    if received_at is None:
        return replace(seen, refused={NO_TIME: seen.records}), []
    context = Context(received_at, tokens=dict(tokens or {}))
    return _read_bodies(replace(seen, as_of=received_at), bodies, known, context)


def _read_bodies(
    seen: RecordedFile, bodies: list[Body], forms: list[Form], context: Context
) -> tuple[RecordedFile, list[Page[Any]]]:
    """Each body by its form; one file may hold bodies of two venues."""
    pages: list[Page[Any]] = []
    refused: Counter[str] = Counter()
    records = parsed = 0
    for body, form in zip(bodies, forms, strict=True):
        if form.read is None:
            refused[UNUSED] += _count(body, form)
            records += _count(body, form)
            continue
        page = form.read(body.raw, replace(context, ref=body.ref, seconds=body.seconds))
        pages.append(page)
        refused.update(refusal.reason for refusal in page.refused)
        good = 1 if form.is_one and not page.refused else len(page.items)
        parsed += good
        records += good + len(_alone(page))
    return replace(seen, records=records, parsed=parsed, refused=dict(refused)), pages


def _count(body: Body, form: Form) -> int:
    """How many things a body holds; what an address with an id answers is one."""
    return 1 if form.is_one or "{" in form.endpoint else size(body.raw)


def _alone(page: Page[Any]) -> list[Refusal]:
    """Refusals of whole items; one may also be of a part of an item that came through."""
    here = {_ref_of(item) for item in page.items}
    return [refusal for refusal in page.refused if not refusal.ref or refusal.ref not in here]


def _ref_of(item: Any) -> str:
    return item.market.ref if isinstance(item, Listing) else getattr(item, "ref", "")


def _tokens(pages: list[Page[Any]]) -> dict[str, tuple[str, int]]:
    """Which token is which outcome, from the listings of a folder."""
    return {
        outcome.token: (item.market.ref, outcome.index)
        for page in pages
        for item in page.items
        if isinstance(item, Listing)
        for outcome in item.market.outcomes
        if outcome.token
    }


def _turn(file: Path) -> tuple[str, bool, str]:
    """Books come after the listings that name their tokens."""
    return str(file.parent), "book" in file.name, file.name


# --- files -----------------------------------------------------------------------------------


def _content(file: Path) -> bytes:
    data = file.read_bytes()
    return gzip.decompress(data) if file.suffix == ".gz" else data


def _aside_words(name: str) -> str:
    return next((words for pattern, words in _ASIDE if pattern.search(name)), "")


def _rows(file: Path, name: str) -> int:
    """Rows of a table, lines of a text, things in a JSON file."""
    if name.endswith(".json"):
        return size(_content(file))
    opened = (
        gzip.open(file, "rt", encoding="utf-8", errors="replace")
        if file.suffix == ".gz"
        else (file.open(encoding="utf-8", errors="replace"))
    )
    with opened as stream:
        if name.endswith(".csv"):
            return max(0, sum(1 for _ in csv.reader(stream)) - 1)
        return sum(1 for _ in stream)


def _aside(file: Path, records: int, note: str) -> RecordedFile:
    return RecordedFile(file.name, "", "", records, 0, {OUT_OF_SCOPE: records}, note=note)


@cache
def _folder_time(folder: Path) -> datetime | None:
    """The newest time in the files of a folder, for those that state none themselves: books lie
    beside the markets they were recorded with."""
    found = [
        _newest(_content(file))
        for file in folder.iterdir()
        if file.is_file() and not _aside_words(file.name.removesuffix(".gz"))
    ]
    return max((moment for moment in found if moment is not None), default=None)


def _newest(data: bytes) -> datetime | None:
    found = [_time(name, text) for name, text in _STAMPS.findall(data)]
    return max((moment for moment in found if moment is not None), default=None)


def _time(name: bytes, text: bytes) -> datetime | None:
    """A stamp as UTC: ISO text, a Unix number, or PredictIt's New York time."""
    word = text.decode().strip()
    try:
        if word.isdigit():
            return epoch(word, "timestamp")
        if name == b"timeStamp":
            return eastern(word, FIRST)
        moment = datetime.fromisoformat(word)
    except SPOILT:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return moment.astimezone(UTC) if is_dated(moment) else None


def _named_day(file: Path) -> datetime | None:
    """A day, or the first of a month, in the name of the file or of its folder."""
    found = _DAY.search(file.name) or _DAY.search(file.parent.name)
    if found is None:
        return None
    year, month, day, hour, minute = (int(part) if part else 0 for part in found.groups())
    try:
        return datetime(year, month, day or 1, hour, minute, tzinfo=UTC)
    except ValueError:
        return None


# --- envelopes -------------------------------------------------------------------------------


def _unwrap(name: str, data: bytes) -> tuple[list[Body], str]:
    """The bodies in a file, or the words why it holds none."""
    if name.endswith(".jsonl"):
        return _unwrap_lines(data)
    ref = name.removesuffix(".json").partition("_")[2]
    if data.lstrip()[:1] == b"[":
        return _unwrap_array(data)
    keys = OBJECT.decode(data)
    if "event_type" in keys:
        return [Body(data)], "a message of a socket"
    if "response" in keys:
        inner = OBJECT.decode(keys.get("_metadata", data))
        return [Body(bytes(keys["response"]), _text(inner, "ticker"), _minutes(inner) * 60)], ""
    return [Body(data, ref)], ""


def _unwrap_array(data: bytes) -> tuple[list[Body], str]:
    rows = ARRAY.decode(data)
    first = keys_of(rows[0]) if rows else {}
    if (rows and first_byte(rows[0]) == b"[") or "event_type" in first:
        return [Body(data)], "messages of a socket"
    if b'"discriminator"' in data[:100_000]:
        return [Body(data)], "a client library's own objects"
    if {"venue", "raw"} <= first.keys():
        return _by_venue(rows), ""
    if {"event", "markets"} <= first.keys():
        return [Body(bytes(row)) for row in rows], ""
    return [Body(data)], ""


def _unwrap_lines(data: bytes) -> tuple[list[Body], str]:
    rows = [Raw(line) for line in data.splitlines() if line.strip()]
    raws = [keys["raw"] for row in rows if "raw" in (keys := keys_of(row))]
    if len(raws) != len(rows):
        return [Body(bytes(row)) for row in rows], "rows that somebody derived, no response"
    return [Body(array(raws))], ""


def _by_venue(rows: list[Raw]) -> list[Body]:
    """Markets of several venues in one list, each under `raw`."""
    groups: dict[str, list[Raw]] = {}
    for row in rows:
        keys = keys_of(row)
        groups.setdefault(_text(keys, "venue"), []).append(keys["raw"])
    return [Body(array(raws)) for raws in groups.values()]


def _text(keys: Mapping[str, Raw], name: str) -> str:
    value = msgspec.json.decode(keys.get(name, Raw(b'""')))
    return value if isinstance(value, str) else ""


def _minutes(keys: Mapping[str, Raw]) -> int:
    value = msgspec.json.decode(keys.get("period_interval", Raw(b"1")))
    return value if isinstance(value, int) and value > 0 else 1


def recorded_table(rows: list[RecordedFile]) -> str:
    """The files of a run as text: what each is, how much was read, what was refused and why."""
    lines = [f"{'records':>8} {'parsed':>8}  file · endpoint · refused"]
    for row in rows:
        refused = ", ".join(f"{n} {reason}" for reason, n in sorted(row.refused.items()))
        words = " · ".join(
            part for part in (row.file, f"{row.venue} {row.endpoint}".strip(), refused) if part
        )
        lines.append(
            f"{row.records:>8} {row.parsed:>8}  {words}{f' ({row.note})' * bool(row.note)}"
        )
    return "\n".join(lines)
