"""What all processes of one running dataset agree on, kept in a file beside its data.

`up` writes the clock and the addresses it chose; settings read them, so that a command run
beside it (`status`, `doctor`) has the same time and finds the same sandbox. A variable that is
set in the environment wins.
"""

import json
import os
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path

from arbsite import clock

CLOCK = ("CLOCK_ORIGIN", "CLOCK_START", "CLOCK_SPEED")
ADDRESSES = ("WEB_PORT", "SANDBOX_URL")
NOTE_S = 5.0  # wall seconds between two notes of app time
LAST_SEEN = "APP_TIME"  # app time when `up` last looked; not a setting

given: frozenset[str] = frozenset()  # those of the above that the user set


def path(folder: Path) -> Path:
    """The file of the dataset whose folder this is."""
    return folder / "pinned.json"


def read(folder: Path) -> dict[str, str]:
    """What was pinned, or nothing; a spoilt file counts as none."""
    try:
        found = dict(json.loads(path(folder).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return {}
    return {str(key): str(value) for key, value in found.items()}


def write(folder: Path, values: Mapping[str, str]) -> None:
    """Replace the file as a whole."""
    folder.mkdir(parents=True, exist_ok=True)
    new = path(folder).with_suffix(".new")
    new.write_text(json.dumps(dict(values), indent=1), encoding="utf-8")
    new.replace(path(folder))


def adopt(folder: Path) -> None:
    """Put what is pinned into the environment, where the user has said nothing."""
    global given
    given = frozenset(name for name in CLOCK + ADDRESSES if os.environ.get(name, "").strip())
    pinned = read(folder)
    for name in CLOCK if not given.intersection(CLOCK) else ():
        if name in pinned:
            os.environ[name] = pinned[name]
    for name in ADDRESSES:
        if name in pinned and name not in given:
            os.environ[name] = pinned[name]


def clock_of(previous: Mapping[str, str], speed: float, wall: datetime) -> dict[str, str]:
    """The clock of a dataset that starts now: a new one, or the previous one going on.

    The origin stays, because the simulated world is a function of it. At speed 1 app time is
    the wall's and passes while nothing runs; a faster world stops when it is not looked at, or
    a night would cost it weeks. It goes on a little later than it was last seen, so that a
    killed one never goes back in time.
    """
    if not set(CLOCK) <= set(previous):
        start = origin = wall
    else:
        origin = datetime.fromisoformat(previous["CLOCK_ORIGIN"])
        start = datetime.fromisoformat(previous["CLOCK_START"])
        if speed != 1 or float(previous["CLOCK_SPEED"]) != speed:
            seen = datetime.fromisoformat(previous.get(LAST_SEEN, previous["CLOCK_ORIGIN"]))
            seen += timedelta(seconds=NOTE_S * float(previous["CLOCK_SPEED"]))
            start = wall - timedelta(seconds=(seen - origin).total_seconds() / speed)
    values = (origin.isoformat(), start.isoformat(), f"{speed:g}")
    return dict(zip(CLOCK, values, strict=True))


def note_app_time(folder: Path) -> None:
    """Remember how far app time has come, for the next start."""
    write(folder, read(folder) | {LAST_SEEN: clock.now().isoformat()})


def unset() -> None:
    """Take what was adopted out of the environment again, its file being gone."""
    for name in CLOCK + ADDRESSES:
        if name not in given:
            os.environ.pop(name, None)
    clock.restart()
