"""The shapes that machines rely on, against a real sandbox and database."""

import json
from collections.abc import Iterator
from io import StringIO

import pytest
import redis
from django.conf import settings as conf
from django.core.management import CommandError, call_command
from pytest_django.fixtures import Settings

from arbsite import doctor, status
from markets import health, incidents
from markets.venues import VENUES, get_connector
from sandbox.testing import Running, run_sandbox
from tests.factories import MarketFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def world() -> Iterator[Running]:
    with run_sandbox(markets=60) as sandbox:
        yield sandbox


@pytest.fixture
def venues(world: Running, settings: Settings) -> Iterator[Running]:
    """Every venue's connector speaks to the sandbox."""
    settings.VENUE_URLS = {slug: f"{world.url}/{slug}" for slug in VENUES}
    get_connector.cache_clear()
    yield world
    get_connector.cache_clear()


def _last_line(command: str, *words: str) -> dict[str, object]:
    out = StringIO()
    call_command(command, *words, "--json", stdout=out)
    found = json.loads(out.getvalue().strip().splitlines()[-1])
    assert isinstance(found, dict)
    return found


def test_status_has_the_promised_keys() -> None:
    MarketFactory(is_tracked=True)
    health.record("beat", None, {"state": "up"})
    incidents.report("test", "something")
    incidents.report("test", "a note", tier=incidents.Tier.QUIET, about="note")
    found = _last_line("status", "--why")
    assert found["dataset"] == conf.DATASET
    assert found["mode"] == "paper"
    assert found["processes"] == {"beat": "up"}
    assert found["incidents"] == 1
    assert isinstance(found["funnel"], dict)
    assert isinstance(found["venues"], dict)
    assert set(found["venues"]) == set(VENUES)
    for row in found["venues"].values():
        assert {"markets", "tracked", "last_run_at", "lag_s", "breaker"} <= set(row)
    assert sum(row["tracked"] for row in found["venues"].values()) == 1


def test_status_names_who_fell_silent_and_forgets_numbers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    health.record("beat", None, {"state": "up"})
    health.record("worker@host:12", None, {})
    monkeypatch.setattr("arbsite.health.FRESH_WALL_S", -1)
    assert status.processes() == {"beat": "silent"}


def test_alive_answers_by_exit_code() -> None:
    with pytest.raises(SystemExit) as ended:
        call_command("status", "--alive", "beat")
    assert ended.value.code == 1
    health.record("beat", None, {"state": "up"})
    call_command("status", "--alive", "beat", stdout=StringIO())


def test_doctor_finds_nothing_failing_at_the_sandbox(venues: Running) -> None:
    found = doctor.as_json(doctor.examine())
    assert set(found) == {"checks"}
    for check in found["checks"]:
        assert set(check) == {"name", "state", "says", "cure"}
        assert check["state"] in {"ok", "warn", "fail"}
        assert check["says"]
        assert bool(check["cure"]) == (check["state"] != "ok"), check
    names = {check["name"] for check in found["checks"]}
    assert {"postgresql", "redis", "schema", "disk", "beat"} <= names
    for venue in VENUES:
        assert {f"{venue} credentials", f"{venue} reachable", f"{venue} clock"} <= names
    failing = [check for check in found["checks"] if check["state"] == "fail"]
    assert not failing


def test_doctor_says_which_venue_cannot_be_reached(settings: Settings) -> None:
    settings.VENUE_URLS = dict.fromkeys(VENUES, "http://127.0.0.1:9")
    get_connector.cache_clear()
    with redis.Redis.from_url(conf.REDIS_URL) as memory:
        for key in memory.scan_iter(f"{conf.REDIS_PREFIX}*body:*"):
            memory.delete(key)  # what the sandbox just said, shared for a minute
    try:
        found = {check.name: check for check in doctor.examine()}
    finally:
        get_connector.cache_clear()
    for venue in VENUES:
        assert found[f"{venue} reachable"].state is doctor.State.FAIL
        assert found[f"{venue} reachable"].cure
    assert found["postgresql"].state is doctor.State.OK


def test_doctor_names_the_setting_of_a_key_that_cannot_be_read(
    venues: Running, settings: Settings
) -> None:
    settings.KALSHI_KEY_ID, settings.KALSHI_KEY_FILE = "id", "/nowhere.pem"
    found = {check.name: check for check in doctor.examine()}
    check = found["kalshi credentials"]
    assert check.state is doctor.State.FAIL
    assert "KALSHI_KEY_FILE" in check.says
    assert found["polymarket reachable"].state is not doctor.State.FAIL


def test_task_runs_an_entry_once(venues: Running) -> None:
    found = _last_line("task", "status", "kalshi")
    assert found["name"] == "status kalshi"
    assert isinstance(found["result"], dict)


def test_task_with_an_unknown_name_is_wrong_use() -> None:
    with pytest.raises(CommandError, match="no task 'nonsense'") as refusal:
        call_command("task", "nonsense")
    assert refusal.value.returncode == 2
