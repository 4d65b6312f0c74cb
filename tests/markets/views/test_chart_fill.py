"""A chart without the venue's own candles asks for them, and shows what there is meanwhile."""

from typing import Any

import pytest
from django.test import Client
from kombu.exceptions import OperationalError

from markets.views import detail
from tests.factories import MarketFactory, OutcomeFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def chart(admin_client: Client, monkeypatch: pytest.MonkeyPatch) -> Any:
    outcome = OutcomeFactory(market=MarketFactory(), index=0)
    monkeypatch.setattr(detail, "needs_chart", lambda market: True)
    return lambda: admin_client.get(f"/markets/{outcome.market.key}/chart.json").json()


def test_missing_candles_are_queued_once_a_look(
    chart: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[Any] = []
    monkeypatch.setattr(detail.fill_chart, "apply_async", lambda args, **_: sent.append(args))
    assert chart()["is_filling"] is True
    assert len(sent) == 1


def test_a_lost_broker_costs_only_the_candles(chart: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def lost(*_: object, **__: object) -> None:
        raise OperationalError("connection refused")

    monkeypatch.setattr(detail.fill_chart, "apply_async", lost)
    assert chart()["is_filling"] is False


def test_recorded_data_asks_no_venue(
    chart: Any, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    settings.DATASET = "recorded"
    monkeypatch.setattr(detail, "_ask_for_candles", lambda market: pytest.fail("asked"))
    monkeypatch.setattr(detail, "recorded_until", lambda: detail.clock.now())
    assert chart()["is_filling"] is False
