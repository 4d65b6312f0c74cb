"""Payloads that are not what we declared become incidents that name venue, endpoint and field.

A page without refusals and news costs one comparison. A repeat is counted on the open row, so a
venue that renames a field for 280,000 markets leaves one row and not 280,000.
"""

from collections import Counter
from typing import Any

from markets import incidents
from markets.quotes import Page, Refusal

SAMPLE = 300
#: The payload has another shape than we declared: nothing of its kind may be stored until a
#: person has looked. Other refusals are single items or bad luck on the line.
SHAPE_REASONS = frozenset({"missing", "retyped", "unknown_enum", "no_cursor"})
Matter = tuple[str, str, str]

#: Extra fields this process has spoken of; they are noted once, quietly.
_noted: set[tuple[str, str]] = set()


def report(venue: str, page: Page[Any]) -> None:
    """Leave an incident for each kind of refusal on a page and a note for each new field."""
    if page.refused:
        _report_refused(venue, page.refused)
    if page.extras:
        _note_extras(venue, page)


def _report_refused(venue: str, refused: tuple[Refusal, ...]) -> None:
    counts: Counter[Matter] = Counter()
    first: dict[Matter, Refusal] = {}
    for refusal in refused:
        matter = (refusal.endpoint, refusal.reason, refusal.field)
        counts[matter] += 1
        first.setdefault(matter, refusal)
    for matter, count in sorted(counts.items()):
        endpoint, reason, field = matter
        is_shape = reason in SHAPE_REASONS
        incidents.report(
            "drift",
            _told(venue, first[matter], count),
            tier=incidents.Tier.IMPORTANT if is_shape else incidents.Tier.ROUTINE,
            venue=venue,
            endpoint=endpoint,
            field=field,
            about=reason,
            sample=first[matter].sample[:SAMPLE],
            count=count,
        )


def _told(venue: str, refusal: Refusal, count: int) -> str:
    what = f"{refusal.reason} {refusal.field}".strip()
    which = f" ({refusal.ref})" if refusal.ref and count == 1 else ""
    items = "one item" if count == 1 else f"{count} items"
    return f"{venue} {refusal.endpoint}: {what}: {items} set aside{which}"


def _note_extras(venue: str, page: Page[Any]) -> None:
    for extra in sorted(page.extras):
        if (venue, extra) in _noted:
            continue
        _noted.add((venue, extra))
        incidents.report(
            "drift",
            f"{venue} {page.endpoint}: a field we do not know: {extra}",
            tier=incidents.Tier.QUIET,
            venue=venue,
            field=extra,
            about="extra",
        )
