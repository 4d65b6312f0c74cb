"""What is so: pairs, near-pairs and planted episodes, for tests to compare with."""

from __future__ import annotations

from typing import Any

from sandbox.clock import iso
from sandbox.state import Sandbox


def truth(box: Sandbox, now: float) -> dict[str, Any]:
    return {"now": iso(now, 3), "seed": box.world.seed, "events": [], "pairs": [],
            "near_pairs": [], "episodes": []}
