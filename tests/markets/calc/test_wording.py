"""What changed between two texts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from markets.calc.wording import AROUND, MOST_WORDS, changes


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ("", "", []),
        ("same words", "same words", [("same", "same words")]),
        ("", "all new", [("added", "all new")]),
        ("all gone", "", [("removed", "all gone")]),
        (
            "closes on Monday at noon",
            "closes on Tuesday at noon",
            [
                ("same", "closes on "),
                ("removed", "Monday"),
                ("added", "Tuesday"),
                ("same", " at noon"),
            ],
        ),
    ],
)
def test_changed_words_are_marked(old: str, new: str, found: list[tuple[str, str]]) -> None:
    assert [(change.kind, change.text) for change in changes(old, new)] == found


words = st.lists(st.sampled_from(["a", "b", "c", "\n", "  "]), max_size=20).map(" ".join)


@given(words, words)
def test_short_texts_lose_nothing(old: str, new: str) -> None:
    found = changes(old, new)
    assert "".join(c.text for c in found if c.kind in ("same", "added")) == new
    assert "".join(c.text for c in found if c.kind in ("same", "removed")) == old


def test_a_long_unchanged_stretch_is_left_out() -> None:
    middle = " ".join(f"w{n}" for n in range(20 * AROUND))
    found = changes(f"old {middle} end", f"new {middle} fin")
    assert [c.kind for c in found] == [
        "removed", "added", "same", "left_out", "same", "removed", "added",
    ]  # fmt: skip


def test_a_huge_text_counts_as_changed_whole() -> None:
    huge = "word " * MOST_WORDS
    assert [c.kind for c in changes(huge, huge + "x")] == ["removed", "added"]
