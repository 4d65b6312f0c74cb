"""A book as a ladder, and its mirror."""

from decimal import Decimal as D

from hypothesis import given
from hypothesis import strategies as st

from markets.calc.ladder import ladder, mirror

BIDS = [(D(".42"), D(100)), (D(".41"), D(300))]
ASKS = [(D(".44"), D(200))]


def test_totals_add_up_from_the_top_and_bars_are_shares_of_the_deepest() -> None:
    found = ladder(BIDS, ASKS)
    assert [(rung.price, rung.total, rung.share) for rung in found.bids] == [
        (D(".42"), D(100), 25),
        (D(".41"), D(400), 100),
    ]
    assert [rung.share for rung in found.asks] == [50]


def test_offers_are_drawn_with_the_best_one_next_to_the_bids() -> None:
    found = ladder([], [(D(".44"), D(1)), (D(".45"), D(1))])
    assert [rung.price for rung in found.asks_down] == [D(".45"), D(".44")]


def test_an_empty_book_is_an_empty_ladder() -> None:
    assert ladder([], []).bids == ladder([], []).asks == ()


def test_a_bid_is_an_offer_on_the_other_side() -> None:
    assert mirror(BIDS, ASKS) == ([(D(".56"), D(200))], [(D(".58"), D(100)), (D(".59"), D(300))])


prices = st.integers(1, 99).map(lambda cent: D(cent) / 100)
sides = st.lists(st.tuples(prices, st.integers(1, 10_000).map(D)), max_size=15)


@given(sides, sides)
def test_a_mirrored_mirror_is_the_book(bids: list, asks: list) -> None:
    assert mirror(*mirror(bids, asks)) == (bids, asks)


@given(sides, sides, st.integers(1, 12))
def test_shares_stay_within_the_bar_and_totals_never_shrink(
    bids: list, asks: list, depth: int
) -> None:
    found = ladder(bids, asks, depth)
    for side in (found.bids, found.asks):
        assert len(side) <= depth
        assert all(0 <= rung.share <= 100 for rung in side)
        assert [rung.total for rung in side] == sorted(rung.total for rung in side)
