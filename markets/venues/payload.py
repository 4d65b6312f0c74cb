"""Reading a response item by item: what is good goes on, what is not is set aside with a reason.

Pure. A declared shape is a `msgspec.Struct`; one item that does not fit it never costs the others.
"""

import re
from collections.abc import Set
from datetime import MAXYEAR, MINYEAR, UTC, datetime
from decimal import Decimal
from typing import Generic, TypeVar

import msgspec

from markets.quotes import Page, Refusal

T = TypeVar("T")
S = TypeVar("S")

SAMPLE = 300
#: Counts and sizes beyond this are no market's; they would also not fit the tables.
HUGE = Decimal("1e14")
#: What the tables keep of a price or size.
MICRO = Decimal("0.000001")
_PLACES = 6
#: Control characters and text-direction overrides: they hide or reorder what a person reads, and
#: PostgreSQL refuses NUL.
_TRICKS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_MISSING = re.compile(r"missing required field `([^`]+)`")
_PLACE = re.compile(r" - at `\$\.?([^`]*)`$")
_ROW = re.compile(r"\[\d+\]")
#: What JSON does not allow and a body may still be mended from.
_BROKEN = re.compile(rb"NaN|Infinity|[\x00-\x1f]|\\u[dD][89a-fA-F]")
#: Strings are matched as wholes, so that words inside them are left alone.
_TOKENS = re.compile(rb'"(?:[^"\\]|\\.)*"|-?Infinity|NaN')
_CONTROLS = re.compile(rb"[\x00-\x1f]")
#: Surrogate pairs before halves of them, any other escape last.
_ESCAPES = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    rb"|(u[dD][89a-fA-F][0-9a-fA-F]{2})|.)"
)
_KEYS = msgspec.json.Decoder(dict[str, msgspec.Raw])


class BadItem(Exception):
    """One item cannot be trusted: why, and which field of it."""

    def __init__(self, reason: str, field: str = "", sample: str = "", ref: str = "") -> None:
        super().__init__(f"{reason} {field}".strip())
        self.reason = reason
        self.field = field
        self.sample = sample
        self.ref = ref


#: What one item may raise and must not cost the others.
SPOILT = (BadItem, ValueError, ArithmeticError)


def bad_item(problem: Exception) -> BadItem:
    """What went wrong with one item, as a reason to set it aside."""
    if isinstance(problem, BadItem):
        return problem
    return BadItem("out_of_range", sample=str(problem))


class Tray(Generic[T]):
    """Gathers one response into a `Page`."""

    def __init__(self, venue: str, endpoint: str) -> None:
        self.venue = venue
        self.endpoint = endpoint
        self.items: list[T] = []
        self.refused: list[Refusal] = []
        self.extras: set[str] = set()
        self.seen: set[str] = set()  # ids that came already, for parsers that look for repeats

    def refuse(self, bad: BadItem, ref: str = "", raw: "bytes | msgspec.Raw" = b"") -> None:
        """Set one item aside; a sample of it is kept for the incident."""
        sample = bad.sample or _text(raw)
        self.refused.append(
            Refusal(
                venue=self.venue,
                endpoint=self.endpoint,
                reason=bad.reason,
                ref=clean(ref or bad.ref)[:200],
                field=bad.field[:200],
                sample=clean(sample)[:SAMPLE],
            )
        )

    def page(self, cursor: str = "", is_last: bool = False) -> Page[T]:
        return Page(
            items=tuple(self.items),
            refused=tuple(self.refused),
            extras=frozenset(self.extras),
            endpoint=self.endpoint,
            cursor=cursor,
            is_last=is_last,
        )


def read(decoder: "msgspec.json.Decoder[S]", raw: "bytes | msgspec.Raw") -> S:
    """Decode by a declared shape, or raise `BadItem` naming the field that does not fit."""
    try:
        return decoder.decode(raw)
    except msgspec.ValidationError as error:
        raise _explained(str(error)) from error
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        reason = "not_json" if bytes(raw).strip() else "empty_body"
        raise BadItem(reason, sample=_text(raw)) from error


def read_body(decoder: "msgspec.json.Decoder[S]", body: bytes) -> tuple[S, bytes]:
    """A whole response, and the bytes it was read from.

    JSON knows no NaN or Infinity, no raw control character and no half of a surrogate pair, and
    one of them would cost every item. Numbers of that kind are read as text, which then fails in
    the item they belong to; in texts a mark stands in for what cannot be read.
    """
    try:
        return read(decoder, body), body
    except BadItem as bad:
        if bad.reason != "not_json" or not _BROKEN.search(body):
            raise
    body = _TOKENS.sub(_mended, body)
    return read(decoder, body), body


def _mended(found: "re.Match[bytes]") -> bytes:
    token = found[0]
    if token[:1] != b'"':
        return b'"NaN"'
    token = _CONTROLS.sub(b" ", token)
    return _ESCAPES.sub(lambda escape: b"\\ufffd" if escape[1] else escape[0], token)


def _explained(says: str) -> BadItem:
    """msgspec's message as a reason and a path."""
    found = _PLACE.search(says)
    # Which row it was is not part of the matter: the same change hits each of them.
    place = _ROW.sub("[]", found.group(1)) if found else ""
    missing = _MISSING.search(says)
    if missing:
        return BadItem("missing", f"{place}.{missing.group(1)}".lstrip("."))
    if "enum value" in says:
        return BadItem("unknown_enum", place)
    return BadItem("retyped", place)


def _text(raw: "bytes | msgspec.Raw") -> str:
    return bytes(memoryview(raw)[: SAMPLE * 2]).decode("utf-8", "replace")


def fields_of(raw: "bytes | msgspec.Raw") -> dict[str, msgspec.Raw]:
    """The fields of an object, undecoded; none for anything else."""
    try:
        return _KEYS.decode(raw)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return {}


def peek(raw: "bytes | msgspec.Raw", *names: str) -> str:
    """The first of these fields that is text or a number, to name an item that did not fit."""
    keys = fields_of(raw)
    for name in names:
        text = bytes(keys.get(name, b"null")).decode("utf-8", "replace").strip('"')
        if text not in ("", "null") and text[0] not in "[{":
            return text
    return ""


def unknown_keys(raw: "bytes | msgspec.Raw", known: Set[str]) -> set[str]:
    """Fields of an object that its declared shape has never heard of; a name that cannot be read
    is one of them."""
    try:
        keys = _KEYS.decode(raw).keys()
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return {"(unreadable)"}
    return set() if known >= keys else {clean(key)[:100] for key in keys - known}


def known_fields(shape: type[msgspec.Struct], also: Set[str] = frozenset()) -> frozenset[str]:
    """The wire names of a shape, with those that are known and not read."""
    return frozenset(shape.__struct_encode_fields__) | frozenset(also)


def clean(text: str) -> str:
    """Text without the characters that mislead a reader or that no table takes."""
    return text if text.isprintable() else _TRICKS.sub("", text)


def has_tricks(text: str) -> bool:
    """Whether `clean` would take something out."""
    return not text.isprintable() and _TRICKS.search(text) is not None


def price(value: Decimal | None, field: str) -> Decimal | None:
    """A price in [0, 1], or None where the venue has none; anything else raises `BadItem`."""
    if value is None:
        return None
    if value.is_finite() and 0 <= value <= 1:
        return exact(value, field)
    raise BadItem("out_of_range", field, sample=str(value)[:80])


def amount(value: Decimal | None, field: str) -> Decimal | None:
    """A size or volume: not negative and below what any market trades."""
    if value is None:
        return None
    if value.is_finite() and 0 <= value < HUGE:
        return exact(value, field)
    raise BadItem("out_of_range", field, sample=str(value)[:80])


def volume(value: Decimal | None, field: str) -> Decimal | None:
    """A venue's sum over many trades, to six decimals: nobody is paid by it."""
    if value is None:
        return None
    if value.is_finite() and 0 <= value < HUGE - 1:
        return value if -_PLACES <= _exponent(value) <= 0 else value.quantize(MICRO)
    raise BadItem("out_of_range", field, sample=str(value)[:80])


def exact(value: Decimal, field: str) -> Decimal:
    """A finite number as the tables keep it; one that they would round raises `BadItem`."""
    exponent = _exponent(value)
    if -_PLACES <= exponent <= 0:
        return value
    if exponent < 0 and any(value.as_tuple().digits[exponent + _PLACES :]):
        raise BadItem("out_of_range", field, sample=str(value)[:80])
    return value.quantize(MICRO)


def _exponent(value: Decimal) -> int:
    exponent = value.as_tuple().exponent
    assert isinstance(exponent, int)
    return exponent


def moment(text: str | None, field: str) -> datetime | None:
    """ISO text with an offset as aware UTC; empty, year 1 and year 9999 are None (a venue's ways to
    say none)."""
    if not text:
        return None
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError as error:
        raise BadItem("retyped", field, sample=text[:80]) from error
    if not is_dated(parsed):
        return None
    if parsed.tzinfo is None:
        raise BadItem("no_offset", field, sample=text[:80])
    return parsed if parsed.tzinfo is UTC else parsed.astimezone(UTC)


def is_dated(when: datetime) -> bool:
    """Whether this is a time at all: the first and the last year stand for none, and cannot be
    moved into another time zone."""
    return MINYEAR < when.year < MAXYEAR


def epoch(value: int | str | None, field: str) -> datetime | None:
    """Unix seconds, milliseconds, microseconds or nanoseconds, told apart by their magnitude."""
    if value is None or value == "":
        return None
    try:
        number = int(value)
        while number > 99_999_999_999:
            number, rest = divmod(number, 1000)
            if number <= 99_999_999_999:
                return datetime.fromtimestamp(number, UTC).replace(microsecond=rest * 1000)
        if number <= 0:
            raise ValueError(value)
        return datetime.fromtimestamp(number, UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise BadItem("retyped", field, sample=str(value)[:80]) from error
