"""What one running sandbox holds, and its configuration."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from sandbox.books import Books
from sandbox.clock import Clock, parse_time
from sandbox.faults import Faults
from sandbox.kalshi_shapes import KalshiShapes
from sandbox.world import World


class HasNow(Protocol):
    def now(self) -> float: ...


@dataclass(frozen=True)
class Config:
    """`origin` and `start` are unix seconds; `faults` as in the FAULTS variable.

    The world is laid out from the day of `origin` (else of `start`, else of now), so a process
    that must find the same world after a restart is given one of them.
    """

    seed: int = 7
    markets: int = 1200
    origin: float | None = None
    start: float | None = None
    speed: float = 1.0
    faults: str = ""
    limits: bool = True
    limit_scale: float = 1.0
    clock: HasNow | None = None

    @staticmethod
    def from_env(env: Mapping[str, str] | None = None, **given: Any) -> Config:
        """Settings from SANDBOX_SEED, SANDBOX_MARKETS, CLOCK_*, FAULTS; `given` wins.

        ValueError names the variable that cannot be read.
        """
        env = os.environ if env is None else env
        readers: dict[str, tuple[str, Any]] = {
            "seed": ("SANDBOX_SEED", int), "markets": ("SANDBOX_MARKETS", int),
            "origin": ("CLOCK_ORIGIN", parse_time), "start": ("CLOCK_START", parse_time),
            "speed": ("CLOCK_SPEED", float), "faults": ("FAULTS", str)}
        values: dict[str, Any] = {}
        for name, (variable, read) in readers.items():
            text = env.get(variable, "").strip()
            if text:
                try:
                    values[name] = read(text)
                except ValueError as e:
                    raise ValueError(f"{variable}={text!r} cannot be read: {e}") from e
        values.update({k: v for k, v in given.items() if v is not None})
        config = Config(**values)
        if config.markets < 1 or config.speed <= 0:
            raise ValueError("SANDBOX_MARKETS must be at least 1 and CLOCK_SPEED above 0")
        return config

    def make_clock(self) -> HasNow:
        if self.clock is not None:
            return self.clock
        start = self.start if self.start is not None else time.time()
        return Clock(self.origin if self.origin is not None else start, start, self.speed)


@dataclass
class Sandbox:
    """Everything behind the HTTP surface."""

    config: Config
    clock: HasNow
    world: World
    books: Books
    kalshi: KalshiShapes
    faults: Faults
    buckets: dict[Any, Any] = field(default_factory=dict)
    keys: dict[tuple[str, str], Any] = field(default_factory=dict)
    poly: Any = None
    predictit: Any = None

    @staticmethod
    def build(config: Config) -> Sandbox:
        clock = config.make_clock()
        held = config.origin if config.origin is not None else config.start
        world = World(config.seed, held if held is not None else clock.now(), config.markets)
        books = Books(world)
        box = Sandbox(config, clock, world, books, KalshiShapes(world, books),
                      Faults(config.seed, config.faults))
        box.advance(clock.now())
        return box

    def advance(self, now: float) -> None:
        """Lay out the days up to `now` and index what is new."""
        self.world.extend(now)
        self.kalshi.index.update()
        if self.poly is not None:
            self.poly.index.update()
        if self.predictit is not None:
            self.predictit.update()
