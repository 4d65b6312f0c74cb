import pytest

from markets.quotes import Page, Refusal
from markets.venues.base import VenueError
from markets.venues.kalshi.paging import batched, passes, walk

NAMED = Refusal("kalshi", "GET /markets", "retyped", ref="KX-1")
NAMELESS = Refusal("kalshi", "GET /markets", "missing")


def page(*items, cursor="", is_last=False, refused=()):
    return Page(items=items, cursor=cursor, is_last=is_last, refused=refused, endpoint="GET /m")


END = page("z", is_last=True)


def walked(*pages, most=10):
    """Serves the pages in turn and keeps what was asked for."""
    asked, left = [], list(pages)

    def ask(params):
        asked.append(params.get("cursor"))
        return left.pop(0) if len(left) > 1 else left[0]

    return list(walk(ask, {}, str, most)), asked


def test_cursor_is_followed_to_the_end():
    found, asked = walked(page("a", cursor="1"), page("b", cursor="2"), END)
    assert asked == [None, "1", "2"]
    assert [p.is_last for p in found] == [False, False, True]
    assert all(p.refused == () for p in found)


@pytest.mark.parametrize(
    ("pages", "reason"),
    [
        ([page("a", cursor="1"), page("b")], "no_cursor"),
        ([page("a", cursor="1"), page("b", cursor="2"), page("c", cursor="1")], "cursor_repeated"),
        ([page("a", cursor="1"), page("b", cursor="1")], "cursor_repeated"),
        ([page("a", "b", cursor="1"), page("b", "a", cursor="2")], "page_repeated"),
        ([page(cursor=str(n)) for n in range(20)], "page_limit"),
        ([page("a", cursor="1"), page("b", refused=(NAMED,))], "no_cursor"),
    ],
)
def test_listing_that_does_not_end_says_why(pages, reason):
    found, _ = walked(*pages)
    assert not any(p.is_last for p in found)
    assert found[-1].refused[-1].reason == reason
    assert found[-1].refused[-1].ref == ""


def test_page_that_overlaps_the_last_one_goes_on():
    found, _ = walked(page("a", "b", cursor="1"), page("b", "c", cursor="2"), END)
    assert found[-1].is_last


@pytest.mark.parametrize(
    ("first", "is_whole"),
    [
        ([END], True),
        ([page("a", refused=(NAMED,), is_last=True)], True),
        ([page("a", refused=(NAMELESS,), is_last=True)], False),
        ([page("a")], False),
    ],
)
def test_several_listings_are_whole_when_each_was(first, is_whole):
    served = {"one": first, "two": [END]}
    found = list(passes(lambda p: served[p["of"]][0], [{"of": "one"}, {"of": "two"}], str, 5))
    assert [p.is_last for p in found] == [False] * (len(found) - 1) + [is_whole]


def test_first_batch_that_fails_fails_all_and_a_later_one_itself():
    def ask(number):
        if number in failing:
            raise VenueError("no answer")
        return page(number, is_last=True)

    failing = {1}
    joined = batched([0, 1, 2], ask, "GET /m")
    assert joined.items == (0, 2)
    assert [(r.reason, r.sample) for r in joined.refused] == [("unanswered", "no answer")]
    assert not joined.is_last
    failing = {0}
    with pytest.raises(VenueError):
        batched([0, 1, 2], ask, "GET /m")
