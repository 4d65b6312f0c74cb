"""The grid: domain.md T1.1, every label of price range that venues send, and invariants."""

from decimal import Decimal as D

import pytest
from hypothesis import given
from hypothesis import strategies as st

from markets.calc.ticks import Grid
from markets.quotes import PriceRange


def _grid(*pieces: tuple[str, str, str]) -> Grid:
    return Grid(PriceRange(D(a), D(b), D(c)) for a, b, c in pieces)


LINEAR = _grid(("0", "1", "0.01"))
DECI = _grid(("0", "1", "0.001"))
TAPERED = _grid(("0", "0.10", "0.001"), ("0.10", "0.90", "0.01"), ("0.90", "1", "0.001"))


@pytest.mark.parametrize(
    ("price", "rounded"), [("0.0955", "0.095"), ("0.1234", "0.12"), ("0.9057", "0.905")]
)
def test_tapered_buy_rounds_down_to_the_local_step(price: str, rounded: str) -> None:
    assert TAPERED.round_buy(D(price)) == D(rounded)


@pytest.mark.parametrize(
    ("price", "rounded"),
    [("0.0955", "0.096"), ("0.1234", "0.13"), ("0.9057", "0.906"), ("0.8950", "0.90")],
)
def test_tapered_sell_rounds_up_to_the_local_step(price: str, rounded: str) -> None:
    assert TAPERED.round_sell(D(price)) == D(rounded)


@pytest.mark.parametrize(
    ("grid", "price", "held"),
    [
        (LINEAR, "0.41", True),
        (LINEAR, "0.415", False),
        (LINEAR, "0", False),
        (LINEAR, "1", False),
        (DECI, "0.415", True),
        (TAPERED, "0.095", True),
        (TAPERED, "0.125", False),
        (TAPERED, "0.10", True),
        (TAPERED, "0.905", True),
        (Grid(()), "0.5", False),
    ],
)
def test_a_price_is_held_only_on_its_local_step(grid: Grid, price: str, held: bool) -> None:
    assert grid.holds(D(price)) is held


def test_no_price_lies_outside_the_grid() -> None:
    assert LINEAR.round_buy(D("0.005")) is None
    assert LINEAR.round_sell(D("0.995")) is None


@pytest.mark.parametrize("step", ["0", "-0.01"])
def test_a_step_that_is_not_positive_makes_no_grid(step: str) -> None:
    with pytest.raises(ValueError, match="no grid"):
        _grid(("0", "1", step))


@given(st.sampled_from([LINEAR, DECI, TAPERED]), st.decimals("0.011", "0.989", places=5))
def test_rounding_brackets_the_price_on_the_grid(grid: Grid, price: D) -> None:
    low, high = grid.round_buy(price), grid.round_sell(price)
    assert low is not None and high is not None
    assert low <= price <= high
    assert grid.holds(low) and grid.holds(high)
    assert (low == high) == grid.holds(price)
