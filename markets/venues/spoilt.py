"""A body that was cut off or spoilt on its way is asked for again."""

from collections.abc import Callable
from typing import TypeVar

from markets.quotes import Page
from markets.venues.counters import Counters

T = TypeVar("T")
SPOILT_TRIES = 3


def unspoilt(ask: Callable[[], Page[T]], counters: Counters, tries: int = SPOILT_TRIES) -> Page[T]:
    """The first answer that can be read at all, or the last one; each spoilt one is counted."""
    for _ in range(tries - 1):
        page = ask()
        if not is_spoilt(page):
            return page
        counters.failed("spoilt")
    return ask()


def is_spoilt(page: Page[T]) -> bool:
    """Whether nothing came because the body was no JSON."""
    return not page.items and any(r.reason in ("not_json", "empty_body") for r in page.refused)
