"""The page Scope: lines are added, switched and removed, and bad ones refused with the reason."""

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from markets.models import Scope
from markets.scope import PRESETS
from tests import factories as make

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("root"))
    return client


def _add(desk: Client, **fields: str) -> object:
    return desk.post(reverse("scope_add"), {"action": "watch", "dimension": "word"} | fields)


def test_a_line_is_added(desk: Client) -> None:
    answer = _add(desk, value="election", note="for the week")
    line = Scope.objects.get()
    assert answer.status_code == 302
    assert (line.action, line.value, line.note, line.is_enabled) == (
        "watch",
        "election",
        "for the week",
        True,
    )


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"dimension": "days", "value": "soon"}, "is not a number of days"),
        ({"value": ""}, "This field is required"),
        ({"value": "twice"}, "already exists"),
        ({"dimension": "nonsense", "value": "x"}, "Select a valid choice"),
    ],
)
def test_a_bad_line_is_refused_with_the_reason(
    desk: Client, fields: dict[str, str], says: str
) -> None:
    make.ScopeFactory(value="twice")
    answer = _add(desk, **fields)
    assert answer.status_code == 422 and says in answer.content.decode()
    assert Scope.objects.count() == 1


def test_a_line_is_switched_off_and_on_without_being_lost(desk: Client) -> None:
    line = make.ScopeFactory()
    for enabled, expected in (("0", False), ("0", False), ("1", True)):
        desk.post(reverse("scope_switch", args=[line.pk]), {"enabled": enabled})
        line.refresh_from_db()
        assert line.is_enabled is expected


def test_a_line_is_removed(desk: Client) -> None:
    desk.post(reverse("scope_remove", args=[make.ScopeFactory().pk]))
    assert not Scope.objects.exists()


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_adds_its_lines_once(desk: Client, name: str) -> None:
    for _ in range(2):
        desk.post(reverse("scope_preset"), {"name": name})
    found = set(Scope.objects.values_list("dimension", "value", "author__username"))
    assert found == {(dimension, value, "root") for dimension, value in PRESETS[name]}


def test_the_preview_counts_live_markets(desk: Client) -> None:
    make.MarketFactory(title="Election day")
    make.MarketFactory(title="Election night", status="settled")

    def says(dimension: str, value: str) -> str:
        address = f"{reverse('scope_preview')}?dimension={dimension}&value={value}"
        return desk.get(address).content.decode()

    assert "<b>1</b> live market." in says("word", "election")
    assert "is not a number of days" in says("days", "soon")
    assert "Type a value" in says("word", "")


def test_lines_say_how_many_markets_each_touches(desk: Client) -> None:
    make.MarketFactory(title="Election day")
    make.ScopeFactory(value="election")
    make.ScopeFactory(dimension="days", value="not a number any more")
    text = desk.get(reverse("scope_lines")).content.decode()
    assert text.count("<tr") == 2 and ">1</td>" in text
