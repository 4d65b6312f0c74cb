"""What the supervisor tells the database and the dead man's switch."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from arbsite.supervisor import reports, run
from arbsite.supervisor.child import State
from markets.models import ComponentHealth, Incident
from tests.arbsite.supervisor.conftest import Start, sleeper, step_until


@pytest.fixture
def switch() -> Iterator[tuple[str, list[str]]]:
    """A dead man's switch: its address, and the paths it was asked for."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(500 if "broken" in self.path else 200)
            self.end_headers()

        def log_message(self, *args: object) -> None:
            return

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()
    thread.join()
    server.server_close()


def test_deadman_is_pinged_while_all_is_well(
    supervise: Start, switch: tuple[str, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "MINUTE_S", 0.2)
    address, asked = switch
    supervisor = supervise(sleeper("web"), deadman=f"{address}/secret")
    assert step_until(supervisor, lambda: len(asked) >= 2)
    assert set(asked) == {"/secret"}


def test_deadman_is_not_pinged_while_a_child_is_down(
    supervise: Start, switch: tuple[str, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    address, asked = switch
    supervisor = supervise(
        sleeper("web"), sleeper("bad", "raise SystemExit(1)"), budget=0, deadman=address
    )
    monkeypatch.setattr(supervisor, "is_well", lambda: False)  # while it has not ended yet
    assert step_until(supervisor, lambda: supervisor.children[1].state is State.DOWN)
    monkeypatch.undo()
    monkeypatch.setattr(run, "MINUTE_S", 0.05)
    supervisor._next_minute = 0
    step_until(supervisor, lambda: False, seconds=0.5)
    assert not supervisor.is_well()
    assert not asked


@pytest.mark.parametrize("path", ["/broken", ""])
def test_failing_deadman_is_only_logged_and_its_address_kept_secret(
    switch: tuple[str, list[str]], path: str, caplog: pytest.LogCaptureFixture
) -> None:
    address = f"{switch[0]}{path}" if path else "http://127.0.0.1:9"
    reports.ping_deadman(address)
    assert "DEADMAN_URL was not reached" in caplog.text
    assert address not in caplog.text


@pytest.mark.django_db
def test_process_that_stays_down_is_a_critical_incident_until_the_next_start() -> None:
    reports.alarm("worker-ingest", "worker-ingest stays down")
    reports.alarm("worker-ingest", "worker-ingest stays down")
    incident = Incident.objects.get()
    assert (incident.tier, incident.count, incident.resolved_at) == ("critical", 2, None)
    reports.all_clear("worker-trade")
    assert Incident.objects.get().resolved_at is None
    reports.all_clear("worker-ingest")
    assert Incident.objects.get().resolved_at is not None


@pytest.mark.django_db
def test_rows_say_how_each_process_is() -> None:
    figures: dict[str, dict[str, object]] = {
        "web": {"state": "up", "pid": 1, "restarts": 0},
        "worker-ingest": {"state": "down", "pid": 0, "restarts": 3},
        "beat": {"state": "up", "pid": 2, "restarts": 0},
    }
    reports.write_rows(figures)
    rows = {row.component: row.figures for row in ComponentHealth.objects.all()}
    assert rows == {name: figures[name] for name in ("web", "worker-ingest")}


@pytest.mark.django_db
def test_beat_that_is_not_up_is_reported_by_the_supervisor() -> None:
    reports.write_rows({"beat": {"state": "down", "pid": 0, "restarts": 3}})
    assert ComponentHealth.objects.get().figures["state"] == "down"
