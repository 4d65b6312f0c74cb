"""Listings to rows: upserts, dated changes, fees, categories; older news never wins."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal as D

import pytest

from markets.models import Event, FeeSchedule, Market, MarketRevision
from markets.quotes import EventInfo, FeeInfo, MarketInfo, OutcomeInfo, PriceRange, Status
from markets.writing import write_events, write_fees, write_markets

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
LATER = NOW + timedelta(minutes=5)
MARKET = MarketInfo(
    venue="kalshi",
    ref="KXFED-26DEC-T4.00",
    title="Fed funds rate above 4.00% after December?",
    status=Status.OPEN,
    outcomes=(OutcomeInfo(0, "Yes"), OutcomeInfo(1, "No")),
    price_ranges=(PriceRange(D("0"), D("1"), D("0.01")),),
    received_at=NOW,
    event_ref="KXFED-26DEC",
    rules="If the rate is above 4.00%, the market resolves to Yes.",
    facts={"strike_type": "greater", "floor_strike": "4.00"},
)
EVENT = EventInfo("kalshi", "KXFED-26DEC", "Fed funds rate", NOW, category="Economics")


def plain(venue: str, word: str) -> str:
    return {"Economics": "economics", "Politics": "politics"}.get(word, "other")


def test_a_market_is_stored_with_its_sides_and_a_stub_of_its_event() -> None:
    written = write_markets([MARKET], plain)
    market = Market.objects.get()
    assert written.created == ("KALSHI:KXFED-26DEC-T4.00",) == (market.key,)
    assert [(o.index, o.label) for o in market.outcomes.all()] == [(0, "Yes"), (1, "No")]
    assert market.event is not None and market.event.ref == "KXFED-26DEC"
    assert market.price_ranges == [["0", "1", "0.01"]]
    assert not MarketRevision.objects.exists()


def test_the_same_market_again_changes_nothing() -> None:
    write_markets([MARKET], plain)
    again = write_markets([replace(MARKET, received_at=LATER)], plain)
    assert (again.seen, again.created, again.changed) == (1, (), ())
    assert Market.objects.get().received_at == NOW


def test_a_change_is_dated_field_by_field() -> None:
    write_markets([MARKET], plain)
    changed = replace(
        MARKET, rules="Other rules.", status=Status.PAUSED, venue_ts=LATER, received_at=LATER
    )
    assert write_markets([changed], plain).changed == (MARKET.key,)
    found = {r.field: (r.old, r.new, r.venue_ts) for r in MarketRevision.objects.all()}
    assert found == {
        "rules": (MARKET.rules, "Other rules.", LATER),
        "status": ("open", "paused", LATER),
    }


def test_older_news_that_comes_later_is_ignored() -> None:
    write_markets([replace(MARKET, status=Status.CLOSED, received_at=LATER)], plain)
    write_markets([MARKET], plain)
    assert Market.objects.get().status == "closed"
    assert not MarketRevision.objects.exists()


def test_a_reopened_market_leaves_both_turns_in_its_history() -> None:
    for minute, status in enumerate((Status.OPEN, Status.CLOSED, Status.OPEN)):
        at = NOW + timedelta(minutes=minute)
        write_markets([replace(MARKET, status=status, received_at=at)], plain)
    turns = MarketRevision.objects.filter(field="status").order_by("id").values_list("old", "new")
    assert list(turns) == [("open", "closed"), ("closed", "open")]


def test_a_market_without_category_takes_its_events_now_and_when_that_changes() -> None:
    write_markets([MARKET], plain)
    assert Market.objects.get().category == "other"
    write_events([EVENT], plain)
    assert Market.objects.get().category == "economics"
    write_events([replace(EVENT, category="Politics", received_at=LATER)], plain)
    assert Market.objects.get().category == "politics"
    write_markets([replace(MARKET, title="New title", received_at=LATER)], plain)
    assert Market.objects.get().category == "politics"


def test_a_persons_word_on_exhaustive_outlives_a_venue_that_says_nothing() -> None:
    write_events([EVENT], plain)
    Event.objects.update(exhaustive=True)
    write_events([replace(EVENT, title="Renamed", received_at=LATER)], plain)
    assert Event.objects.get().exhaustive is True


@pytest.mark.parametrize(
    "title",
    ["tab\tand\nnewline \\ backslash \\N", "nul\x00inside", "<script>alert(1)</script>", "‮rtl 🎲"],
)
def test_hostile_text_is_stored_as_text(title: str) -> None:
    write_markets([replace(MARKET, title=title, facts={"a\tb": title})], plain)
    kept = title.replace("\x00", "")
    market = Market.objects.get()
    assert market.title == kept
    assert market.facts == {"a\tb": kept}


def test_fees_are_kept_by_date_and_only_when_they_differ() -> None:
    fee = FeeInfo("kalshi", "series", "KXFED", "kalshi", {"multiplier": "1"})
    assert write_fees([fee], NOW) == 1
    assert write_fees([fee], LATER) == 0
    assert write_fees([replace(fee, values={"multiplier": "0.5"})], LATER) == 1
    dated = replace(fee, values={"multiplier": "2"}, effective_from=LATER + timedelta(days=1))
    assert write_fees([dated, dated], LATER) == 1
    assert write_fees([dated], LATER) == 0
    rows = FeeSchedule.objects.order_by("effective_from")
    assert [row.values["multiplier"] for row in rows] == ["1", "0.5", "2"]


def test_a_markets_own_fee_comes_with_it() -> None:
    fee = FeeInfo("kalshi", "market", MARKET.ref, "kalshi", {"multiplier": "0"})
    write_markets([replace(MARKET, fee=fee)], plain)
    assert FeeSchedule.objects.get().scope_ref == MARKET.ref
