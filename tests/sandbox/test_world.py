"""The world: a pure function of seed, origin and time, without a crossed book in it."""

from __future__ import annotations

import hashlib
import json

import numpy as np
import pytest

from sandbox.app import create_app
from sandbox.books import ACTIVE, FINAL, ONE, Books, episode
from sandbox.clock import FixedClock
from sandbox.episodes import best_locks
from sandbox.layout import KALSHI, POLY
from sandbox.paths import DAY, hashed, key_of
from sandbox.spec import EXCLUSIVE, NUMERIC
from sandbox.state import Config, Sandbox
from sandbox.truth import truth
from sandbox.world import World

ORIGIN = 1_795_132_800.0
NOON = ORIGIN + 18.5 * 3600
TIMES = [ORIGIN - 20 * 3600, ORIGIN + 60, NOON, NOON + 7, NOON + 3601, ORIGIN + 3 * DAY + 5]


@pytest.fixture(scope="module")
def box() -> Sandbox:
    app = create_app(Config(markets=600, origin=ORIGIN, clock=FixedClock(ORIGIN + 4 * DAY)))
    return app.box


def print_of(box: Sandbox, t: float) -> str:
    """A digest of everything a page shows at `t`."""
    rows = box.kalshi.index.rows[:200]
    parts = [box.kalshi.markets(rows, t), box.poly.events(box.poly.index.numbers[:60], t),
             box.predictit.build(t), truth(box, t, 3600, 3600)]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def test_same_seed_origin_and_time_give_the_same_bytes() -> None:
    config = {"markets": 300, "origin": ORIGIN}
    one = create_app(Config(**config, clock=FixedClock(NOON))).box
    two = create_app(Config(**config, clock=FixedClock(ORIGIN + 9 * DAY))).box  # laid out further
    three = create_app(Config(**config, seed=8, clock=FixedClock(NOON))).box
    assert print_of(one, NOON) == print_of(two, NOON)
    assert print_of(one, NOON) != print_of(one, NOON + 60)
    assert print_of(one, NOON) != print_of(three, NOON)


def test_the_origin_counts_by_its_day_only() -> None:
    a, b = World(7, ORIGIN + 3600, 80), World(7, ORIGIN + 80_000, 80)
    assert np.array_equal(a.markets.close, b.markets.close[: len(a.markets.close)])


@pytest.mark.parametrize("t", TIMES)
def test_no_book_is_crossed_and_every_price_is_on_its_grid(box: Sandbox, t: float) -> None:
    m = np.arange(box.world.markets.n)
    q = box.books.quotes(m, t)
    assert (q.bid < q.ask).all()
    bp, bs, ap, asz = box.books.levels(m, t)
    for prices, sizes, way in ((bp, bs, -1), (ap, asz, 1)):
        shown = sizes > 0
        assert (prices[shown] > 0).all() and (prices[shown] < ONE).all()
        steps = box.books.step(m[:, None], prices)
        assert (prices[shown] % steps[shown] == 0).all()
        ordered = np.diff(prices, axis=1) * way
        assert (ordered[shown[:, 1:]] > 0).all()
    both = (bs[:, 0] > 0) & (asz[:, 0] > 0)
    assert both.sum() > 400
    assert (bp[both, 0] < ap[both, 0]).all()
    assert np.array_equal(bp[both, 0], q.bid[both]) and np.array_equal(ap[both, 0], q.ask[both])


def test_twins_agree_and_inverses_complement(box: Sandbox) -> None:
    equal = [p for p in box.world.pairs if p.differs is None]
    a, b = (np.array([getattr(p, side) for p in equal]) for side in "ab")
    flip = np.array([p.polarity for p in equal]) == -1
    assert flip.sum() > 5
    pa, pb = box.world.latent(a, NOON), box.world.latent(b, NOON)
    assert np.allclose(pa, np.where(flip, 1 - pb, pb))
    paid_a, paid_b = box.world.payout(a), box.world.payout(b)
    void = box.world.markets.void[a] | box.world.markets.void[b]
    assert np.allclose(paid_a[~void], np.where(flip, 1 - paid_b, paid_b)[~void])


def test_near_twins_differ_in_a_named_term_and_in_what_they_say(box: Sandbox) -> None:
    near = [p for p in box.world.pairs if p.differs is not None]
    assert {p.differs for p in near} >= {"deadline", "threshold", "stage", "period", "station"}
    for p in near:
        specs = [box.world.specs[box.world.markets.event[r]] for r in (p.a, p.b)]
        outcomes = [s.outcomes[int(box.world.markets.outcome[r])]
                    for s, r in zip(specs, (p.a, p.b), strict=True)]
        assert specs[0].p != specs[1].p or outcomes[0] != outcomes[1]


def test_near_twins_move_together_and_mostly_end_alike(box: Sandbox) -> None:
    """A trap that prices apart is no trap."""
    near = [p for p in box.world.pairs if p.differs in ("deadline", "source", "comparator", "stage")
            and box.world.markets.venue[p.b] == POLY]
    a, b = (np.array([getattr(p, side) for p in near]) for side in "ab")
    t = NOON - np.arange(40)[:, None] * 3600.0
    pa, pb = box.world.latent(a[None, :], t), box.world.latent(b[None, :], t)
    moving = (pa.std(axis=0) > 0.01) & (pb.std(axis=0) > 0.01)
    alike = [np.corrcoef(pa[:, i], pb[:, i])[0, 1] for i in np.flatnonzero(moving)]
    assert len(alike) > 10 and np.median(alike) > 0.9
    assert (box.world.payout(a) == box.world.payout(b)).mean() > 0.7


def test_exclusive_outcomes_share_one_probability(box: Sandbox) -> None:
    for listing in box.world.listings:
        spec = box.world.specs[listing.event]
        if spec.template.kind != EXCLUSIVE or listing.venue != KALSHI:
            continue
        m = np.arange(listing.first, listing.first + listing.count)
        total = box.world.latent(m, NOON).sum()
        assert total == pytest.approx(1) if spec.exhaustive else total < 1
        assert (box.world.payout(m)[~box.world.markets.void[m]] == 1).sum() <= 1


def test_ladders_fall_with_their_strikes(box: Sandbox) -> None:
    seen = 0
    for listing in box.world.listings:
        spec = box.world.specs[listing.event]
        if spec.template.kind == NUMERIC and not spec.template.exclusive:
            m = np.arange(listing.first, listing.first + listing.count)
            assert (np.diff(box.world.latent(m, NOON)) <= 1e-12).all()
            seen += 1
    assert seen > 20


def test_probability_ends_where_the_market_settles(box: Sandbox) -> None:
    m = np.flatnonzero(box.books.status(np.arange(box.world.markets.n), ORIGIN + 4 * DAY) == FINAL)
    m = m[~box.world.markets.void[m]]
    assert len(m) > 100
    p = box.world.latent(m, box.world.markets.decided[m])
    assert (np.abs(p - box.world.payout(m)) < 0.5).mean() > 0.97


def test_locks_pay_inside_episodes_and_nowhere_else(box: Sandbox) -> None:
    """Outside planted windows and the seconds after a jump no pair can be locked at a profit."""
    mk = box.world.markets
    equal = [p for p in box.world.pairs if p.differs is None
             and mk.venue[p.a] == KALSHI and mk.venue[p.b] == POLY]
    inside = outside = 0
    for t in (NOON, NOON + 1800, NOON + 5 * 3600):
        for p, lock in zip(equal, best_locks(box, [(p, t) for p in equal]), strict=True):
            start, end, _ = episode(mk.ep_key[p.b], t)
            live = start <= t < end
            inside += lock is not None and live
            outside += lock is not None and not live
    assert inside > 5
    assert outside == 0


def test_planted_episodes_are_told_with_a_positive_net(box: Sandbox) -> None:
    told = [e for e in truth(box, NOON, 7200, 7200)["episodes"] if e["kind"] == "planted"]
    assert len(told) > 20
    for e in told:
        assert float(e["net"]) > 0 and float(e["executable_qty"]) > 0
        assert e["opens"] < e["at"] < e["closes"]
        assert len({leg["market"] for leg in e["legs"]}) == 2


def test_the_follower_shows_a_jump_later_than_the_leader(box: Sandbox) -> None:
    mk = box.world.markets
    assert {float(min(mk.lag[p.a], mk.lag[p.b])) for p in box.world.pairs
            if mk.venue[p.a] == KALSHI and mk.venue[p.b] == POLY
            and mk.event[p.a] == mk.event[p.b]} == {0.0}
    p = box.world.latent(np.array([3]), NOON)
    late = Books(box.world).fair(np.array([3]), NOON)
    assert abs(float(p[0] - late[0])) < 0.2


def test_trades_add_up_to_the_volume(box: Sandbox) -> None:
    b = box.books
    m = np.flatnonzero(b.status(np.arange(box.world.markets.n), NOON) == ACTIVE)[:50]
    for row in m.tolist():
        one = np.array([row])
        n0, n1 = int(b.trade_count(one, NOON - 3600)[0]), int(b.trade_count(one, NOON)[0])
        j = np.arange(n0, n1)
        sizes = b.trade_size(np.full(len(j), row), j)
        assert (sizes > 0).all()
        assert sizes.sum() == (b.volume(one, NOON) - b.volume(one, NOON - 3600))[0]
        times = b.trade_time(np.full(len(j), row), j)
        assert ((times > NOON - 3600) & (times <= NOON)).all()


def test_every_stage_of_life_occurs(box: Sandbox) -> None:
    m = np.arange(box.world.markets.n)
    seen = {int(s) for h in range(0, 96) for s in np.unique(box.books.status(m, ORIGIN + h * 3600))}
    assert seen == set(range(7))
    mk = box.world.markets
    assert mk.void.sum() > 3 and (mk.revised < ORIGIN + 3 * DAY).sum() > 3
    listed = (mk.open > ORIGIN) & (mk.open < ORIGIN + DAY)
    assert listed.sum() > 40


def test_plain_integers_and_arrays_hash_alike() -> None:
    for keys in ((1,), (2**63 + 5, 3), (7, -1, 5)):
        assert int(hashed(*keys)) == key_of(*keys)
