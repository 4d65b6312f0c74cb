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
from sandbox.paths import JUMP_SLOT, Array, hashed, jump_at
from sandbox.spec import EXCLUSIVE
from sandbox.state import Sandbox
from sandbox.world import MAX_SCORES, Pair


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


def windows(box: Sandbox, pairs: list[Pair], low: float,
            high: float) -> list[tuple[Window, Lock]]:
    """The windows that touch [low, high] and hold a positive net where they are priced."""
    mk = box.world.markets
    equal = [p for p in pairs
             if p.differs is None and mk.venue[p.a] == KALSHI and mk.venue[p.b] == POLY]
    found = [*planted_windows(box, equal, low, high), *lag_windows(box, equal, low, high)]
    found = [w for w in found if w.at >= mk.open[w.pair.a] and w.at >= mk.open[w.pair.b]]
    locks = best_locks(box, [(w.pair, w.at) for w in found])
    return [(w, x) for w, x in zip(found, locks, strict=True) if x is not None]


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
    if not pairs:
        return
    mk = box.world.markets
    a, b = (np.array([getattr(p, side) for p in pairs]) for side in "ab")
    slow, first = np.abs(mk.lag[a] - mk.lag[b]), np.minimum(mk.lag[a], mk.lag[b])
    for salt, keys, moves in jump_keys(box, mk.event[a]):
        for slot in range(int(low // JUMP_SLOT), int(high // JUMP_SLOT) + 1):
            when, size = jump_at(keys, slot)
            opens = when + first
            hit = moves & (size != 0) & (slow > 0) & (opens >= low) & (opens <= high)
            for i in np.flatnonzero(hit):
                at, lasts = float(opens[i]), float(slow[i])
                yield Window(f"l{a[i]}-{b[i]}-{slot}-{salt}", "lag", pairs[i], at, at + lasts,
                             at + lasts / 2)


def jump_keys(box: Sandbox, events: Array) -> Iterator[tuple[int, Array, Array]]:
    """(salt, path keys, which events move on them): each outcome of an exclusive event has its
    own path, every other question has one."""
    ev = box.world.events
    exclusive = ev.kind[events] == EXCLUSIVE
    yield 0, ev.key[events], ~exclusive
    for i in range(MAX_SCORES):
        alive = box.world.scores[ev.scores_row[events], i] > -20 if exclusive.any() else exclusive
        yield i + 1, hashed(ev.key[events], i), exclusive & alive


Side = list[tuple[int, int]]  # (price in 1/10,000, size in hundredths), cheapest first


def all_asks(box: Sandbox, rows: list[int], times: list[float]) -> list[dict[str, Side]]:
    """What YES and NO cost level by level, for each row at its own time."""
    if not rows:
        return []
    bp, bs, ap, asz = box.books.levels(np.array(rows), np.array(times))
    out = []
    for i in range(len(rows)):
        yes = [(p, s) for p, s in zip(ap[i].tolist(), asz[i].tolist(), strict=True) if s]
        no = [(ONE - p, s) for p, s in zip(bp[i].tolist(), bs[i].tolist(), strict=True) if s]
        out.append({"yes": yes, "no": no})
    return out


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


def best_locks(box: Sandbox, wanted: list[tuple[Pair, float]]) -> list[Lock | None]:
    """For each pair and time the better of its two directions, or None when neither pays."""
    times = [t for _, t in wanted]
    first = all_asks(box, [p.a for p, _ in wanted], times)
    second = all_asks(box, [p.b for p, _ in wanted], times)
    return [best_lock(box, p, t, a, b)
            for (p, t), a, b in zip(wanted, first, second, strict=True)]


def best_lock(box: Sandbox, pair: Pair, t: float, a: dict[str, Side],
              b: dict[str, Side]) -> Lock | None:
    flip = {"yes": "no", "no": "yes"} if pair.polarity == 1 else {"yes": "yes", "no": "no"}
    found = [lock(box, pair, (x, y), t, a[x], b[y]) for x, y in flip.items()]
    return max((x for x in found if x is not None), key=lambda x: x.net, default=None)


def lock(box: Sandbox, pair: Pair, sides: tuple[str, str], t: float, a: Side,
         b: Side) -> Lock | None:
    """Buy `sides` of the two markets level by level; None when not even the first step pays."""
    if not a or not b or a[0][0] + b[0][0] >= ONE:
        return None
    i = j = 0
    left = [a[0][1], b[0][1]]
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
