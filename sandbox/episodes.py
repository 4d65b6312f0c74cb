"""When two venues could be traded against each other, and for how much after fees."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np

from sandbox.books import EPISODE_SLOT, ONE, episode
from sandbox.fees import kalshi_taker, polymarket_taker
from sandbox.layout import KALSHI, POLY
from sandbox.paths import JUMP_SLOT, jump_at
from sandbox.state import Sandbox
from sandbox.world import Pair


@dataclass(frozen=True)
class Window:
    """A stretch of time in which `pair` is (probably) apart; `at` is where it is priced."""

    id: str
    kind: str  # planted, or lag after a jump
    pair: Pair
    opens: float
    closes: float
    at: float


@dataclass(frozen=True)
class Leg:
    row: int
    side: str
    price: int
    cost: Decimal
    fee: Decimal


@dataclass(frozen=True)
class Lock:
    """One contract of each leg pays exactly 1; `net` is what is left of it."""

    legs: tuple[Leg, Leg]
    quantity: Decimal
    net: Decimal


def windows(box: Sandbox, low: float, high: float) -> Iterator[Window]:
    """The windows that touch [low, high] and hold a positive net at their middle."""
    equal = [p for p in box.world.pairs if p.differs is None
             and box.world.markets.venue[p.a] == KALSHI and box.world.markets.venue[p.b] == POLY]
    for make in (planted_windows, lag_windows):
        for w in make(box, equal, low, high):
            if both_trade(box, w.pair, w.at) and best_lock(box, w.pair, w.at) is not None:
                yield w


def both_trade(box: Sandbox, pair: Pair, t: float) -> bool:
    return bool(box.books.trading(np.array([pair.a, pair.b]), t).all())


def planted_windows(box: Sandbox, pairs: list[Pair], low: float, high: float) -> Iterator[Window]:
    rows = np.array([p.b for p in pairs], dtype=np.int64)
    keys = box.world.markets.ep_key[rows] if len(rows) else rows
    for slot in range(int(low // EPISODE_SLOT), int(high // EPISODE_SLOT) + 1):
        start, end, _ = episode(keys, (slot + 0.5) * EPISODE_SLOT)
        for i in np.flatnonzero((keys != 0) & (end > start) & (end > low) & (start <= high)):
            a, b = float(start[i]), float(end[i])
            yield Window(f"p{pairs[i].a}-{pairs[i].b}-{slot}", "planted", pairs[i], a, b,
                         (a + b) / 2)


def lag_windows(box: Sandbox, pairs: list[Pair], low: float, high: float) -> Iterator[Window]:
    """After a jump the slower venue shows the old price until its lag has passed."""
    mk, ev = box.world.markets, box.world.events
    for pair in pairs:
        slow = abs(float(mk.lag[pair.a] - mk.lag[pair.b]))
        key = ev.key[mk.event[pair.a]]
        first = float(min(mk.lag[pair.a], mk.lag[pair.b]))
        for slot in range(int(low // JUMP_SLOT), int(high // JUMP_SLOT) + 1):
            when, size = jump_at(key, slot)
            opens = float(when) + first
            if size and low <= opens <= high and slow > 0:
                yield Window(f"l{pair.a}-{pair.b}-{slot}", "lag", pair, opens, opens + slow,
                             opens + slow / 2)


def asks(box: Sandbox, row: int, side: str, t: float) -> list[tuple[int, int]]:
    """(price in 1/10,000, size in hundredths) at which `side` can be bought, cheapest first."""
    bp, bs, ap, asz = box.books.levels(np.array([row]), t)
    if side == "yes":
        return [(int(p), int(s)) for p, s in zip(ap[0], asz[0], strict=True) if s]
    return [(ONE - int(p), int(s)) for p, s in zip(bp[0], bs[0], strict=True) if s]


def taker_fee(box: Sandbox, row: int, count: Decimal, price: Decimal, t: float) -> Decimal:
    if box.world.markets.venue[row] == KALSHI:
        return kalshi_taker(count, price, Decimal(str(kalshi_multiplier(box, row, t))))
    rate = box.poly.static(row)["feeSchedule"]
    return polymarket_taker(count, price, Decimal(str(rate["rate"]))) if rate else Decimal(0)


def kalshi_multiplier(box: Sandbox, row: int, t: float) -> Any:
    number = int(box.world.markets.listing[row])
    override = box.kalshi.event_fee(number, t)[1]
    if override is not None:
        return override
    return box.kalshi.series_fee(box.kalshi.index.series_of(box.world.listings[number]), t)[1]


def best_lock(box: Sandbox, pair: Pair, t: float) -> Lock | None:
    """The better of the two directions, walked while each further contract still pays."""
    other = "no" if pair.polarity == 1 else "yes"
    first = lock(box, pair, ("yes", other), t)
    second = lock(box, pair, ("no", "yes" if other == "no" else "no"), t)
    found = [x for x in (first, second) if x is not None]
    return max(found, key=lambda x: x.net) if found else None


def lock(box: Sandbox, pair: Pair, sides: tuple[str, str], t: float) -> Lock | None:
    """Buy `sides` of the two markets level by level; None when not even the first step pays."""
    a, b = (asks(box, row, side, t) for row, side in zip((pair.a, pair.b), sides, strict=True))
    i = j = 0
    left = [a[0][1] if a else 0, b[0][1] if b else 0]
    total, cost, fee = 0, [Decimal(0), Decimal(0)], [Decimal(0), Decimal(0)]
    last = [0, 0]
    while i < len(a) and j < len(b):
        step = min(left)
        count = Decimal(step) / 100
        prices = (Decimal(a[i][0]) / ONE, Decimal(b[j][0]) / ONE)
        charged = [taker_fee(box, row, count, p, t)
                   for row, p in zip((pair.a, pair.b), prices, strict=True)]
        if count * (1 - sum(prices)) - sum(charged) <= 0:
            break
        for k in (0, 1):
            cost[k] += count * prices[k]
            fee[k] += charged[k]
            left[k] -= step
        total, last = total + step, [a[i][0], b[j][0]]
        if left[0] == 0:
            i += 1
            left[0] = a[i][1] if i < len(a) else 0
        if left[1] == 0:
            j += 1
            left[1] = b[j][1] if j < len(b) else 0
    if total == 0:
        return None
    quantity = Decimal(total) / 100
    legs = (Leg(pair.a, sides[0], last[0], cost[0], fee[0]),
            Leg(pair.b, sides[1], last[1], cost[1], fee[1]))
    return Lock(legs, quantity, quantity - sum(cost) - sum(fee))
