"""An order book as a ladder: what waits at each price, how much up to there, seen from one side."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

ONE = Decimal(1)


@dataclass(frozen=True, slots=True)
class Rung:
    """`size` contracts wait at `price`; `total` up to and including it; `share` in 0..100 of the
    deepest total shown, for a bar."""

    price: Decimal
    size: Decimal
    total: Decimal
    share: int


@dataclass(frozen=True, slots=True)
class Ladder:
    """Both sides from the top, best first; `asks_down` is the offers as drawn above the bids."""

    bids: tuple[Rung, ...]
    asks: tuple[Rung, ...]

    @property
    def asks_down(self) -> tuple[Rung, ...]:
        """Offers with the best one last."""
        return self.asks[::-1]


Side = Sequence[tuple[Decimal, Decimal]]


def ladder(bids: Side, asks: Side, depth: int = 10) -> Ladder:
    """The first `depth` levels of each side; (price, size) pairs, best first."""
    bids, asks = bids[:depth], asks[:depth]
    deepest = max(sum((size for _, size in side), Decimal(0)) for side in (bids, asks))
    return Ladder(_rungs(bids, deepest), _rungs(asks, deepest))


def mirror(bids: Side, asks: Side) -> tuple[Side, Side]:
    """The same orders seen from the other outcome: a bid at p is an offer there at 1 - p."""
    return [(ONE - price, size) for price, size in asks], [
        (ONE - price, size) for price, size in bids
    ]


def _rungs(side: Side, deepest: Decimal) -> tuple[Rung, ...]:
    total, rungs = Decimal(0), []
    for price, size in side:
        total += size
        share = int(total * 100 / deepest) if deepest else 0
        rungs.append(Rung(price, size, total, share))
    return tuple(rungs)
