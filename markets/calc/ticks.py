"""The price grid of a market: which prices exist, and how a limit is rounded onto them.

A price is valid when it is a multiple of the step of its range and lies in [tick, 1 - tick].
Where two ranges meet, a price on either grid is valid. Sources: the venues' own `price_ranges` and
tick sizes (see docs/venues.md).
"""

from collections.abc import Iterable
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from functools import lru_cache

from markets.quotes import PriceRange

ONE = Decimal(1)
ZERO = Decimal(0)


class Grid:
    """The valid prices of one market. Raises ValueError for ranges that make no grid."""

    __slots__ = ("ranges", "_single")

    def __init__(self, ranges: Iterable[PriceRange]) -> None:
        self.ranges = tuple(sorted(ranges, key=lambda r: r.start))
        for piece in self.ranges:
            if not (piece.step > 0 and ZERO <= piece.start < piece.end <= ONE):
                raise ValueError(f"no grid: {piece}")
        self._single = self.ranges[0].step if len(self.ranges) == 1 else None

    def holds(self, price: Decimal) -> bool:
        """Whether an order may stand at this price. Without ranges nothing is known: False."""
        if not ZERO < price < ONE:
            return False
        if self._single is not None:
            return price % self._single == 0
        return any(r.start <= price <= r.end and price % r.step == 0 for r in self.ranges)

    def round_buy(self, price: Decimal) -> Decimal | None:
        """The highest valid price not above `price`; None when there is none."""
        return self._nearest(price, ROUND_FLOOR, reversed(self.ranges))

    def round_sell(self, price: Decimal) -> Decimal | None:
        """The lowest valid price not below `price`; None when there is none."""
        return self._nearest(price, ROUND_CEILING, self.ranges)

    def _nearest(
        self, price: Decimal, rounding: str, pieces: Iterable[PriceRange]
    ) -> Decimal | None:
        is_down = rounding == ROUND_FLOOR
        for piece in pieces:
            if is_down and price < piece.start or not is_down and price > piece.end:
                continue
            inside = min(price, piece.end) if is_down else max(price, piece.start)
            steps = (inside / piece.step).to_integral_value(rounding)
            rounded = steps * piece.step
            if piece.start <= rounded <= piece.end and ZERO < rounded < ONE:
                return rounded
        return None


@lru_cache(maxsize=4096)
def grid(ranges: tuple[PriceRange, ...]) -> Grid:
    """The grid of these ranges; the same few recur over a whole universe."""
    return Grid(ranges)


@lru_cache(maxsize=4096)
def grid_of_text(ranges: tuple[tuple[str, str, str], ...]) -> Grid:
    """The grid of ranges as they are kept in a row: ((start, end, step), ...)."""
    return Grid(PriceRange(Decimal(a), Decimal(b), Decimal(c)) for a, b, c in ranges)
