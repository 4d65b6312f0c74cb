"""What a question is before any venue words it: outcomes, strikes, times, and its draw."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple, TypeVar
from zoneinfo import ZoneInfo

EASTERN = ZoneInfo("America/New_York")
INF = float("inf")
T = TypeVar("T")

BINARY, NUMERIC, EXCLUSIVE = 0, 1, 2


class Draw:
    """A small deterministic generator (splitmix64), the same on every Python."""

    __slots__ = ("state",)

    def __init__(self, seed: int) -> None:
        self.state = seed & 0xFFFFFFFFFFFFFFFF

    def word(self) -> int:
        self.state = z = (self.state + 0x9E3779B97F4A7C15) & 0xFFFFFFFFFFFFFFFF
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & 0xFFFFFFFFFFFFFFFF
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & 0xFFFFFFFFFFFFFFFF
        return z ^ (z >> 31)

    def unit(self) -> float:
        return (self.word() >> 11) / (1 << 53)

    def between(self, low: float, high: float) -> float:
        return low + (high - low) * self.unit()

    def whole(self, low: int, high: int) -> int:
        """A whole number in [low, high]."""
        return low + self.word() % (high - low + 1)

    def pick(self, items: Any) -> Any:
        return items[self.word() % len(items)]

    def sample(self, items: Any, n: int) -> list[Any]:
        pool = list(items)
        return [pool.pop(self.word() % len(pool)) for _ in range(min(n, len(pool)))]


class Day(date):
    """A date that knows how the venues write it: `{by.long}`, `{by.code}`, `{by.eve}`."""

    @property
    def long(self) -> str:
        return f"{self:%B} {self.day}, {self.year}"

    @property
    def short(self) -> str:
        return f"{self:%b} {self.day}, {self.year}"

    @property
    def words(self) -> str:
        return f"{self:%B} {self.day}"

    @property
    def code(self) -> str:
        return f"{self:%y%b%d}".upper()

    @property
    def month_year(self) -> str:
        return f"{self:%B %Y}"

    @property
    def month_code(self) -> str:
        return f"{self:%y%b}".upper()

    @property
    def eve(self) -> Day:
        return Day.of(self - timedelta(days=1))

    @property
    def numeric(self) -> str:
        return f"{self:%m/%d/%Y}"

    @staticmethod
    def of(d: date) -> Day:
        return Day(d.year, d.month, d.day)

    def at(self, hour: int, minute: int = 0) -> float:
        """Unix seconds of this Eastern wall time."""
        return datetime(self.year, self.month, self.day, hour, minute, tzinfo=EASTERN).timestamp()


def day_of(ts: float, days: int = 0) -> Day:
    return Day.of(datetime.fromtimestamp(ts, UTC).date() + timedelta(days=days))


class Outcome(NamedTuple):
    """One answer. `lo`/`hi` are the strikes as shown, `z_lo`/`z_hi` in the path's own units."""

    name: str
    code: str
    lo: float | None = None
    hi: float | None = None
    z_lo: float = -INF
    z_hi: float = INF
    short: str = ""


@dataclass(slots=True)
class Spec:
    """A question with its parameters. `p` feeds the format strings of its template."""

    template: Any
    p: dict[str, Any]
    outcomes: list[Outcome]
    open: float
    close: float
    base: float = 0.0
    vol: float = 1.0
    key: int = 0
    exhaustive: bool = True
    scores: list[float] = field(default_factory=list)
    shift: float = 0.0

    def words(self, outcome: Outcome) -> dict[str, Any]:
        return {**self.p, "o": outcome}
