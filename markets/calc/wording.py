"""What changed between two texts, word by word."""

import re
from dataclasses import dataclass
from difflib import SequenceMatcher

#: Beyond this many words the comparison would take seconds: the whole text counts as changed.
MOST_WORDS = 4_000
#: Words of unchanged text kept on each side of a change.
AROUND = 12


@dataclass(frozen=True, slots=True)
class Change:
    """A stretch of text. `kind` is same, added, removed, or left_out (same, not repeated)."""

    kind: str
    text: str


def changes(old: str, new: str) -> list[Change]:
    """The new text with what it lost and gained; joined without the removed it is the new text,
    except where a long unchanged stretch is left out."""
    before, after = _words(old), _words(new)
    if len(before) + len(after) > MOST_WORDS:
        found = [Change("removed", old), Change("added", new)]
        return [change for change in found if change.text]
    result: list[Change] = []
    matcher = SequenceMatcher(a=before, b=after, autojunk=False)
    for _kind, a1, a2, b1, b2 in matcher.get_opcodes():
        if before[a1:a2] == after[b1:b2]:
            result += _shortened(after[b1:b2], is_first=b1 == 0, is_last=b2 == len(after))
            continue
        if a1 < a2:
            result.append(Change("removed", "".join(before[a1:a2])))
        if b1 < b2:
            result.append(Change("added", "".join(after[b1:b2])))
    return result


def _words(text: str) -> list[str]:
    return re.findall(r"\s+|[^\s]+", text)


def _shortened(words: list[str], is_first: bool, is_last: bool) -> list[Change]:
    keep = 2 * AROUND  # words and the space between them
    if len(words) <= 2 * keep + 2:
        return [Change("same", "".join(words))]
    head = [] if is_first else [Change("same", "".join(words[:keep]))]
    tail = [] if is_last else [Change("same", "".join(words[-keep:]))]
    return [*head, Change("left_out", " … "), *tail]
