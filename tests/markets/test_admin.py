"""The admin on tables of millions: no page counts or scans one."""

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from markets.admin import EstimatingPaginator
from markets.models import Market, Quote, Scope
from markets.writing import ensure_partitions
from tests import factories as make

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("root"))
    return client


def _count(rows: object) -> int:
    return EstimatingPaginator(rows, 50).count


def test_a_table_beyond_the_cap_is_estimated(monkeypatch: pytest.MonkeyPatch) -> None:
    make.MarketFactory.create_batch(5)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE markets_market")
    Market.objects.filter(pk=Market.objects.first().pk).delete()
    assert _count(Market.objects.all()) == 4
    monkeypatch.setattr(EstimatingPaginator, "CAP", 3)
    assert _count(Market.objects.all()) == 5, "the planner's figure, one row behind"
    assert _count(Market.objects.filter(status="open")) == 3, "as far as anyone pages"


def test_a_table_never_analysed_is_at_least_what_was_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(EstimatingPaginator, "CAP", 2)
    make.MarketFactory.create_batch(3)
    assert _count(Market.objects.all()) >= 2


def test_no_list_counts_without_a_cap(desk: Client) -> None:
    make.LatestQuoteFactory()
    for model in ("market", "outcome", "latestquote", "candle", "collectionrun"):
        with CaptureQueriesContext(
            connection,
        ) as asked:
            desk.get(reverse(f"admin:markets_{model}_changelist"))
        counts = [query["sql"] for query in asked if "COUNT(" in query["sql"]]
        assert counts and all("LIMIT" in sql for sql in counts)


def test_quotes_are_listed_for_one_outcome_and_never_browsed(desk: Client) -> None:
    quote = make.LatestQuoteFactory()
    ensure_partitions([quote.received_at.date()])
    Quote.objects.create(outcome_id=quote.pk, bid="0.4321", received_at=quote.received_at)
    address = reverse("admin:markets_quote_changelist")
    assert "0.4321" not in desk.get(address).content.decode()
    assert "0.4321" not in desk.get(f"{address}?q=word").content.decode()
    assert "0.4321" in desk.get(f"{address}?q={quote.pk}").content.decode()


def test_markets_are_searched_by_words(desk: Client) -> None:
    make.MarketFactory(title="Rain in Paris")
    make.MarketFactory(title="Sun in Rome")
    text = desk.get(reverse("admin:markets_market_changelist") + "?q=paris rain").content.decode()
    assert "Rain in Paris" in text and "Sun in Rome" not in text


def test_what_a_person_typed_is_not_what_the_venue_said(desk: Client) -> None:
    make.VenueFactory()
    form = {
        "venue": "kalshi",
        "scope": "venue",
        "scope_ref": "",
        "formula": "quadratic",
        "values": '{"taker": "0.07"}',
        "effective_from_0": "2026-11-20",
        "effective_from_1": "12:00:00",
    }
    desk.post(reverse("admin:markets_feeschedule_add"), form)
    assert make.FeeSchedule.objects.get().source == "admin"


@pytest.mark.parametrize(
    ("dimension", "value", "lines"), [("days", "abc", 0), ("days", "nan", 0), ("days", "7", 1)]
)
def test_a_scope_line_without_sense_is_refused_in_the_admin_too(
    desk: Client, dimension: str, value: str, lines: int
) -> None:
    form = {"action": "deny", "dimension": dimension, "value": value, "is_enabled": "on"}
    answer = desk.post(reverse("admin:markets_scope_add"), form)
    assert Scope.objects.count() == lines
    assert lines or "is not a number of days" in answer.content.decode()
