"""The one clock: every other module asks `now()` here.

App time = CLOCK_ORIGIN + (wall - CLOCK_START) x CLOCK_SPEED. Unset, it is the wall clock.
The simulated venues read the same variables, so that a day can pass in minutes with nothing
appearing to come from the future. Network timeouts, lock lives and task expiries stay wall time.
"""

import os
import time
from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _moment(name: str) -> float | None:
    text = os.environ.get(name, "").strip()
    return datetime.fromisoformat(text).timestamp() if text else None


def _settings() -> tuple[float, float, float]:
    started = _moment("CLOCK_START") or time.time()
    origin = _moment("CLOCK_ORIGIN") or started
    return origin, started, float(os.environ.get("CLOCK_SPEED", "").strip() or 1)


# The wall clock until `restart`: settings check the variables first, and refuse them in one line.
_origin = _start = time.time()
_speed = 1.0
_fixed: datetime | None = None


def now() -> datetime:
    """App time, aware, UTC."""
    if _fixed is not None:
        return _fixed
    return _EPOCH + timedelta(seconds=_origin + (time.time() - _start) * _speed)


def speed() -> float:
    """App seconds that pass in one wall second."""
    return _speed


def wall_seconds(app_seconds: float) -> float:
    """How long an app interval lasts on the wall."""
    return app_seconds / _speed


def wall_now() -> datetime:
    """Wall time, for what must not follow the app clock: signatures, locks, expiries."""
    return _EPOCH + timedelta(seconds=time.time())


def settle(moment: datetime | None) -> None:
    """Hold the clock at `moment` (recorded data, tests); None lets it run again."""
    global _fixed
    _fixed = moment


def restart() -> None:
    """Read the clock's variables again, after the supervisor or a test has set them."""
    global _origin, _start, _speed
    _origin, _start, _speed = _settings()
