"""What the venues charge a taker, in the sandbox's own arithmetic (a second reading on purpose)."""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_HALF_UP, Decimal

MILLIONTH, FIVE = Decimal("0.000001"), Decimal("0.00001")


def kalshi_taker(count: Decimal, price: Decimal, multiplier: Decimal) -> Decimal:
    """Trade fee of one fill: 0.07 m C P (1 - P), up to the millionth (kalshi.md §8)."""
    model = Decimal("0.07") * multiplier * count * price * (1 - price)
    return model.quantize(MILLIONTH, ROUND_CEILING)


def polymarket_taker(count: Decimal, price: Decimal, rate: Decimal, exponent: int = 1) -> Decimal:
    """Fee of one match: C r (p (1 - p))^e, five decimals (polymarket.md §10)."""
    return (count * rate * (price * (1 - price)) ** exponent).quantize(FIVE, ROUND_HALF_UP)
