"""Kalshi's exchange and account facts (venue sheet §4.1, §5.3, §6)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from starlette.requests import Request

from sandbox.clock import iso
from sandbox.layout import eastern
from sandbox.paths import DAY
from sandbox.spec import Day, day_of
from sandbox.state import Sandbox
from sandbox.wire import now_of

READ_RATE, READ_CAPACITY, COST = 200.0, 400.0, 10.0
HISTORY = 92 * DAY  # what settled before this is only in /historical


def maintenance_end(now: float) -> float | None:
    """When the weekly pause (Thursday 03:00-05:00 Eastern) ends, or None outside it."""
    local = eastern(now)
    day = Day.of(local.date())
    return day.at(5) if local.weekday() == 3 and day.at(3) <= now < day.at(5) else None


class Exchange:
    def __init__(self, box: Sandbox) -> None:
        self.box = box

    def status(self, request: Request) -> Any:
        resume = maintenance_end(now_of(request))
        part = {"exchange_active": True, "trading_active": resume is None,
                "intra_exchange_transfers_active": True}
        index = [{"exchange_index": i, "description": d, **part}
                 for i, d in enumerate(("Default", "Combos", "Crypto and Commodities", "Sports"))]
        return {**part, "exchange_estimated_resume_time": resume and iso(resume),
                "exchange_index_statuses": index}

    def schedule(self, request: Request) -> Any:
        now = now_of(request)
        always = [{"open_time": "00:00", "close_time": "00:00"}]
        hours: dict[str, Any] = {d: always for d in
                                 ("monday", "tuesday", "wednesday", "friday", "saturday", "sunday")}
        hours["thursday"] = [{"open_time": "00:00", "close_time": "03:00"},
                             {"open_time": "05:00", "close_time": "00:00"}]
        day = day_of(now)
        thursday = day_of(now, (3 - day.weekday()) % 7)
        return {"schedule": {
            "standard_hours": [{"start_time": "2026-08-01T04:00:00Z",
                                "end_time": "2027-08-01T04:00:00Z", **hours}],
            "maintenance_windows": [{"start_datetime": iso(thursday.at(3)),
                                     "end_datetime": iso(thursday.at(5))}]}}

    def user_data_timestamp(self, request: Request) -> Any:
        return {"as_of_time": iso(now_of(request) - 1)}

    def cutoff(self, request: Request) -> Any:
        today = now_of(request) // DAY * DAY
        old = iso(today - HISTORY)
        return {"market_settled_ts": old, "trades_created_ts": old,
                "orders_updated_ts": iso(today - 14 * DAY),
                "market_positions_last_updated_ts": old}

    def limits(self, request: Request) -> Any:
        scale = self.box.config.limit_scale
        return {"usage_tier": "basic",
                "read": {"refill_rate": int(READ_RATE * scale),
                         "bucket_capacity": int(READ_CAPACITY * scale)},
                "write": {"refill_rate": int(100 * scale), "bucket_capacity": int(100 * scale)},
                "grants": []}

    def costs(self, request: Request) -> Any:
        return {"default_cost": int(COST), "endpoint_costs": [
            {"method": "DELETE", "path": "/trade-api/v2/portfolio/events/orders/{order_id}",
             "cost": 2}]}

    def balance(self, request: Request) -> Any:
        return {"balance": 0, "balance_dollars": "0.0000", "portfolio_value": 0,
                "updated_ts": int(now_of(request)),
                "balance_breakdown": [{"exchange_index": 0, "balance": "0.0000"}]}

    def empty(self, *names: str) -> Callable[[Request], Any]:
        return lambda request: {**{n: [] for n in names}, "cursor": ""}

