"""What a venue shows of a market: quotes, book levels, trades, volume, status. All vectorised.

Prices are whole numbers of 1/10,000 dollar of YES; sizes whole hundredths of a contract.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from sandbox.layout import PREDICTIT
from sandbox.paths import Array, unit
from sandbox.world import World

ONE = 10_000
LEVELS = 12
EPISODE_SLOT = 7200.0
EPISODE_SHARE = 0.45

UNOPENED, ACTIVE, PAUSED, CLOSED, DETERMINED, DISPUTED, FINAL = range(7)


def episode(ep_key: Any, t: Any) -> tuple[Array, Array, Array]:
    """(start, end, signed margin) of the planted episode of the slot that holds `t`.

    The margin is what is left to the taker in probability after both spreads and fees; its sign
    says whether this venue is too dear (+) or too cheap (-). end = start when there is none.
    """
    slot = np.floor(np.asarray(t, dtype=float) / EPISODE_SLOT).astype(np.int64)
    on = (np.asarray(ep_key) != 0) & (unit(ep_key, 1, slot) < EPISODE_SHARE)
    length = 120.0 + 1080.0 * unit(ep_key, 3, slot)
    start = slot * EPISODE_SLOT + unit(ep_key, 2, slot) * (EPISODE_SLOT - length)
    sign = np.where(unit(ep_key, 4, slot) < 0.5, -1.0, 1.0)
    margin = sign * (0.012 + 0.03 * unit(ep_key, 5, slot))
    return start, np.where(on, start + length, start), margin


@dataclass(frozen=True)
class Quotes:
    """Best prices per market row; 0 bid or ONE ask means that side is empty."""

    bid: Array
    ask: Array


class Books:
    def __init__(self, world: World) -> None:
        self.world = world

    # -- prices -----------------------------------------------------------------------------

    def bucket(self, m: Array, t: Any) -> Array:
        """When the quote shown at `t` was made."""
        mk = self.world.markets
        if_pi = mk.venue[m] == PREDICTIT
        cadence = np.where(if_pi, 60.0, mk.cadence[m])
        phase = np.where(if_pi, 0.0, (mk.key[m] % np.uint64(997)) * 0.001)
        return np.asarray(np.floor((t - phase) / cadence) * cadence + phase)

    def fair(self, m: Any, t: Any) -> Array:
        """The venue's own idea of P(YES): late by its lag, with a little opinion of its own."""
        m = np.asarray(m)
        mk = self.world.markets
        b = self.bucket(m, t)
        p = self.world.latent(m, b - mk.lag[m])
        opinion = 0.0025 * (unit(mk.key[m], 11, np.floor(b / 600.0)) - 0.5)
        when = np.where(mk.venue[m] == PREDICTIT, b, t)
        start, end, margin = episode(mk.ep_key[m], when)
        live = (when >= start) & (when < end) & (p > 0.12) & (p < 0.88)
        gap = np.sign(margin) * (1.6 * (mk.half[m] + mk.ep_half[m]) + 0.012
                                 + 0.14 * p * (1 - p)) + margin
        return np.clip(p + opinion + np.where(live, gap, 0.0), 0.0, 1.0)

    def step(self, m: Array, price: Array) -> Array:
        """The tick at this price (in 1/10,000)."""
        grid = self.world.markets.grid[m]
        middle = (price >= 1000) & (price <= 9000)
        inner = (price >= 100) & (price <= 9900)
        fine = np.where(grid == 2, np.where(middle, 100, 10), np.where(inner, 10, 1))
        return np.where(grid == 0, 100, np.where(grid == 1, 10, fine))

    def quotes(self, m: Any, t: Any) -> Quotes:
        """What is quoted; both sides are empty while the market does not trade."""
        m, t = np.broadcast_arrays(np.asarray(m), np.asarray(t, dtype=float))
        q, live = self.would_quote(m, t), self.trading(m, t)
        bid = np.where((q.bid <= 0) | ~live, 0, q.bid)
        return Quotes(bid, np.where((q.ask >= ONE) | ~live, ONE, q.ask))

    def would_quote(self, m: Array, t: Array) -> Quotes:
        """Quotes as if the market were trading (history, trades)."""
        mk = self.world.markets
        p, b = self.fair(m, t), self.bucket(m, t)
        half = mk.half[m] * (0.7 + 0.6 * unit(mk.key[m], 12, b)) * np.sqrt(
            np.clip(4 * p * (1 - p), 0.05, 1.0))
        bid = self._snap(m, (p - half) * ONE, up=False)
        ask = self._snap(m, (p + half) * ONE, up=True)
        ask = np.maximum(ask, bid + self.step(m, bid + 1))
        return Quotes(bid, self._snap(m, ask.astype(float), up=True))

    def _snap(self, m: Array, x: Array, up: bool) -> Array:
        step = self.step(m, x)
        q = np.ceil(x / step - 1e-9) if up else np.floor(x / step + 1e-9)
        return np.clip((q * step).astype(np.int64), 0, ONE)

    def levels(self, m: Any, t: Any, depth: int = LEVELS) -> tuple[Array, Array, Array, Array]:
        """(bid prices, bid sizes, ask prices, ask sizes), best first, shape (n, depth); size 0 =
        no level."""
        m = np.atleast_1d(np.asarray(m))
        q = self.quotes(m, t)
        b = self.bucket(m, t)
        bp, bs = self._side(m, b, q.bid, -1, depth)
        ap, asz = self._side(m, b, q.ask, 1, depth)
        return bp, bs, ap, asz

    def _side(self, m: Array, b: Array, best: Array, way: int, depth: int) -> tuple[Array, Array]:
        mk = self.world.markets
        k = np.arange(depth)[None, :]
        key = mk.key[m][:, None]
        slow = np.floor(b / 20.0)[:, None]
        gap = 1 + (unit(key, 20 + way, k) * 2.4).astype(np.int64)
        gap[:, 0] = 0
        step = self.step(m, best + way * 50)[:, None]
        step = np.where(step < 100, step * np.where(k > 2, 5, 1), step)
        prices = best[:, None] + way * np.cumsum(gap * step, axis=1)
        # Levels that wander into the coarse middle of a tapered grid must sit on it.
        tick = self.step(m[:, None], prices)
        prices = np.where(way > 0, -(-prices // tick), prices // tick) * tick
        grow = 1.0 + 0.5 * k
        size = mk.size[m][:, None] * grow * (0.2 + 1.8 * unit(key, 30 + way, k, slow)) * 100
        size = size.astype(np.int64)
        whole = (mk.key[m] % np.uint64(3) != 0)[:, None]
        size = np.where(whole, size // 100 * 100 + 100, size + 1)
        fresh = np.concatenate([np.ones((len(m), 1), bool), np.diff(prices, axis=1) != 0], axis=1)
        inside = (prices > 0) & (prices < ONE) & (best[:, None] > 0) & (best[:, None] < ONE)
        return prices, np.where(fresh & inside, size, 0)

    # -- trades -----------------------------------------------------------------------------

    def trade_count(self, m: Any, t: Any) -> Array:
        """How many trades the market has had up to `t` (they stop at the close)."""
        m, t = np.broadcast_arrays(np.asarray(m), np.asarray(t, dtype=float))
        mk = self.world.markets
        until = np.minimum(t, mk.decided[m]) - mk.open[m]
        j = np.floor(until / mk.tau[m]).astype(np.int64)
        late = until - j * mk.tau[m] >= unit(mk.key[m], 40, j) * mk.tau[m]
        return np.asarray(np.maximum(j + late, 0))

    def trade_time(self, m: Array, j: Any) -> Array:
        """When trade number `j` (0-based) happened."""
        mk = self.world.markets
        return np.asarray(mk.open[m] + (j + unit(mk.key[m], 40, j)) * mk.tau[m])

    def _size_sum(self, m: Array, count: Any) -> Array:
        """Contracts (hundredths) of the first `count` trades: closed form, always rising."""
        mk = self.world.markets
        mean = np.maximum(mk.size[m] * 0.25, 1.0)
        whole = mk.key[m] % np.uint64(3) != 0
        raw = mean * (count + 0.95 * unit(mk.key[m], 41, count))
        at_zero = mean * 0.95 * unit(mk.key[m], 41, np.zeros_like(count))
        total = raw - at_zero
        hundredth = np.where(whole, np.round(total) * 100, np.round(total * 100))
        return np.asarray(hundredth.astype(np.int64))

    def trade_size(self, m: Array, j: Array) -> Array:
        return self._size_sum(m, j + 1) - self._size_sum(m, j)

    def trade_price(self, m: Array, j: Array) -> tuple[Array, Array]:
        """(YES price, taker bought YES) of trade `j`."""
        t = self.trade_time(m, j)
        mk = self.world.markets
        q = self.would_quote(m, t)
        buys = unit(mk.key[m], 42, j) < 0.5
        price = np.where(buys, q.ask, q.bid)
        other = np.where(buys, q.bid, q.ask)
        price = np.where((price <= 0) | (price >= ONE), other, price)
        tick = np.array([100, 10, 10, 1])[mk.grid[m]]
        return np.clip(price, tick, ONE - tick), buys

    def volume(self, m: Any, t: Any) -> Array:
        """Contracts traded up to `t`, in hundredths."""
        m, t = np.broadcast_arrays(np.asarray(m), np.asarray(t, dtype=float))
        return self._size_sum(m, self.trade_count(m, t))

    def last_price(self, m: Any, t: Any) -> Array:
        """Price of the latest trade; 0 when there was none."""
        m = np.asarray(m)
        n = self.trade_count(m, t)
        price, _ = self.trade_price(m, np.maximum(n - 1, 0))
        return np.where(n > 0, price, 0)

    # -- life -------------------------------------------------------------------------------

    def status(self, m: Any, t: Any) -> Array:
        m, t = np.broadcast_arrays(np.asarray(m), np.asarray(t, dtype=float))
        mk = self.world.markets
        det = mk.determined[m]
        out = np.full(m.shape, FINAL)
        out = np.where(t < mk.settled[m], np.where(mk.disputed[m], DISPUTED, DETERMINED), out)
        out = np.where(t < det, CLOSED, out)
        out = np.where(t < mk.decided[m], ACTIVE, out)
        paused = (t >= mk.pause[m]) & (t < mk.resume[m]) & (out == ACTIVE)
        out = np.where(paused, PAUSED, out)
        return np.where(t < mk.open[m], UNOPENED, out)

    def trading(self, m: Any, t: Any) -> Array:
        return np.asarray(self.status(m, t) == ACTIVE)

    def updated(self, m: Any, t: float) -> Array:
        """When the metadata of the market last changed, at or before `t`."""
        m = np.asarray(m)
        mk = self.world.markets
        latest = mk.open[m] - 3600.0
        for edge in (mk.open[m], mk.pause[m], mk.resume[m], mk.revised[m], mk.decided[m],
                     mk.determined[m], mk.settled[m]):
            latest = np.where(edge <= t, np.maximum(latest, edge), latest)
        return np.asarray(latest)


def dollars(x: int) -> str:
    """1/10,000 dollars as "0.5600"."""
    return f"{x // ONE}.{x % ONE:04d}"


def hundredths(x: int) -> str:
    return f"{x // 100}.{x % 100:02d}"


def plain(x: int) -> str:
    """1/10,000 as a short decimal: 0.52, 0.515."""
    text = f"{x // ONE}.{x % ONE:04d}".rstrip("0")
    return text + "0" if text.endswith(".") else text
