"""Data health: what rows are turned into which words, and what a person may do about them."""

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from arbsite import clock
from markets.models import BreakerState, ComponentHealth, Incident, Venue
from markets.vitals import SILENT_S, open_incidents, process_lines, venue_sheets
from tests import factories as make

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("root"))
    return client


def _sheet() -> object:
    return next(sheet for sheet in venue_sheets(clock.now()) if sheet.venue.slug == "kalshi")


def _good_run(**fields: object) -> None:
    make.CollectionRunFactory(finished_at=clock.now(), **fields)


def test_a_venue_that_collects_is_healthy() -> None:
    _good_run()
    assert (_sheet().state, _sheet().reasons) == ("good", ("Collecting as it should",))


def test_a_venue_that_never_ran_needs_an_eye() -> None:
    assert (_sheet().state, _sheet().reasons) == ("warn", ("No run has succeeded yet",))


@pytest.mark.parametrize(
    ("state", "colour"), [("closed", "good"), ("half_open", "warn"), ("open", "bad")]
)
def test_the_breaker_decides_the_colour(state: str, colour: str) -> None:
    _good_run()
    BreakerState.objects.create(venue_id="kalshi", state=state, reason="5xx")
    assert _sheet().state == colour


@pytest.mark.parametrize(
    ("fields", "state", "says"),
    [
        ({"is_up": False}, "bad", "says it is down"),
        ({"is_up": True, "is_trading": False}, "warn", "trading is paused"),
        ({"is_enabled": False}, "off", "Switched off"),
    ],
)
def test_what_the_venue_and_a_person_say_counts(
    fields: dict[str, bool], state: str, says: str
) -> None:
    _good_run()
    Venue.objects.filter(slug="kalshi").update(**fields)
    sheet = _sheet()
    assert sheet.state == state and says in " ".join(sheet.reasons)


def test_an_old_success_is_not_working(settings: object) -> None:
    old = clock.now() - timedelta(seconds=3 * settings.MARKETS_SECONDS + 60)
    make.CollectionRunFactory(started_at=old, finished_at=old)
    assert _sheet().state == "bad"


def test_a_failed_run_and_a_grave_incident_need_an_eye() -> None:
    _good_run()
    make.CollectionRunFactory(job="books", is_complete=False, errors=["GET /book: 500"])
    make.IncidentFactory(venue_id="kalshi", tier="important")
    make.IncidentFactory(venue_id="kalshi", tier="quiet")
    sheet = _sheet()
    assert sheet.state == "warn"
    assert sheet.reasons == ("books: GET /book: 500", "1 open incident of weight")


def test_the_newest_run_of_each_job_is_shown_with_its_result() -> None:
    now = clock.now()
    make.CollectionRunFactory(started_at=now - timedelta(minutes=5), counts={"markets": 1})
    make.CollectionRunFactory(started_at=now, counts={"markets": 1200}, refused=3)
    (line,) = _sheet().jobs
    assert (line.state, line.says) == ("warn", "1,200 markets, 3 refused")


def test_the_strip_runs_from_old_to_new() -> None:
    for minutes, errors in ((3, []), (2, ["429"]), (1, [])):
        at = clock.now() - timedelta(minutes=minutes)
        make.CollectionRunFactory(job="quotes", started_at=at, errors=errors)
    assert [mark.state for mark in _sheet().strip] == ["good", "bad", "good"]


def test_the_next_announced_pause_is_named() -> None:
    now = clock.now()
    windows = [
        {"start": now - timedelta(days=7), "end": now - timedelta(days=6)},
        {"start": now + timedelta(days=7), "end": now + timedelta(days=8)},
        {"start": now + timedelta(days=1), "end": now + timedelta(days=2)},
    ]
    pauses = [{k: v.isoformat() for k, v in w.items()} | {"reason": "upkeep"} for w in windows]
    Venue.objects.filter(slug="kalshi").update(pauses=pauses)
    pause = _sheet().pause
    assert pause["start"] == windows[2]["start"] and not pause["is_now"]


@pytest.mark.parametrize(
    ("age", "state", "alive"), [(0, "good", 1), (SILENT_S - 5, "good", 1), (SILENT_S + 5, "bad", 0)]
)
def test_a_process_that_falls_silent_is_down(age: int, state: str, alive: int) -> None:
    at = clock.now() - timedelta(seconds=age)
    ComponentHealth.objects.create(component="beat", minute=at, received_at=at)
    (line,) = process_lines(clock.now())
    assert (line.state, line.alive) == (state, alive)


def test_a_restarted_process_is_alive_under_its_new_number() -> None:
    now = clock.now()
    for number, age in ((1, 600), (2, 5), (3, 5)):
        at = now - timedelta(seconds=age)
        ComponentHealth.objects.create(component=f"worker@h:{number}", minute=at, received_at=at)
    (line,) = process_lines(now)
    assert (line.name, line.state, line.alive) == ("worker", "good", 2)


def test_the_gravest_incident_comes_first() -> None:
    for tier in ("routine", "emergency", "quiet", "important"):
        make.IncidentFactory(tier=tier)
    tiers = [incident.tier for incident in open_incidents()]
    assert tiers == ["emergency", "important", "routine", "quiet"]


@pytest.mark.parametrize("name", ["incident_resolve", "incident_acknowledge"])
def test_a_resolved_incident_stays_as_its_first_resolver_left_it(desk: Client, name: str) -> None:
    incident = make.IncidentFactory()
    first = clock.now()
    Incident.objects.update(resolved_at=first, resolved_by="someone")
    answer = desk.post(reverse(name, args=[incident.pk]), follow=True)
    incident.refresh_from_db()
    assert (incident.resolved_by, incident.resolved_at) == ("someone", first)
    assert incident.acknowledged_at is None
    assert "Someone else was faster" in answer.content.decode()


def test_an_empty_desk_has_words_for_it(desk: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("markets.vitals.budget", lambda slug: [])  # other tests spend from it
    text = desk.get(reverse("health")).content.decode()
    assert "Nothing is wrong that we know of" in text and "No process has reported" in text
    assert "No job has run yet" in text and "not in use" in text


def test_htmx_gets_the_page_without_its_frame(desk: Client) -> None:
    answer = desk.get(reverse("health"), headers={"HX-Request": "true", "HX-Target": "vitals"})
    assert "<html" not in answer.content.decode() and "venue-card" in answer.content.decode()


def test_a_viewer_sees_no_buttons(client: Client) -> None:
    from django.contrib.auth.models import Group

    user = User.objects.create_user("viewer")
    user.groups.add(Group.objects.get(name="viewer"))
    client.force_login(user)
    make.IncidentFactory()
    text = client.get(reverse("health")).content.decode()
    assert "Acknowledge" not in text and "Stop collecting" not in text


def test_what_a_venue_said_of_itself_is_words_and_not_counts() -> None:
    make.CollectionRunFactory(job="status", counts={"is_up": 1, "is_trading": 0})
    (line,) = _sheet().jobs
    assert line.says == "up, not trading"


@pytest.mark.parametrize(
    ("counts", "says"),
    [
        ({"quotes": 2, "quotes_changed": 1200}, "2 quotes, 1,200 changed quotes"),
        ({"is_up": 1, "is_trading": 1}, "up, trading"),
        ({"is_up": 1, "is_trading": 0}, "up, not trading"),
        ({"is_up": 0, "is_trading": 0}, "not up, not trading"),
        ({"quotes": 0, "quotes_changed": 0}, "nothing new"),
        ({}, "nothing new"),
        ({"some_new_count": 3}, "3 some new count"),
    ],
)
def test_a_result_is_said_in_words(counts: dict[str, int], says: str) -> None:
    make.CollectionRunFactory(counts=counts)
    assert _sheet().jobs[0].says == says


def _heard(component: str, age: int, **figures: object) -> None:
    at = clock.now() - timedelta(seconds=age)
    ComponentHealth.objects.create(component=component, minute=at, received_at=at, figures=figures)


def test_a_process_is_one_line_whoever_reports_it() -> None:
    _heard("worker-match", 40, state="up", restarts=0)
    _heard("worker-match@h:7", 5, requests=12, p95_ms=80)
    _heard("worker-match@h:6", SILENT_S + 60, requests=99, errors=3)
    (line,) = process_lines(clock.now())
    assert (line.name, line.state, line.alive) == ("worker-match", "good", 1)
    assert line.figures == {"state": "up", "restarts": 0, "requests": 12, "p95 ms": 80}
    assert 5 <= line.heard_s < 10


def test_a_process_that_its_supervisor_calls_down_is_not_alive() -> None:
    _heard("worker-match", 5, state="down")
    (line,) = process_lines(clock.now())
    assert (line.state, line.says, line.alive) == ("bad", "down", 0)


def test_the_page_speaks_without_underscores(desk: Client) -> None:
    make.CollectionRunFactory(job="quotes", counts={"quotes_changed": 4, "is_up": 1})
    _heard("worker-match", 5, state="up", p95_ms=80)
    make.IncidentFactory(kind="unknown_field")
    text = desk.get(reverse("health"), headers={"HX-Request": "true", "HX-Target": "vitals"})
    words = re.sub(r"<[^>]*>", " ", text.content.decode())
    assert "unknown field" in words and "p95 ms 80" in words
    assert "_" not in words
