"""Every payload change of the table is caught, and nothing wrong comes of it."""

import json
from collections.abc import Hashable
from dataclasses import replace
from typing import Any

import pytest

from markets.quotes import CandleInfo, FeeInfo, Listing, Page, TradePrint
from tests.markets.drift_cases import CASES, PAYLOADS, Drift


def key(item: Any) -> Hashable:
    """What a refusal or another reading calls this item."""
    if isinstance(item, Listing):
        return item.market.ref
    if isinstance(item, TradePrint):
        return item.trade_id
    if isinstance(item, CandleInfo):
        return item.start
    if isinstance(item, FeeInfo):
        return (item.scope_ref, item.effective_from)
    return item.ref


def today(case: Drift) -> Page[Any]:
    payload, read = PAYLOADS[case.payload]
    return read(json.dumps(payload).encode())


def drifted(case: Drift) -> Page[Any]:
    return PAYLOADS[case.payload][1](case.apply())


def test_the_table_is_of_2026_and_long_enough() -> None:
    assert len(CASES) >= 30
    assert len({case.name for case in CASES}) == len(CASES)
    assert all(case.date.startswith("2026-") for case in CASES)
    assert {case.kind.split()[0] for case in CASES} == {
        "removed",
        "renamed",
        "retyped",
        "split",
        "added",
    }


@pytest.mark.parametrize("name", PAYLOADS)
def test_todays_payloads_have_nothing_to_say(name: str) -> None:
    payload, read = PAYLOADS[name]
    page = read(json.dumps(payload).encode())
    assert page.items
    assert not page.extras
    assert {refusal.reason for refusal in page.refused} <= {"unknown_enum"}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_change_is_caught_by_name(case: Drift) -> None:
    page = drifted(case)
    reason, field = case.caught
    if reason == "extra":
        assert field in page.extras
    else:
        caught = {(refusal.reason, refusal.field) for refusal in page.refused}
        assert (reason, field) in caught
        assert all(refusal.sample for refusal in page.refused)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_nothing_wrong_comes_of_the_change(case: Drift) -> None:
    """What is read is what was read before the change, or less; never something else."""
    before = {key(item): item for item in today(case).items}
    for item in drifted(case).items:
        was = before[key(item)]
        assert item == was or item in _with_less(was, item)


def _with_less(was: Any, item: Any) -> list[Any]:
    """A market without its quote or fee; a fee that nobody may order by."""
    if isinstance(was, FeeInfo) and item.formula == "unknown":
        return [item]
    if not isinstance(was, Listing):
        return []
    unknown = FeeInfo(was.market.venue, "market", was.market.ref, "unknown", {})
    bare = replace(was.market, fee=unknown)
    return [replace(was, quote=None), replace(was, market=bare)]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_the_change_did_not_touch_still_comes_through(case: Drift) -> None:
    before, after = today(case), drifted(case)
    lost = len(before.items) - len(after.items)
    is_envelope = not any(isinstance(step, int) for step in case.path)
    if is_envelope or case.payload == "polymarket history":
        assert after.items == before.items or (not after.items and not after.is_last)
    else:
        # the rest of an item's family goes with it only where the family itself is broken
        assert lost <= (2 if len(case.path) == 3 else 1)
        assert len(after.refused) >= lost or not after.is_last


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_lost_market_is_never_taken_for_gone(case: Drift) -> None:
    """Each lost market is named by its refusal, or the run is not complete: the page is not the
    last, or a refusal without a name says that something is missing."""
    before, after = today(case), drifted(case)
    if not all(isinstance(item, Listing) for item in before.items):
        return
    lost = {key(item) for item in before.items} - {key(item) for item in after.items}
    named = {refusal.ref for refusal in after.refused}
    assert lost <= named or not after.is_last or "" in named
