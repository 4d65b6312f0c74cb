"""Which fee is in force: wider scopes first, what a narrower one leaves out holds."""

from datetime import datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from arbsite import clock
from markets.models import Market
from markets.terms import Fees, fees_of
from tests import factories as make

pytestmark = pytest.mark.django_db
FULL = {"rate": "0.07", "maker_multiplier": "0", "multiplier": "1"}


@pytest.fixture
def market() -> Market:
    return make.MarketFactory(series="KXR")


def _row(
    market: Market, scope: str, formula: str, values: dict[str, str] | None = None, days: float = 9
) -> None:
    refs = {"venue": "", "series": "KXR", "event": market.event.ref, "market": market.ref}
    make.FeeScheduleFactory(
        venue=market.venue,
        scope=scope,
        scope_ref=refs[scope],
        formula=formula,
        values=values or {},
        effective_from=clock.now() - timedelta(days=days),
    )


def _found(market: Market) -> Fees:
    return fees_of(market, clock.now())


def test_inherit_takes_the_wider_formula_and_overrides_what_it_names(market: Market) -> None:
    _row(market, "series", "quadratic", FULL)
    _row(market, "event", "inherit", {"multiplier": "0.5"})
    now = _found(market).now
    assert now.formula == "quadratic" and now.values == FULL | {"multiplier": "0.5"}
    assert now.scope == "event"


def test_an_empty_inherit_changes_nothing(market: Market) -> None:
    _row(market, "series", "quadratic", FULL)
    before = _found(market).now
    _row(market, "event", "inherit")
    assert _found(market).now == before and before.scope == "series"


def test_an_override_that_ended_lets_the_series_speak_again(market: Market) -> None:
    _row(market, "series", "quadratic", FULL)
    _row(market, "event", "quadratic", FULL | {"multiplier": "0"}, days=5)
    assert _found(market).now.values["multiplier"] == "0"
    _row(market, "event", "inherit", days=1)
    assert _found(market).now.values == FULL


def test_a_type_without_a_multiplier_keeps_the_wider_one(market: Market) -> None:
    _row(market, "series", "quadratic", FULL | {"multiplier": "0.5"})
    _row(market, "event", "quadratic", {"rate": "0.07", "maker_multiplier": "0.25"})
    assert _found(market).now.values == FULL | {"multiplier": "0.5", "maker_multiplier": "0.25"}


def test_another_formula_starts_anew(market: Market) -> None:
    _row(market, "series", "quadratic", FULL)
    _row(market, "event", "flat_rate", {"fee": "0.01"})
    assert _found(market).now.values == {"fee": "0.01"}


@pytest.mark.parametrize(
    ("rows", "formula"),
    [
        ([("series", "unknown", {}), ("event", "inherit", {"multiplier": "1"})], "unknown"),
        ([("series", "quadratic", FULL), ("event", "unknown", {})], "unknown"),
        ([("event", "inherit", {"multiplier": "1"})], "unknown"),
        ([("series", "unknown", {}), ("event", "quadratic", FULL)], "quadratic"),
    ],
)
def test_unknown_stays_unknown_until_a_narrower_scope_knows(
    market: Market, rows: list[tuple[str, str, dict[str, str]]], formula: str
) -> None:
    for row in rows:
        _row(market, *row)
    assert (_found(market).now.formula, _found(market).is_known) == (
        formula,
        formula != "unknown",
    )


def test_an_empty_inherit_of_nothing_is_no_fee(market: Market) -> None:
    _row(market, "event", "inherit")
    assert _found(market).now is None and not _found(market).is_known


@pytest.mark.parametrize(
    ("hours", "spoilt", "is_waived"), [(5, "", True), (-5, "", False), (5, "soon", False)]
)
def test_a_waiver_counts_until_it_ends(
    market: Market, hours: int, spoilt: str, is_waived: bool
) -> None:
    until = clock.now() + timedelta(hours=hours)
    market.facts = {"fee_waiver_expiration_time": spoilt or until.isoformat()}
    assert _found(market).waived_until == (until if is_waived else None)


def test_a_waiver_without_a_zone_or_of_another_kind_is_not_believed(market: Market) -> None:
    for value in (datetime(2999, 1, 1).isoformat(), 5, None):  # noqa: DTZ001
        market.facts = {"fee_waiver_expiration_time": value}
        assert _found(market).waived_until is None


def test_the_page_says_unknown_and_waived_in_words(client: Client, market: Market) -> None:
    client.force_login(User.objects.create_superuser("root"))
    _row(market, "series", "unknown", {"fee_type": "flat"})
    Market.objects.update(facts={"fee_waiver_expiration_time": "2999-01-02T03:04:00+00:00"})
    text = client.get(reverse("market", args=[market.key])).content.decode()
    assert "Fee unknown: not orderable" in text
    assert "Waived until 2999-01-02 03:04 UTC" in text
