import pytest

from markets import drift
from markets.models import Incident
from markets.quotes import Page, Refusal
from markets.venues.kalshi.parse import parse_markets
from tests.markets.venues.kalshi.payload import ABSENT, RECEIVED, body, markets_with

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _nothing_noted(monkeypatch):
    monkeypatch.setattr(drift, "_noted", set())


def refusal(reason="missing", field="yes_bid_dollars", ref="KXFED-26DEC", sample="{}"):
    return Refusal("kalshi", "GET /markets", reason, ref, field, sample)


def test_page_without_refusals_asks_the_database_nothing(django_assert_num_queries):
    with django_assert_num_queries(0):
        drift.report("kalshi", Page(items=(1, 2, 3)))


def test_refusals_of_one_kind_are_one_incident_with_their_count():
    page = Page(refused=tuple(refusal(ref=f"KX-{n}") for n in range(500)))
    drift.report("kalshi", page)
    drift.report("kalshi", page)
    (incident,) = Incident.objects.all()
    assert (incident.count, incident.tier, incident.kind) == (1000, "important", "drift")
    assert (incident.venue_id, incident.endpoint) == ("kalshi", "GET /markets")
    assert incident.field == "yes_bid_dollars"
    assert incident.text.startswith("kalshi GET /markets: missing yes_bid_dollars: 500 items")
    assert incident.first_seen <= incident.last_seen


def test_each_field_and_reason_is_a_matter_of_its_own():
    refused = (refusal(), refusal(field="status"), refusal("retyped"), refusal("unknown_enum"))
    drift.report("kalshi", Page(refused=refused))
    assert Incident.objects.count() == 4


@pytest.mark.parametrize(
    ("reason", "tier"),
    [
        ("missing", "important"),
        ("retyped", "important"),
        ("unknown_enum", "important"),
        ("out_of_range", "routine"),
        ("duplicate", "routine"),
        ("not_json", "routine"),
        ("cursor_repeated", "routine"),
    ],
)
def test_changed_shapes_weigh_more_than_single_bad_items(reason, tier):
    drift.report("kalshi", Page(refused=(refusal(reason),)))
    assert Incident.objects.get().tier == tier


def test_sample_is_kept_short():
    drift.report("kalshi", Page(refused=(refusal(sample="x" * 5000),)))
    assert len(Incident.objects.get().sample) == 300


def test_unknown_field_is_noted_once_and_quietly(django_assert_num_queries):
    page = Page(extras=frozenset({"Market.liquidity_score"}), endpoint="GET /markets")
    drift.report("kalshi", page)
    incident = Incident.objects.get()
    assert (incident.tier, incident.count) == ("quiet", 1)
    assert incident.field == "Market.liquidity_score"
    with django_assert_num_queries(0):
        drift.report("kalshi", page)


def test_renamed_field_leaves_the_refusal_and_the_news():
    raw = markets_with(yes_bid_dollars=ABSENT, yes_bid_price="0.1100")
    drift.report("kalshi", parse_markets(raw, RECEIVED))
    fields = {(i.field, i.tier) for i in Incident.objects.all()}
    assert fields == {("yes_bid_dollars", "important"), ("Market.yes_bid_price", "quiet")}


def test_resolved_matter_that_comes_back_is_a_new_incident():
    drift.report("kalshi", Page(refused=(refusal(),)))
    Incident.objects.update(resolved_at=RECEIVED)
    drift.report("kalshi", Page(refused=(refusal(),)))
    assert Incident.objects.count() == 2
    assert Incident.objects.filter(resolved_at=None).count() == 1


def test_good_page_of_the_sheet_leaves_nothing():
    drift.report("kalshi", parse_markets(body("markets"), RECEIVED))
    assert not Incident.objects.exists()
