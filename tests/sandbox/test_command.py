"""The two ways to start a sandbox, its clock, and how it stops."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from sandbox.clock import Clock, iso, parse_time
from sandbox.state import Config, Sandbox

ROOT = Path(__file__).resolve().parents[2]


def start(*words: str, **env: str) -> tuple[subprocess.Popen[str], str]:
    """A sandbox process and its address."""
    process = subprocess.Popen([sys.executable, *words, "--port", "0", "--markets", "30"],
                               cwd=ROOT, env={**os.environ, **env}, text=True,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert process.stdout is not None
    line = process.stdout.readline()
    found = re.fullmatch(r"sandbox at (http://127\.0\.0\.1:\d+)\n", line)
    assert found, line + process.stdout.read()
    return process, found[1]


@pytest.mark.parametrize("words", [("-m", "sandbox"), ("manage.py", "sandbox")])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_says_where_it_listens_and_stops_cleanly(words: tuple[str, ...],
                                                    number: signal.Signals) -> None:
    process, url = start(*words)
    try:
        assert httpx.get(f"{url}/kalshi/trade-api/v2/exchange/status").status_code == 200
        process.send_signal(number)
        output, _ = process.communicate(timeout=20)
        assert "Traceback" not in output
        assert process.returncode == 0
    finally:
        process.kill()


def test_the_clock_follows_its_three_variables() -> None:
    begun = datetime.fromtimestamp(time.time() - 10, UTC).isoformat()
    process, url = start("-m", "sandbox", CLOCK_ORIGIN="2026-11-20T15:00:00Z", CLOCK_START=begun,
                         CLOCK_SPEED="60")
    try:
        now = parse_time(httpx.get(f"{url}/sandbox").json()["now"])
        assert 590 < now - parse_time("2026-11-20T15:00:00Z") < 590 + 60 * 20
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize(("name", "value"), [
    ("CLOCK_ORIGIN", "yesterday"), ("SANDBOX_MARKETS", "many"), ("FAULTS", "kalshi:mystery=1"),
    ("CLOCK_SPEED", "0")])
def test_a_wrong_setting_is_one_line_and_exit_2(name: str, value: str) -> None:
    done = subprocess.run([sys.executable, "-m", "sandbox", "--port", "0"], cwd=ROOT, text=True,
                          env={**os.environ, name: value}, capture_output=True, timeout=60)
    assert done.returncode == 2 and len(done.stderr.strip().splitlines()) == 1


def test_help_has_an_example() -> None:
    done = subprocess.run([sys.executable, "-m", "sandbox", "--help"], cwd=ROOT, text=True,
                          capture_output=True, timeout=60)
    assert done.returncode == 0 and "example: " in done.stdout


def test_settings_come_from_the_environment_and_options_win() -> None:
    env = {"SANDBOX_SEED": "9", "SANDBOX_MARKETS": "50", "CLOCK_SPEED": "60"}
    config = Config.from_env(env, markets=70, seed=None)
    assert (config.seed, config.markets, config.speed) == (9, 70, 60.0)


def test_a_start_without_an_origin_is_the_origin() -> None:
    begun = time.time() - 100
    box = Sandbox.build(Config(start=begun, speed=60, markets=20))
    assert box.clock.now() == pytest.approx(begun + 6000, abs=60)
    assert box.world.origin == begun // 86_400 * 86_400


def test_times_are_written_to_the_digit_and_read_back() -> None:
    assert iso(1_795_132_800.123456, 6) == "2026-11-20T00:00:00.123456Z"
    assert iso(1_795_132_800.9, 3) == "2026-11-20T00:00:00.900Z"
    assert parse_time("2026-11-20T00:00:00") == parse_time("2026-11-20T01:00:00+01:00")
    assert Clock(100.0, time.time() - 5, 10).now() == pytest.approx(150, abs=1)
