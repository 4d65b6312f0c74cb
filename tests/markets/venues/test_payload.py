"""Bodies that are not quite JSON: what is wrong costs its own item and no other."""

import msgspec
import pytest

from markets.venues.payload import BadItem, read, read_body

BODY = msgspec.json.Decoder(list[msgspec.Raw])
TEXT = msgspec.json.Decoder(dict[str, str])


def texts(body):
    raws, _ = read_body(BODY, body)
    found = []
    for raw in raws:
        try:
            found.append(read(TEXT, raw)["a"])
        except BadItem as bad:
            found.append(bad.reason)
    return found


@pytest.mark.parametrize(
    ("wire", "text"),
    [
        (rb'"\ud83d\ude00 ok"', "\U0001f600 ok"),
        (rb'"\ud800x"', "\ufffdx"),
        (rb'"\ud800\u0041"', "\ufffdA"),
        (rb'"x\uDE00"', "x\ufffd"),
        (rb'"\ud800\ud83d\ude00"', "\ufffd\U0001f600"),
        (rb'"\\ud800"', r"\ud800"),  # a backslash and five letters, no escape
        (rb'"\"\ud800\""', '"\ufffd"'),
        (b'"a\x00b\nc"', "a b c"),
        (b'"NaN of it"', "NaN of it"),
        (b'"\xff\xfe"', "not_json"),
        (b"NaN", "NaN"),
        (b"-Infinity", "NaN"),
    ],
)
def test_one_bad_item_costs_no_other(wire, text):
    assert texts(b'[{"a": "before"}, {"a": ' + wire + b'}, {"a": "after"}]') == [
        "before",
        text,
        "after",
    ]


@pytest.mark.parametrize("body", [b"[{", b'[{"a": "\\x"}]', b'[{"a": "cut', b"[NaN", b"\x00", b""])
def test_body_beyond_mending_is_refused(body):
    with pytest.raises(BadItem, match="not_json|empty_body"):
        read_body(BODY, body)


def test_good_body_is_not_touched():
    body = b'[{"a": "x"}]'
    assert read_body(BODY, body)[1] is body
