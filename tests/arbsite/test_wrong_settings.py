"""A wrong setting is one readable line that names the variable and what is allowed; exit 2."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from arbsite.servers.config import PROJECT


@pytest.mark.parametrize(
    ("variable", "value", "allowed"),
    [
        ("CLOCK_SPEED", "fast", "a number from 0.01 to 10000"),
        ("CLOCK_ORIGIN", "yesterday", "an ISO 8601 time with zone"),
        ("WEB_PORT", "70000", "a whole number from 1 to 65535"),
        ("SERVERS", "docker", "auto, installed, wheel"),
        ("TRADING_MODE", "real", "paper, approve, live"),
        ("KALSHI_URL", "ftp://example.org", "a URL starting with http or https"),
        ("RECORDINGS_DIR", "/nowhere", "an existing folder"),
        ("DEBUG", "maybe", "1 or 0"),
        ("RESTART_BUDGET", "-1", "a whole number from 0"),
        ("POLYMARKET_PRIVATE_KEY_FILE", "/nowhere", "a text file"),
        ("DATASET", "Not a dataset", "DATASET"),
    ],
)
def test_wrong_setting_is_one_line_and_exit_2(
    tmp_path: Path, variable: str, value: str, allowed: str
) -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=PROJECT,
        env=_bare(tmp_path) | {variable: value},
        capture_output=True,
        text=True,
    )
    said = done.stderr.strip().splitlines()
    assert done.returncode == 2, said
    assert len(said) == 1
    assert said[0].startswith(variable)
    assert allowed in said[0]


@pytest.mark.parametrize("command", ["up", "demo"])
def test_wrong_faults_are_refused_before_anything_starts(tmp_path: Path, command: str) -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", command],
        cwd=PROJECT,
        env=_bare(tmp_path) | {"DATASET": "demo", "FAULTS": "kalshi:nonsense"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 2
    assert done.stderr.startswith("FAULTS")
    assert not (tmp_path / "servers" / "postgresql.json").exists()


@pytest.mark.parametrize(("command", "dataset"), [("demo", "run"), ("up", "recorded")])
def test_dataset_that_does_not_fit_is_refused(tmp_path: Path, command: str, dataset: str) -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", command],
        cwd=PROJECT,
        env=_bare(tmp_path) | {"DATASET": dataset},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 2
    assert "allowed: demo" in done.stderr


def _bare(folder: Path) -> dict[str, str]:
    kept = ("PATH", "HOME", "LANG", "VIRTUAL_ENV")
    return {name: os.environ[name] for name in kept if name in os.environ} | {
        "DATA_DIR": str(folder)
    }


@pytest.mark.parametrize(
    ("variable", "value", "allowed"),
    [
        ("POLYMARKET_PRIVATE_KEY_FILE", "0xhush", "a text file"),
        ("SECRET_KEY_FILE", "/hush", "a text file"),
        ("DEADMAN_URL", "hc.example/hush", "a URL starting with http or https"),
        ("DEADMAN_URL", "https://[hush", "a URL starting with http or https"),
        ("DATABASE_URL", "mysql://me:hush@host/x", "postgres"),
        ("DATABASE_URL", "postgresql://me:hush@[host/x", "postgres"),
        ("DATABASE_URL", "hush", "postgres"),
        ("REDIS_URL", "http://:hush@host", "redis"),
        ("REDIS_URL", "redis://:hush@[host", "redis"),
        ("KALSHI_URL", "https://me:hush@[host", "a URL starting with http or https"),
    ],
)
def test_a_refusal_never_repeats_a_secret(
    tmp_path: Path, variable: str, value: str, allowed: str
) -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=PROJECT,
        env=_bare(tmp_path) | {variable: value},
        capture_output=True,
        text=True,
    )
    said = done.stderr.strip()
    assert done.returncode == 2, said
    assert said.startswith(variable) and allowed in said and "\n" not in said
    assert "hush" not in done.stdout + done.stderr
