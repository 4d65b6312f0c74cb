"""Times, numbers and texts of a payload: what they become and what is refused."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from markets.venues.payload import (
    BadItem,
    Tray,
    amount,
    clean,
    epoch,
    has_tricks,
    moment,
    peek,
    price,
    read,
    unknown_keys,
)


class Leaf(msgspec.Struct):
    size: Decimal


class Root(msgspec.Struct):
    name: str
    leaves: list[Leaf]


ROOT = msgspec.json.Decoder(Root)


@pytest.mark.parametrize(
    ("body", "reason", "field"),
    [
        (b"", "empty_body", ""),
        (b" \n", "empty_body", ""),
        (b"<html>", "not_json", ""),
        (b'{"name": "x"', "not_json", ""),
        (b'{"name": "\xff", "leaves": []}', "not_json", ""),
        (b'{"leaves": []}', "missing", "name"),
        (b'{"name": 1, "leaves": []}', "retyped", "name"),
        (b'{"name": "x", "leaves": [{"size": 1}, {}]}', "missing", "leaves[].size"),
        (b'{"name": "x", "leaves": [{"size": "many"}]}', "retyped", "leaves[].size"),
        (b"[]", "retyped", ""),
    ],
)
def test_what_does_not_fit_is_told_by_reason_and_field(
    body: bytes, reason: str, field: str
) -> None:
    with pytest.raises(BadItem) as caught:
        read(ROOT, body)
    assert (caught.value.reason, caught.value.field) == (reason, field)


def test_numbers_come_exactly_from_their_text() -> None:
    leaf = read(ROOT, b'{"name": "", "leaves": [{"size": 0.1000000000000000055511151231}]}').leaves
    assert str(leaf[0].size) == "0.1000000000000000055511151231"


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        (None, None),
        ("", None),
        ("0001-01-01T00:00:00Z", None),
        ("2026-04-05 19:38:35+00", datetime(2026, 4, 5, 19, 38, 35, tzinfo=UTC)),
        ("2026-04-05T19:38:35.5-04:00", datetime(2026, 4, 5, 23, 38, 35, 500000, tzinfo=UTC)),
        ("2026-03-11T09:29:01.328428Z", datetime(2026, 3, 11, 9, 29, 1, 328428, tzinfo=UTC)),
        (
            "2026-01-01T00:00:00+05:30",
            datetime(2026, 1, 1, tzinfo=timezone(timedelta(hours=5, minutes=30))),
        ),
    ],
)
def test_times_become_utc(text: str | None, utc: datetime | None) -> None:
    found = moment(text, "t")
    assert found == utc
    assert found is None or found.tzinfo is UTC


@pytest.mark.parametrize(
    ("text", "reason"), [("soon", "retyped"), ("2026-04-05T19:38:35", "no_offset")]
)
def test_a_time_that_cannot_be_placed_is_refused(text: str, reason: str) -> None:
    with pytest.raises(BadItem, match=f"{reason} t"):
        moment(text, "t")


SECOND = datetime(2026, 3, 12, 9, 20, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "utc"),
    [
        (None, None),
        ("", None),
        (1773307200, SECOND),
        ("1773307200", SECOND),
        (1773307200123, SECOND + timedelta(milliseconds=123)),
        ("1773307200123", SECOND + timedelta(milliseconds=123)),
        (1773307200123456, SECOND + timedelta(milliseconds=123)),
        (1773307200123456789, SECOND + timedelta(milliseconds=123)),
    ],
)
def test_unix_times_are_told_apart_by_size(value: int | str | None, utc: datetime | None) -> None:
    assert epoch(value, "t") == utc


@pytest.mark.parametrize("value", [0, -5, "soon", "1e9"])
def test_another_number_is_no_time(value: Any) -> None:
    with pytest.raises(BadItem):
        epoch(value, "t")


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-0.01", "1.01", "1e400"])
def test_a_price_lies_between_zero_and_one(text: str) -> None:
    assert price(Decimal(1), "p") == 1
    assert price(None, "p") is None
    with pytest.raises(BadItem, match="out_of_range p"):
        price(Decimal(text), "p")


@pytest.mark.parametrize("text", ["NaN", "-1", "1e15", "1e400"])
def test_an_amount_is_neither_negative_nor_absurd(text: str) -> None:
    assert amount(Decimal("0"), "a") == 0
    with pytest.raises(BadItem, match="out_of_range a"):
        amount(Decimal(text), "a")


def test_characters_that_mislead_are_taken_out_and_others_stay() -> None:
    text = "A\x00B\u202eC\u2066D\nE\tF – “ü” \U0001f469\u200d\U0001f467"
    assert has_tricks(text)
    assert clean(text) == "ABCD\nE\tF – “ü” \U0001f469\u200d\U0001f467"
    assert not has_tricks(clean(text))


def test_an_item_is_named_by_the_first_field_it_has() -> None:
    assert peek(b'{"b": 7, "c": "x"}', "a", "b", "c") == "7"
    assert peek(b'{"a": null, "b": "", "c": "x"}', "a", "b", "c") == "x"
    assert peek(b'{"a": {"b": 1}}', "a") == ""
    assert peek(b"[1]", "a") == ""
    assert peek(b"nonsense", "a") == ""
    assert peek(b'{"\x80": 1}', "a") == ""


def test_unknown_fields_are_named() -> None:
    assert unknown_keys(b'{"a": 1, "b\\u0000": 2}', {"a"}) == {"b"}
    assert unknown_keys(b'{"a": 1}', {"a", "z"}) == set()
    assert unknown_keys(b'{"\x80": 1}', {"a"}) == {"(unreadable)"}


def test_a_refusal_keeps_a_short_sample() -> None:
    tray: Tray[int] = Tray("kalshi", "GET /markets")
    tray.refuse(BadItem("missing", "x" * 500), "r" * 500, b"\xff\x00" + b"z" * 5000)
    (refusal,) = tray.page().refused
    assert (len(refusal.sample), len(refusal.field), len(refusal.ref)) == (300, 200, 200)
    assert "\x00" not in refusal.sample
