"""Random numbers by address: hashes, value noise and the latent probabilities built on them.

Everything here is a pure function of its keys, vectorised over numpy arrays, so that any price
at any time can be had without having computed the ones before it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
DAY = 86_400.0
# Periods in seconds and their sizes in logits; the slow ones make news, the fast ones make ticks.
OCTAVES = ((10 * DAY, 0.70), (2 * DAY, 0.40), (28_800.0, 0.22), (3_600.0, 0.10), (480.0, 0.05),
           (45.0, 0.02))
JUMP_SLOT = DAY
JUMP_SHARE = 0.20
JUMP_DECAY = 43_200.0


def mix(x: Array) -> Array:
    """The splitmix64 finaliser: every input bit reaches every output bit."""
    with np.errstate(over="ignore"):
        x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return np.asarray(x ^ (x >> np.uint64(31)))


def hashed(key: Any, *more: Any) -> Array:
    """A 64-bit hash of integer keys (scalars or arrays, broadcast together)."""
    h = mix(np.asarray(key).astype(np.uint64))
    with np.errstate(over="ignore"):
        for k in more:
            k = np.asarray(k).astype(np.int64).astype(np.uint64)
            h = mix(h + np.uint64(0x9E3779B97F4A7C15) * (k + np.uint64(1)))
    return h


MASK = (1 << 64) - 1


def key_of(key: int, *more: int) -> int:
    """`hashed` for plain integers, without numpy's cost per call."""
    h = _mix_int(key & MASK)
    for k in more:
        h = _mix_int((h + 0x9E3779B97F4A7C15 * ((k + 1) & MASK)) & MASK)
    return h


def _mix_int(x: int) -> int:
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & MASK
    return x ^ (x >> 31)


def unit(key: Any, *more: Any) -> Array:
    """A number in [0, 1) for these keys."""
    return (hashed(key, *more) >> np.uint64(11)) * (1.0 / (1 << 53))


def noise(key: Any, t: Any, scale: float, salt: int) -> Array:
    """Smooth value noise in [-1, 1] with one knot each `scale` seconds."""
    x = t / scale
    i = np.floor(x)
    f = x - i
    f = f * f * (3.0 - 2.0 * f)
    i = i.astype(np.int64)
    a, b = unit(key, salt, i), unit(key, salt, i + 1)
    return np.asarray((a + (b - a) * f) * 2.0 - 1.0)


def wander(key: Any, t: Any) -> Array:
    """The sum of all octaves and jumps, about one logit wide."""
    total = np.zeros(np.broadcast(key, t).shape)
    for salt, (scale, size) in enumerate(OCTAVES):
        total += size * noise(key, t, scale, salt)
    return total + jumps(key, t)


def jump_at(key: Any, slot: Any) -> tuple[Array, Array]:
    """When the jump of this slot happens and how big it is (0 when there is none)."""
    when = (slot + unit(key, 101, slot)) * JUMP_SLOT
    u = unit(key, 103, slot)
    size = (0.5 + 0.9 * unit(key, 102, slot)) * np.where(u < JUMP_SHARE / 2, 1.0, -1.0)
    return when, np.where(u < JUMP_SHARE, size, 0.0)


def jumps(key: Any, t: Any) -> Array:
    """Sudden moves that fade over half a day: the movers."""
    slot = np.floor(t / JUMP_SLOT).astype(np.int64)
    total = np.zeros(np.broadcast(key, t).shape)
    for back in range(3):
        when, size = jump_at(key, slot - back)
        age = t - when
        faded = size * np.exp(-np.maximum(age, 0.0) / JUMP_DECAY)
        total += np.where(age >= 0, faded, 0.0)
    return total


def sigmoid(x: Array) -> Array:
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(x, -40.0, 40.0))))


def ramp(t: Array, close: Array, width: Array) -> Array:
    """0 until `width` seconds before the close, then rising to 1 at it: certainty arriving."""
    return np.asarray(np.clip((t - close + width) / width, 0.0, 1.0) ** 2)
