"""What is so: events, pairs, near-pairs and arbitrage episodes, for tests to compare with."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from sandbox.books import ONE
from sandbox.clock import iso
from sandbox.episodes import Leg, Lock, Window, windows
from sandbox.kalshi_shapes import context, settlement_word
from sandbox.layout import KALSHI, POLY, VENUES
from sandbox.predictit import CONTRACT_ID, MARKET_ID
from sandbox.state import Sandbox
from sandbox.world import Pair


def truth(box: Sandbox, now: float, back: float, ahead: float) -> dict[str, Any]:
    """Everything listed by `now`; episodes that touch [now - back, now + ahead]."""
    pairs = [p for p in box.world.pairs if listed(box, p, now)]
    return {"now": iso(now, 3), "seed": box.world.seed, "events": list(events(box, now)),
            "pairs": [pair_row(box, p) for p in pairs if p.differs is None],
            "near_pairs": [{"a": canonical(box, p.a), "b": canonical(box, p.b),
                            "differs_in": p.differs, "polarity": p.polarity}
                           for p in pairs if p.differs is not None],
            "episodes": [episode_row(box, w, x)
                         for w, x in windows(box, pairs, now - back, now + ahead)]}


def listed(box: Sandbox, pair: Pair, now: float) -> bool:
    opened = box.world.markets.open
    return bool(opened[pair.a] <= now and opened[pair.b] <= now)


def canonical(box: Sandbox, row: int) -> str:
    """KALSHI:TICKER, POLY:conditionId or PREDICTIT:market.contract."""
    venue = int(box.world.markets.venue[row])
    if venue == KALSHI:
        name = box.kalshi.index.tickers[row]
    elif venue == POLY:
        name = box.poly.index.conditions[row]
    else:
        listing = box.world.listings[box.world.markets.listing[row]]
        name = f"{MARKET_ID + listing.number}.{CONTRACT_ID + row}"
    return f"{VENUES[venue]}:{name}"


def pair_row(box: Sandbox, pair: Pair) -> dict[str, Any]:
    mk = box.world.markets
    return {"a": canonical(box, pair.a), "b": canonical(box, pair.b),
            "relation": "equivalent" if pair.polarity == 1 else "inverse",
            "polarity": pair.polarity, "lag_s": {
                VENUES[int(mk.venue[r])]: float(mk.lag[r]) for r in (pair.a, pair.b)}}


def events(box: Sandbox, now: float) -> Iterator[dict[str, Any]]:
    """One row per question: its kind, its ends, and the latent probability of each market."""
    world = box.world
    by_event: dict[int, list[int]] = {}
    for listing in world.listings:
        if world.specs[listing.event].open <= now:
            by_event.setdefault(listing.event, []).extend(
                range(listing.first, listing.first + listing.count))
    rows = np.array([r for rs in by_event.values() for r in rs], dtype=np.int64)
    if not len(rows):
        return
    p = dict(zip(rows.tolist(), world.latent(rows, now).tolist(), strict=True))
    paid = dict(zip(rows.tolist(), world.payout(rows).tolist(), strict=True))
    for event, members in by_event.items():
        spec = world.specs[event]
        t = spec.template
        decided = float(world.events.decided[event])
        yield {"id": event, "category": t.category, "kind": t.name,
               "title": t.kalshi.event.format(**context(spec, spec.outcomes[0])),
               "exclusive": t.exclusive, "exhaustive": spec.exhaustive,
               "opens": iso(spec.open), "closes": iso(spec.close), "decided": iso(decided),
               "markets": [{"id": canonical(box, r), "probability": round(p[r], 6),
                            "result": settlement_word(paid[r]) if now >= world.markets.determined[r]
                            else ""} for r in members]}


def leg_row(box: Sandbox, leg: Leg) -> dict[str, Any]:
    return {"market": canonical(box, leg.row), "side": leg.side, "action": "buy",
            "price": f"{leg.price / ONE:.4f}", "cost": str(leg.cost), "fee": str(leg.fee)}


def episode_row(box: Sandbox, w: Window, lock: Lock) -> dict[str, Any]:
    return {"id": w.id, "kind": w.kind, "legs": [leg_row(box, x) for x in lock.legs],
            "opens": iso(w.opens, 3), "closes": iso(w.closes, 3), "at": iso(w.at, 3),
            "executable_qty": str(lock.quantity), "net": str(lock.net)}
