"""Ports: what is set must be free, what is not set finds its way."""

import socket
from collections.abc import Iterator

import pytest
from pytest_django.fixtures import Settings

from arbsite import pinned
from arbsite.servers.errors import ServerError
from arbsite.supervisor import plan


@pytest.fixture
def taken() -> Iterator[int]:
    """A port somebody else listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


@pytest.mark.parametrize("setting", ["WEB_PORT", "SANDBOX_URL"])
def test_set_port_that_is_taken_is_refused_by_name(
    taken: int, setting: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.DEMO = True
    settings.WEB_PORT = taken if setting == "WEB_PORT" else _free()
    settings.SANDBOX_URL = f"http://127.0.0.1:{taken}"
    monkeypatch.setattr(pinned, "given", frozenset({setting}))
    with pytest.raises(ServerError, match=rf"port {taken} is in use; set {setting}"):
        plan.addresses()


def test_unset_ports_move_on_to_free_ones_that_differ(
    taken: int, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.DEMO = True
    settings.WEB_PORT, settings.SANDBOX_URL = taken, f"http://127.0.0.1:{taken}"
    monkeypatch.setattr(pinned, "given", frozenset())
    chosen = plan.addresses()
    web, sandbox = int(chosen["WEB_PORT"]), int(chosen["SANDBOX_URL"].rpartition(":")[2])
    assert taken < web < taken + plan.PORTS_TRIED
    assert taken < sandbox < taken + plan.PORTS_TRIED
    assert web != sandbox


def test_real_venues_need_no_sandbox(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.DEMO, settings.WEB_PORT = False, _free()
    monkeypatch.setattr(pinned, "given", frozenset())
    chosen = plan.addresses()
    assert set(chosen) == {"WEB_PORT"}
    assert "sandbox" not in [spec.name for spec in plan.specs(chosen)]


def test_sandbox_elsewhere_is_not_started(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.DEMO, settings.WEB_PORT = True, _free()
    settings.SANDBOX_URL = "http://sandbox.example.org:8601"
    monkeypatch.setattr(pinned, "given", frozenset({"SANDBOX_URL"}))
    assert set(plan.addresses()) == {"WEB_PORT"}


def test_every_queue_has_a_worker_and_trading_one_of_its_own() -> None:
    from arbsite.celery import QUEUES

    served = [queue for queues, _ in plan.WORKERS.values() for queue in queues.split(",")]
    assert sorted(served) == sorted(QUEUES)
    assert "ingest" not in plan.WORKERS["trade"][0]


def test_beat_ends_before_workers_before_pages_before_venues() -> None:
    chosen = {"WEB_PORT": "8600", "SANDBOX_URL": "http://127.0.0.1:8601"}
    names = [spec.name for spec in sorted(plan.specs(chosen), key=lambda spec: spec.stage)]
    assert names == ["beat", "worker-trade", "worker-ingest", "worker-match", "web", "sandbox"]


def test_greeting_names_address_login_and_password(settings: Settings) -> None:
    settings.DATASET, settings.DEMO = "demo", True
    said = plan.greeting("http://127.0.0.1:8600", "open-sesame")
    assert "http://127.0.0.1:8600" in said
    assert "login demo, password open-sesame" in said


def _free() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
