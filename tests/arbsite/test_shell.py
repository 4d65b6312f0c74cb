"""The frame around every page, and the two addresses that machines ask."""

from datetime import UTC, datetime

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError
from django.test import Client
from django.urls import reverse

from arbsite import views
from markets.ranks import refresh_ranks
from tests import factories as make

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("root"))
    return client


def test_health_is_one_word(client: Client) -> None:
    answer = client.get("/healthz")
    assert (answer.status_code, answer.content) == (200, b"ok")


def test_ready_is_one_word(client: Client) -> None:
    answer = client.get("/readyz")
    assert (answer.status_code, answer.content) == (200, b"ready")


def test_not_ready_without_redis(client: Client, settings: object) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    answer = client.get("/readyz")
    assert (answer.status_code, answer.content) == (503, b"unready")


def test_not_ready_without_the_database(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(*_: object) -> None:
        raise OperationalError("server closed the connection")

    monkeypatch.setattr(views, "MigrationExecutor", gone)
    assert client.get("/readyz").status_code == 503


def test_not_ready_before_the_last_migration(client: Client) -> None:
    from django.db.migrations.recorder import MigrationRecorder

    newest = MigrationRecorder.Migration.objects.filter(app="markets").order_by("-id").first()
    MigrationRecorder.Migration.objects.filter(pk=newest.pk).delete()
    assert client.get("/readyz").status_code == 503


@pytest.mark.parametrize(
    ("trading", "word"), [("paper", "PAPER"), ("approve", "LIVE"), ("live", "LIVE")]
)
def test_the_banner_says_whether_money_is_real(
    desk: Client, settings: object, trading: str, word: str
) -> None:
    settings.TRADING_MODE = trading
    text = desk.get(reverse("scope")).content.decode()
    assert f'data-mode="{word}"' in text and f">{word}</strong>" in text


def test_the_banner_names_dataset_and_sandbox(desk: Client, settings: object) -> None:
    settings.DATASET, settings.DEMO = "demo", True
    text = desk.get(reverse("scope")).content.decode()
    assert "<b>demo</b>" in text and "simulated venues" in text
    settings.DATASET, settings.DEMO = "run", False
    text = desk.get(reverse("scope")).content.decode()
    assert "<b>run</b>" in text and "simulated venues" not in text


def test_recorded_data_says_as_of_when(desk: Client, settings: object) -> None:
    settings.DATASET = "recorded"
    at = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
    make.LatestQuoteFactory(received_at=at, checked_at=at, outcome__market__key="KALSHI:KXOLD")
    refresh_ranks()
    text = desk.get(reverse("markets")).content.decode()
    assert "as of 2026-03-02 09:30 UTC" in text
    assert "0 s ago" in text and "stale" not in text


def test_critical_incidents_are_on_every_page_until_someone_has_seen_them(desk: Client) -> None:
    make.IncidentFactory(tier="routine", text="A small thing")
    grave = make.IncidentFactory(tier="critical", text="Prices stand still")
    for name in ("markets", "scope", "admin:index"):
        text = desk.get(reverse(name)).content.decode()
        assert "Prices stand still" in text and "A small thing" not in text
    desk.post(reverse("incident_acknowledge", args=[grave.pk]))
    assert "Prices stand still" not in desk.get(reverse("scope")).content.decode()
    assert "Prices stand still" in desk.get(reverse("health")).content.decode()


def test_redis_that_does_not_answer_is_not_waited_for(settings: object) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    assert views._redis_is_ready() is False
