"""One clock for all processes of a dataset, now and at its next start."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from arbsite import clock, pinned

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def _app_time(values: dict[str, str], wall: datetime) -> datetime:
    origin = datetime.fromisoformat(values["CLOCK_ORIGIN"])
    start = datetime.fromisoformat(values["CLOCK_START"])
    return origin + (wall - start) * float(values["CLOCK_SPEED"])


def test_new_world_starts_at_the_wall_clock() -> None:
    assert _app_time(pinned.clock_of({}, 60, NOON), NOON) == NOON


def test_world_at_speed_one_follows_the_wall_while_it_is_down() -> None:
    first = pinned.clock_of({}, 1, NOON)
    again = pinned.clock_of(
        first | {pinned.LAST_SEEN: (NOON + HOUR).isoformat()}, 1, NOON + 9 * HOUR
    )
    assert _app_time(again, NOON + 9 * HOUR) == NOON + 9 * HOUR


@pytest.mark.parametrize(("before", "after"), [(60, 60), (60, 1), (1, 60)])
def test_fast_world_goes_on_where_it_stopped(before: float, after: float) -> None:
    first = pinned.clock_of({}, before, NOON)
    seen = NOON + 30 * HOUR
    again = pinned.clock_of(first | {pinned.LAST_SEEN: seen.isoformat()}, after, NOON + 9 * HOUR)
    seen += timedelta(seconds=pinned.NOTE_S * before)
    assert abs(_app_time(again, NOON + 9 * HOUR) - seen) < timedelta(milliseconds=1)
    later = NOON + 9 * HOUR + timedelta(minutes=1)
    expected = seen + timedelta(minutes=after)
    assert abs(_app_time(again, later) - expected) < timedelta(milliseconds=1)
    assert again["CLOCK_ORIGIN"] == first["CLOCK_ORIGIN"]


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment that says nothing, put back afterwards."""
    for name in pinned.CLOCK + pinned.ADDRESSES:
        monkeypatch.setenv(name, "")  # so that it is put back
        monkeypatch.delenv(name)
    monkeypatch.setattr(pinned, "given", frozenset())


def test_command_beside_it_sees_the_same_clock(bare: None, tmp_path: Path) -> None:
    values = {"CLOCK_ORIGIN": NOON.isoformat(), "CLOCK_START": NOON.isoformat()}
    pinned.write(tmp_path, values | {"CLOCK_SPEED": "60", "SANDBOX_URL": "http://127.0.0.1:9"})
    pinned.adopt(tmp_path)
    assert os.environ["CLOCK_SPEED"] == "60"
    assert os.environ["SANDBOX_URL"] == "http://127.0.0.1:9"
    pinned.unset()
    assert "CLOCK_SPEED" not in os.environ
    assert clock.speed() == 1


def test_what_the_user_set_wins(
    bare: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pinned.write(tmp_path, dict.fromkeys(pinned.CLOCK, "pinned") | {"WEB_PORT": "1"})
    monkeypatch.setenv("CLOCK_SPEED", "5")
    monkeypatch.setenv("WEB_PORT", "2")
    pinned.adopt(tmp_path)
    assert (os.environ["CLOCK_SPEED"], os.environ["WEB_PORT"]) == ("5", "2")
    assert "CLOCK_ORIGIN" not in os.environ
    assert pinned.given == {"CLOCK_SPEED", "WEB_PORT"}


@pytest.mark.parametrize("text", ["", "{half", "[1]"])
def test_spoilt_file_pins_nothing(bare: None, tmp_path: Path, text: str) -> None:
    pinned.path(tmp_path).write_text(text)
    assert pinned.read(tmp_path) == {}


def test_app_time_is_noted_beside_what_is_pinned(tmp_path: Path) -> None:
    pinned.write(tmp_path, {"WEB_PORT": "8600"})
    pinned.note_app_time(tmp_path)
    kept = pinned.read(tmp_path)
    assert kept["WEB_PORT"] == "8600"
    assert abs(datetime.fromisoformat(kept[pinned.LAST_SEEN]) - clock.now()) < HOUR
