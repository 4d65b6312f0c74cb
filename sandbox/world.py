"""The world: every market that exists, as columns, and its probability at any time.

A pure function of (seed, origin day, n, time). Blocks (what was there before the origin, then one
per day) are only ever appended, so an index once given stays.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from sandbox.catalogue import Template
from sandbox.layout import KALSHI, POLY, PREDICTIT, Drafts, Listing, Placed, numeric_kind
from sandbox.paths import DAY, Array, hashed, key_of, ramp, sigmoid, wander
from sandbox.spec import BINARY, EXCLUSIVE, INF, NUMERIC, Draw, Outcome, Spec
from sandbox.wording import COMBO, UPDOWN

FIRST_DAY = -2  # days before the origin that are laid out one by one
MAX_SCORES = 10
NEVER = 4e9
GRIDS = {"linear_cent": 0, "deci_cent": 1, "tapered_deci_cent": 2,
         "center_deci_edge_centi_cent": 3}

EVENT_COLUMNS = {"kind": "i1", "key": "u8", "base": "f8", "vol": "f8", "open": "f8",
                 "close": "f8", "decided": "f8", "width": "f8", "winner": "i8", "scores_row": "i8"}
MARKET_COLUMNS = {
    "venue": "i1", "event": "i8", "listing": "i8", "outcome": "i8", "z_lo": "f8", "z_hi": "f8",
    "shift": "f8", "invert": "?", "key": "u8", "open": "f8", "close": "f8", "decided": "f8",
    "determined": "f8", "settled": "f8", "void": "?", "scalar": "f8", "disputed": "?",
    "pause": "f8", "resume": "f8", "lag": "f8", "cadence": "f8", "half": "f8", "grid": "i1",
    "tau": "f8", "size": "f8", "ep_key": "u8", "ep_half": "f8", "revised": "f8",
    "ev_revised": "f8"}


class Columns:
    """Named numpy columns that grow by whole blocks."""

    def __init__(self, layout: dict[str, str]) -> None:
        self.layout = layout
        self.pending: dict[str, list[Any]] = {name: [] for name in layout}
        self.data: dict[str, Array] = {n: np.empty(0, dtype=d) for n, d in layout.items()}
        self.n = 0

    def add(self, **row: Any) -> int:
        for name, values in self.pending.items():
            values.append(row[name])
        self.n += 1
        return self.n - 1

    def flush(self) -> None:
        for name, values in self.pending.items():
            new = np.array(values, dtype=self.layout[name])
            self.data[name] = np.concatenate([self.data[name], new])
            self.pending[name] = []

    def __getattr__(self, name: str) -> Array:
        try:
            column: Array = self.__dict__["data"][name]
        except KeyError as e:
            raise AttributeError(name) from e
        return column


@dataclass(frozen=True, slots=True)
class Pair:
    """Two markets on (nearly) the same question; `differs` names the one differing term."""

    a: int
    b: int
    polarity: int
    differs: str | None = None


class World:
    def __init__(self, seed: int = 7, origin: float = 0.0, n_markets: int = 1200) -> None:
        self.seed = seed
        self.origin = origin - origin % DAY
        self.n = n_markets
        self.events = Columns(EVENT_COLUMNS)
        self.markets = Columns(MARKET_COLUMNS)
        self.specs: list[Spec] = []
        self.listings: list[Listing] = []
        self.pairs: list[Pair] = []
        self.scores = np.zeros((0, MAX_SCORES))
        self._scores: list[list[float]] = []
        self.numbers = [0, 0, 0]
        self.drafts = Drafts(seed)
        self.next_day = FIRST_DAY
        self._base()
        self.extend(self.origin)

    # -- building ---------------------------------------------------------------------------

    def _base(self) -> None:
        target = self.n * 0.86
        for placed in self.drafts.base(self.origin):
            self._add(placed)
            if self.markets.n >= target:
                break
        self._combos()
        self._flush()

    def extend(self, t: float) -> None:
        """Lay out every day up to and including that of `t`."""
        every = 900 if self.n >= 1000 else 3600 if self.n >= 200 else 21_600
        while self.origin + self.next_day * DAY <= t + 6 * every:
            start = self.markets.n
            for placed in self.drafts.daily(self.origin, self.next_day):
                self._add(placed)
                if self.markets.n - start >= self.n * 0.06:
                    break
            for placed in self.drafts.rolling(self.origin, self.next_day, every):
                self._add(placed)
            self.next_day += 1
            self._flush()

    def _flush(self) -> None:
        """Turn pending rows into columns."""
        self.events.flush()
        self.markets.flush()
        if self._scores:
            self.scores = np.concatenate([self.scores, np.array(self._scores)])
            self._scores = []

    def _add(self, placed: Placed) -> None:
        first = self._event(placed.spec)
        listed = {v: self._list(placed.spec, first, v, inv) for v, inv in placed.venues}
        self._pair_all(listed)
        if placed.near is not None and KALSHI in listed:
            row = self._event(placed.near, like=first)
            other = self._list(placed.near, row, placed.near_venue, False)
            self._pair(listed[KALSHI], other, placed.near_term)

    def _event(self, spec: Spec, like: int | None = None) -> int:
        """A row for the question: how its probability moves and how it ends. A near-twin shares
        the path and the luck of the question it is `like`, so that only its term tells."""
        i = self.events.n if like is None else like
        r = Draw(key_of(self.seed, 3, i))
        kind = NUMERIC if numeric_kind(spec) else spec.template.kind
        life = max(spec.close - spec.open, 600.0)
        winner, row = 0, 0
        if kind == BINARY:
            winner = int(r.unit() < 1 / (1 + math.exp(-spec.base - spec.shift)))
        elif kind == EXCLUSIVE:
            winner = gumbel_winner(spec.scores, r)
            row = len(self.scores) + len(self._scores)
            pad = [-40.0] * (MAX_SCORES - len(spec.scores))
            self._scores.append([*spec.scores, *pad])
        decided = spec.close
        if kind == BINARY and winner and r.unit() < 0.7:
            decided = max(spec.open + life * r.between(0.3, 1.0), self.origin + r.unit() * DAY)
            decided = min(decided, spec.close)
        key = key_of(spec.key, 0) if spec.key else key_of(self.seed, 4, i)
        width = 60.0 if spec.template is UPDOWN else min(life * 0.15, DAY)
        if spec.template.name == "game":
            width = decided - spec.p["start"]
        self.specs.append(spec)
        return self.events.add(
            kind=kind, key=key, base=spec.base + spec.shift, vol=spec.vol, open=spec.open,
            close=spec.close, decided=decided, width=width, winner=winner, scores_row=row)

    def _list(self, spec: Spec, event: int, venue: int, inverse: bool) -> Listing:
        """One venue's event and its markets."""
        t: Template = spec.template
        single = venue == POLY and t.poly_single
        outcomes = [0] if single else list(range(len(spec.outcomes)))
        augmented = venue == POLY and t.augmented
        if augmented:
            outcomes.append(len(spec.outcomes))
        self.numbers[venue] += 1
        number = self.numbers[venue]
        protocol = "v2" if venue == POLY and number % 17 == 5 else "v1"
        listing = Listing(venue, event, self.markets.n, len(outcomes), number, inverse, augmented,
                          protocol)
        self.listings.append(listing)
        for o in outcomes:
            self._market(spec, listing, o)
        return listing

    def _market(self, spec: Spec, listing: Listing, o: int) -> None:
        i = self.markets.n
        key = key_of(self.seed, 5, i)
        r = Draw(key)
        t: Template = spec.template
        decided = self._decided(listing.event)
        venue, fast = listing.venue, t is UPDOWN
        quick = 12.0 if fast else r.between(300, 5400)
        timer = 60.0 if fast else r.pick((300.0, 1800.0, 3600.0))
        if venue == POLY:
            timer = 120.0 if fast else 7200.0
        disputed = not fast and r.unit() < 0.02
        if disputed:
            timer += 1.5 * DAY
        u = r.unit()
        activity = t.liquidity * math.exp(3.2 * (r.unit() - 0.55))
        half = {KALSHI: 0.004, POLY: 0.003, PREDICTIT: 0.008}[venue]
        half = min(0.045, half + 0.006 * r.unit() + 0.006 / (activity + 0.1))
        out = spec.outcomes[o] if o < len(spec.outcomes) else None
        grid = t.kalshi.ticks if venue == KALSHI else "linear_cent"
        if venue == POLY and (t.augmented or r.unit() < 0.25):
            grid = "deci_cent"
        paused = r.unit() < 0.01
        pause = self.origin + r.between(0.0, 2.0) * DAY if paused else NEVER
        revised = self.origin + r.between(0.2, 2.0) * DAY if r.unit() < 0.012 else NEVER
        lead = event_leader(key_of(self.seed, 6, listing.event))
        self.markets.add(
            venue=venue, event=listing.event, listing=len(self.listings) - 1, outcome=o,
            z_lo=out.z_lo if out else -INF, z_hi=out.z_hi if out else INF, shift=0.0,
            invert=listing.inverse, key=key, open=spec.open, close=spec.close, decided=decided,
            determined=decided + quick, settled=decided + quick + timer,
            void=not fast and u < 0.012, scalar=0.5 if u < 0.008 else round(r.unit(), 2),
            disputed=disputed, pause=pause, resume=pause + r.between(600, 7200),
            lag=0.0 if venue == lead else float(2 + Draw(key + 1).word() % 12) + 15 * (
                venue == PREDICTIT),
            cadence=1.0 if fast else max(1.0, min(30.0, 4.0 / activity)), half=half,
            grid=GRIDS[grid], tau=max(3.0, 60.0 / activity**1.4), size=60 * activity + 15,
            ep_key=0, ep_half=0.0, revised=revised, ev_revised=NEVER)

    def _decided(self, event: int) -> float:
        done = len(self.events.key)
        if event < done:
            return float(self.events.decided[event])
        return float(self.events.pending["decided"][event - done])

    def _combos(self) -> None:
        """A few multivariate markets, only so that `mve_filter` has something to filter."""
        games = [x for x in self.listings
                 if x.venue == KALSHI and self.specs[x.event].template.name == "game"]
        for i, (a, b) in enumerate(zip(games[::2], games[1::2], strict=False)):
            if i >= min(10, self.n // 100):
                break
            specs = [self.specs[x.event] for x in (a, b)]
            code = f"S{key_of(self.seed, 8, i):016X}"
            legs = ",".join(f"yes {x.outcomes[0].short}" for x in specs)
            spec = Spec(COMBO, {"legs": legs, "code": code, "rows": (a.first, b.first)},
                        [Outcome("Yes", "")], max(x.open for x in specs),
                        max(x.close for x in specs), -1.2)
            self._list(spec, self._event(spec), KALSHI, False).combo = True

    def _pair_all(self, listed: dict[int, Listing]) -> None:
        order = sorted(listed)
        for i, a in enumerate(order):
            for b in order[i + 1:]:
                self._pair(listed[a], listed[b], None)

    def _pair(self, a: Listing, b: Listing, differs: str | None) -> None:
        """Pair the markets of two listings outcome by outcome; plant episodes on equal ones."""
        for i in range(a.count):
            j = 0 if b.count == 1 else i
            if j >= b.count:
                continue
            flipped = (a.inverse != b.inverse) != (a.count == 2 and b.count == 1 and i == 1)
            pair = Pair(a.first + i, b.first + j, -1 if flipped else 1, differs)
            self.pairs.append(pair)
            if differs is None and b.venue == POLY and i == 0 or (
                    differs is None and b.venue == POLY and b.count > 1):
                self._plant(pair)

    def _plant(self, pair: Pair) -> None:
        start = len(self.markets.key)
        cols = self.markets.pending
        cols["ep_key"][pair.b - start] = key_of(self.seed, 7, pair.b)
        cols["ep_half"][pair.b - start] = cols["half"][pair.a - start]

    # -- asking -----------------------------------------------------------------------------

    def latent(self, m: Any, t: Any) -> Array:
        """P(YES) of market rows `m` at times `t` (broadcast), in the market's own polarity."""
        m, t = np.broadcast_arrays(np.asarray(m), np.asarray(t, dtype=float))
        shape = m.shape
        m, t = m.ravel(), t.ravel()
        e = self.markets.event[m]
        kind = self.events.kind[e]
        out = np.empty(m.shape)
        for k, solve in ((BINARY, self._binary), (NUMERIC, self._numeric),
                         (EXCLUSIVE, self._exclusive)):
            at = kind == k
            if at.any():
                out[at] = solve(m[at], e[at], t[at])
        out = np.where(self.markets.invert[m], 1.0 - out, out)
        return out.reshape(shape)

    def _binary(self, m: Array, e: Array, t: Array) -> Array:
        ev = self.events
        sign = np.where(ev.winner[e] == 1, 1.0, -1.0)
        pull = ramp(t, ev.decided[e], ev.width[e])
        return sigmoid((1 - pull) * (ev.base[e] + ev.vol[e] * wander(ev.key[e], t))
                       + 7.0 * pull * sign)

    def level(self, e: Array, t: Array) -> Array:
        """The number a NUMERIC question is about, in its path's own units (z)."""
        return self.events.vol[e] * wander(self.events.key[e], t)

    def _numeric(self, m: Array, e: Array, t: Array) -> Array:
        ev, mk = self.events, self.markets
        close = ev.close[e]
        x = self.level(e, np.minimum(t, close))
        left = np.clip((close - t) / (10 * DAY), 0.0, 1.0)
        sd = ev.vol[e] * np.sqrt(left) + 0.004
        with np.errstate(over="ignore", invalid="ignore"):
            low = sigmoid(1.702 * (x - mk.z_lo[m]) / sd)
            high = sigmoid(1.702 * (x - mk.z_hi[m]) / sd)
        return np.asarray(np.clip(low - high, 0.0, 1.0))

    def _exclusive(self, m: Array, e: Array, t: Array) -> Array:
        ev = self.events
        i = np.arange(MAX_SCORES)
        base = self.scores[ev.scores_row[e]]
        moves = wander(hashed(ev.key[e][:, None], i[None, :]), t[:, None])
        pull = ramp(t, ev.decided[e], ev.width[e])[:, None]
        win = np.where(i[None, :] == ev.winner[e][:, None], 8.0, 0.0)
        score = base + (1 - pull) * ev.vol[e][:, None] * moves + pull * win
        score = np.exp(score - score.max(axis=1, keepdims=True))
        p = score / score.sum(axis=1, keepdims=True)
        return np.asarray(p[np.arange(len(m)), self.markets.outcome[m]])

    def payout(self, m: Any) -> Array:
        """What YES pays at the end: 0, 1, or a fraction for voids and scalar settlements."""
        m = np.asarray(m)
        e = self.markets.event[m]
        kind = self.events.kind[e]
        yes = np.where(kind == EXCLUSIVE, self.events.winner[e] == self.markets.outcome[m],
                       self.events.winner[e] == 1)
        numeric = kind == NUMERIC
        if numeric.any():
            x = self.level(e[numeric], self.events.close[e[numeric]])
            inside = (x >= self.markets.z_lo[m][numeric]) & (x < self.markets.z_hi[m][numeric])
            yes[numeric] = inside
        yes = np.where(self.markets.invert[m], ~yes, yes).astype(float)
        fraction = np.where(self.markets.venue[m] == POLY, 0.5, self.markets.scalar[m])
        return np.where(self.markets.void[m], fraction, yes)


def gumbel_winner(scores: list[float], r: Draw) -> int:
    """One index, drawn with the softmax weights of the scores."""
    noisy = [s - math.log(-math.log(r.unit() + 1e-12) + 1e-12) for s in scores]
    return noisy.index(max(noisy))


def event_leader(h: int) -> int:
    return KALSHI if h % 3 else POLY
