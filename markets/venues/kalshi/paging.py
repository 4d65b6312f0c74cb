"""Many answers as one: pages to the venue's own end, batches that fail alone. Pure."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from markets.quotes import Page, Refusal
from markets.venues.base import VenueError
from markets.venues.kalshi.page import VENUE

T = TypeVar("T")
B = TypeVar("B")
Params = dict[str, Any]


def walk(
    ask: Callable[[Params], Page[T]], params: Params, ref_of: Callable[[T], str], most: int
) -> Iterator[Page[T]]:
    """Pages to the venue's own end; what ends otherwise ends with a nameless refusal."""
    cursors: set[str] = set()
    seen: set[str] = set()
    for number in range(most):
        page = ask(params)
        refs = {ref_of(item) for item in page.items}
        if page.is_last:
            yield page
            return
        reason = ""
        if not page.cursor:
            reason = "no_cursor"
        elif page.cursor in cursors:
            reason = "cursor_repeated"
        elif refs and refs <= seen:
            reason = "page_repeated"
        elif number + 1 == most:
            reason = "page_limit"
        if reason and all(r.ref for r in page.refused):
            page = with_refusal(page, reason, f"after {number + 1} pages")
        yield page
        if reason:
            return
        cursors.add(page.cursor)
        seen |= refs
        params = params | {"cursor": page.cursor}


def passes(
    ask: Callable[[Params], Page[T]],
    listings: Sequence[Params],
    ref_of: Callable[[T], str],
    most: int,
) -> Iterator[Page[T]]:
    """Several listings as one, whose end is only marked when each came to its end.

    An item that was refused and could not be named might be any market, so that after one
    nothing absent may be believed gone; a listing that broke off has left one such refusal.
    """
    whole = True
    for number, params in enumerate(listings):
        for page in walk(ask, params, ref_of, most):
            whole = whole and all(r.ref for r in page.refused)
            final = page.is_last and whole and number + 1 == len(listings)
            yield replace(page, is_last=final)


def batched(batches: Sequence[B], ask: Callable[[B], Page[T]], endpoint: str) -> Page[T]:
    """All batches as one page; one that fails after others came costs its own markets."""
    pages: list[Page[T]] = []
    for batch in batches:
        try:
            pages.append(ask(batch))
        except VenueError as error:
            if not any(page.items for page in pages):
                raise
            pages.append(with_refusal(Page(endpoint=endpoint), "unanswered", str(error)))
    return joined(pages)


def batches(refs: Sequence[B], size: int) -> Iterator[Sequence[B]]:
    for start in range(0, len(refs), size):
        yield refs[start : start + size]


def joined(pages: Sequence[Page[T]]) -> Page[T]:
    """Several answers as one, whole only if each was."""
    return Page(
        items=tuple(item for page in pages for item in page.items),
        refused=tuple(refusal for page in pages for refusal in page.refused),
        extras=frozenset(extra for page in pages for extra in page.extras),
        endpoint=pages[0].endpoint if pages else "",
        is_last=all(page.is_last for page in pages),
        denied=frozenset(ref for page in pages for ref in page.denied),
    )


def with_refusal(page: Page[T], reason: str, says: str) -> Page[T]:
    refusal = Refusal(VENUE, page.endpoint, reason, sample=says[:300])
    return replace(page, refused=(*page.refused, refusal), is_last=False)
