"""What one process did with one venue since somebody last asked."""

import threading
from bisect import bisect_left
from collections import Counter
from typing import Any

#: Upper bounds of the latency histogram, in milliseconds; the last class is open.
BOUNDS_MS = (5, 10, 20, 35, 50, 75, 100, 150, 200, 300, 500, 750, 1000, 2000, 5000, 10000, 30000)


class Counters:
    """Requests, errors by kind, retries, 429s, bytes and a latency histogram. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._reset()

    def _reset(self) -> None:
        self._requests = self._retries = self._limited = self._bytes = 0
        self._errors: Counter[str] = Counter()
        self._histogram = [0] * (len(BOUNDS_MS) + 1)

    def answered(self, seconds: float, size: int) -> None:
        """A request came back with a body of `size` bytes."""
        with self._lock:
            self._bytes += size
            self._histogram[bisect_left(BOUNDS_MS, seconds * 1000)] += 1

    def sent(self, is_retry: bool) -> None:
        with self._lock:
            self._requests += 1
            self._retries += is_retry

    def failed(self, kind: str) -> None:
        with self._lock:
            self._errors[kind] += 1
            self._limited += kind == "limited"

    def drain(self) -> dict[str, Any]:
        """The figures so far, which then start again from zero.

        `p50_ms` and `p95_ms` are upper bounds of the histogram class they fall into.
        """
        with self._lock:
            figures = {
                "requests": self._requests,
                "retries": self._retries,
                "limited": self._limited,
                "bytes": self._bytes,
                "errors": dict(self._errors),
                "p50_ms": _percentile(self._histogram, 0.50),
                "p95_ms": _percentile(self._histogram, 0.95),
                "histogram_ms": {
                    str(bound): n
                    for bound, n in zip((*BOUNDS_MS, "more"), self._histogram, strict=True)
                    if n
                },
            }
            self._reset()
            return figures


def _percentile(histogram: list[int], share: float) -> int | None:
    wanted = sum(histogram) * share
    seen = 0
    for bound, count in zip((*BOUNDS_MS, BOUNDS_MS[-1]), histogram, strict=True):
        seen += count
        if count and seen >= wanted:
            return bound
    return None
