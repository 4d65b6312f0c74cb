"""What stands around the code says the same as the code."""

import ast
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.core.management import get_commands

from arbsite.servers.config import PROJECT

READERS = {"text", "secret", "choice", "flag", "integer", "decimal", "moment", "url", "folder"}
COMPOSE = yaml.safe_load((PROJECT / "docker-compose.yml").read_text())["services"]
# Promised by our interfaces and read by parts that are still to come.
TO_COME = set(
    """BANKROLL MIN_SPREAD MIN_APY SLIPPAGE_LIMIT POOL_SLIPPAGE_LIMIT MAX_CAPITAL_PER_TRADE
    MARKET_LIMIT VENUE_LIMIT PORTFOLIO_LIMIT RATCHET_STOP DAILY_LOSS_LIMIT ALERT_THRESHOLD_PP
    MIN_VOLUME_24H MAX_SPREAD_PP ACCEPT_AT REVIEW_AT LLM_MODE ANTHROPIC_API_KEY
    ANTHROPIC_MODEL""".split()
)


def read_by_settings() -> dict[str, str]:
    """Every variable that settings.py reads, and its default as text where it is a constant."""
    found: dict[str, str] = {}
    tree = ast.parse((PROJECT / "arbsite" / "settings.py").read_text())
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        if ast.unparse(node.func.value) != "_env" or node.func.attr not in READERS:
            continue
        if isinstance(node.args[0], ast.JoinedStr):
            found |= dict.fromkeys(("KALSHI_URL", "POLYMARKET_URL", "PREDICTIT_URL"), "")
            continue
        constants = [one.value for one in node.args[1:] if isinstance(one, ast.Constant)]
        defaults = constants[-1:] if node.func.attr == "choice" else constants[:1]
        found[str(ast.literal_eval(node.args[0]))] = str(defaults[0]) if defaults else ""
    return found


def example() -> dict[str, str]:
    lines = (PROJECT / ".env.example").read_text().splitlines()
    pairs = [line[1:].split("=", 1) for line in lines if re.match(r"#[A-Z0-9_]+=", line)]
    names = [name for name, _ in pairs]
    assert len(names) == len(set(names))
    return {name: value for name, value in pairs}


def test_example_names_every_setting_and_no_other() -> None:
    assert set(example()) == set(read_by_settings()) | TO_COME


def test_example_shows_the_defaults() -> None:
    shown = example()
    for name, default in read_by_settings().items():
        if default and name != "DATA_DIR":
            assert shown[name] == default, name


def test_example_as_it_is_sets_nothing() -> None:
    lines = (PROJECT / ".env.example").read_text().splitlines()
    assert all(line.startswith("#") or not line.strip() for line in lines)


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_requirements_are_pinned_and_name_no_index(name: str) -> None:
    lines = (PROJECT / name).read_text().splitlines()
    assert len(lines) > 40
    for line in lines:
        assert re.match(r"[a-z0-9._-]+(\[[a-z0-9,_-]+\])?==\S+( ; .+)?$", line), line


def test_pinned_for_running_is_pinned_the_same_for_testing() -> None:
    running = set((PROJECT / "requirements.txt").read_text().splitlines())
    assert running <= set((PROJECT / "requirements-dev.txt").read_text().splitlines())


def test_compose_runs_the_processes_of_the_design() -> None:
    assert set(COMPOSE) == {
        "postgres", "redis", "migrate", "web", "worker-trade", "worker-ingest", "worker-match",
        "beat",
    }  # fmt: skip


@pytest.mark.parametrize("service", sorted(COMPOSE))
def test_compose_commands_exist(service: str) -> None:
    """Each Python module, manage.py command and Celery option of the file is really there."""
    for words in _commands(COMPOSE[service]):
        for before, word in zip(words, words[1:], strict=False):
            if before == "-m":
                assert _has_module(word), word
            if before.endswith("manage.py"):
                assert word in get_commands(), word
        if "worker" in words:
            queues = next(word for word in words if word.startswith("--queues="))
            assert queues.removeprefix("--queues=").split(",")


def test_compose_workers_serve_every_queue_once() -> None:
    from arbsite.celery import QUEUES

    served = [
        queue
        for service in COMPOSE.values()
        for word in service.get("command", [])
        if word.startswith("--queues=")
        for queue in word.removeprefix("--queues=").split(",")
    ]
    assert sorted(served) == sorted(QUEUES)


@pytest.mark.parametrize("service", sorted(set(COMPOSE) - {"migrate"}))
def test_compose_services_have_a_health_check(service: str) -> None:
    assert COMPOSE[service]["healthcheck"]["test"]


def test_image_does_not_run_as_root() -> None:
    lines = (PROJECT / "Dockerfile").read_text().splitlines()
    users = [line.split()[1] for line in lines if line.startswith("USER ")]
    assert users
    assert users[-1] != "root"


def _commands(service: dict[str, Any]) -> list[list[str]]:
    tests = service.get("healthcheck", {}).get("test", [])
    return [list(service.get("command", [])), *(text.split() for text in tests[1:])]


def _has_module(name: str) -> bool:
    import importlib.util

    return importlib.util.find_spec(name) is not None


@pytest.mark.parametrize("target", "setup demo run web test check bench clean".split())
def test_make_has_the_target(target: str) -> None:
    done = subprocess.run(
        ["make", "--dry-run", target], cwd=PROJECT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def test_make_without_a_target_says_what_there_is() -> None:
    done = subprocess.run(["make"], cwd=PROJECT, capture_output=True, text=True)
    assert "make demo" in done.stdout
    assert "make test" in done.stdout


def test_old_python_is_refused_in_one_line(tmp_path: Path) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "python3").write_text(
        '#!/bin/sh\n[ "$1" = --version ] || exit 1\necho Python 3.9.2\n'
    )
    (programs / "python3").chmod(0o755)
    for name in ("sh", "cksum", "cut", "rm", "touch"):
        found = shutil.which(name)
        assert found
        (programs / name).symlink_to(found)
    done = subprocess.run(
        ["sh", ".ci/venv", str(tmp_path / "venv"), str(tmp_path / "stamp"), "requirements.txt"],
        cwd=PROJECT,
        env={"PATH": str(programs)},
        capture_output=True,
        text=True,
    )
    assert done.returncode != 0
    assert done.stderr.strip().splitlines() == [
        "arbsite needs Python 3.11 or newer; found: Python 3.9.2. "
        "Set PYTHON=/path/to/python3.11 or newer."
    ]
    assert not (tmp_path / "venv").exists()


def test_gate_is_executable_and_runs_the_tests() -> None:
    gate = PROJECT / ".ci" / "run"
    assert gate.stat().st_mode & 0o111
    assert "make test" in gate.read_text()
