"""The Data API, v2 only: v1 was retired (venue sheet §8)."""

from __future__ import annotations

from typing import Any

import numpy as np
from starlette.requests import Request

from sandbox.books import FINAL, ONE
from sandbox.kalshi_history import Trade, newest_trades, priced
from sandbox.kalshi_shapes import context, outcome_of
from sandbox.paths import DAY
from sandbox.poly_clob import middle, sampled
from sandbox.poly_shapes import EVENT_ID, MARKET_ID, PolyShapes, digest, wording
from sandbox.state import Sandbox
from sandbox.wire import Refused, cursor_of, now_of, read_cursor

INTERVALS = {"1h": 3600.0, "6h": 21_600.0, "1d": DAY, "1w": 7 * DAY, "1m": 30 * DAY,
             "max": 400 * DAY, "all": 400 * DAY}
RECENT = 2 * DAY  # the window of /v2/trades without `start`


def bad(message: str) -> Refused:
    return Refused(400, {"error": message})


class Data:
    def __init__(self, box: Sandbox, shapes: PolyShapes) -> None:
        self.box, self.shapes, self.index = box, shapes, shapes.index

    def whole(self, request: Request, name: str, default: int) -> int:
        text = request.query_params.get(name)
        if text is None or text == "":
            return default
        try:
            return int(text)
        except ValueError:
            raise bad(f"invalid {name}") from None

    def limit(self, request: Request, default: int, top: int) -> int:
        value = self.whole(request, "limit", default)
        if not 1 <= value <= top:
            raise bad(f"limit must be between 1 and {top}")
        return value

    def listed(self, request: Request, name: str, top: int) -> list[str]:
        found = [x for part in request.query_params.getlist(name) for x in part.split(",") if x]
        if len(set(found)) > top:
            raise bad(f"at most {top} values of {name}")
        return found

    def state(self, request: Request) -> dict[str, Any]:
        try:
            return read_cursor(request.query_params.get("cursor"))
        except ValueError:
            raise bad("invalid cursor") from None

    # -- trades -----------------------------------------------------------------------------

    def trades(self, request: Request) -> Any:
        now, limit = now_of(request), self.limit(request, 100, 1000)
        high = min(self.whole(request, "end", int(now)), now)
        low = max(0.0, float(self.whole(request, "start", int(now - RECENT))))
        before = float(self.state(request).get("before", high + 1e-6))
        rows = self.rows(request)
        if request.query_params.get("user"):
            rows = rows[:0]
        found = newest_trades(self.box.books, rows, low, before, limit + 1)
        made = [self.trade(x) for x in priced(self.box.books, found[:limit])]
        made = [x for x in made if self.passes(request, x)]
        more = len(found) > limit
        after = cursor_of(before=found[limit - 1][0]) if more else None
        return {"data": made, "pagination": {"limit": limit, "offset": 0, "has_more": more,
                                             "next_cursor": after}}

    def rows(self, request: Request) -> Any:
        conditions = self.listed(request, "condition_id", 20)
        events = self.listed(request, "event_id", 20)
        rows = self.index.row_array
        if conditions:
            found = [self.index.by_condition.get(c) for c in conditions]
            rows = rows[np.isin(rows, [f for f in found if f is not None])]
        if events:
            wanted = [int(e) - EVENT_ID for e in events if e.isdigit()]
            rows = rows[np.isin(self.box.world.markets.listing[rows], wanted)]
        return rows

    def passes(self, request: Request, row: dict[str, Any]) -> bool:
        q = request.query_params
        if q.get("side") and row["side"] != q["side"].upper():
            return False
        if q.get("filter_type") and q.get("filter_amount"):
            cash = q["filter_type"].upper() == "CASH"
            amount = row["size"] * (row["price"] if cash else 1)
            return bool(amount >= float(q["filter_amount"]))
        return True

    def trade(self, x: Trade) -> dict[str, Any]:
        row, yes = x.row, x.price
        key = digest("trade", self.box.world.seed, row, x.number)
        side = key[0] % 2  # half of the takers deal in the second outcome's token
        number = int(self.box.world.markets.listing[row])
        return {"proxy_wallet": "0x" + key[:20].hex(),
                "side": "BUY" if x.buys_yes != bool(side) else "SELL",
                "token_id": self.index.tokens[row][side],
                "condition_id": self.index.conditions[row],
                "size": x.size / 100, "price": (ONE - yes if side else yes) / ONE,
                "timestamp": int(x.at),
                "title": self.title(row), "slug": self.index.slugs[row],
                "event_slug": self.index.event_slugs[number], "icon": None,
                "outcome": self.shapes.outcomes(row)[side], "outcome_index": side, "name": None,
                "pseudonym": None, "transaction_hash": "0x" + key.hex()}

    def title(self, row: int) -> str:
        listing = self.shapes.listing(row)
        spec = self.box.world.specs[listing.event]
        o = outcome_of(spec, int(self.box.world.markets.outcome[row]))
        return wording(spec, listing).question.format(**context(spec, o))

    # -- prices -----------------------------------------------------------------------------

    def prices_history(self, request: Request) -> Any:
        q, now = request.query_params, now_of(request)
        found = self.index.by_token.get(q.get("token_id", ""))
        if found is None:
            raise bad("unknown token_id")
        given = [n for n in ("interval", "start", "as_of") if q.get(n)]
        if len(given) != 1:
            raise bad("exactly one of interval, start and as_of is required")
        limit = self.limit(request, 1000, 10_000)
        low, high = self.window(request, given[0], now)
        bucket = self.whole(request, "bucket_seconds", 60 if high - low <= 7 * DAY else 1800)
        if not 60 <= bucket <= 86_400:
            raise bad("bucket_seconds must be between 60 and 86400")
        row, side = found
        mk = self.box.world.markets
        high = min(high, now, float(mk.decided[row]))
        start = int(self.state(request).get("at", 0))
        times = np.array([high]) if given[0] == "as_of" else sampled(
            max(low, float(mk.open[row])), high, float(bucket))
        page = times[start:start + limit]
        mid = middle(self.box, row, page) / ONE if len(page) else page
        more = start + limit < len(times)
        return {"data": [{"timestamp": int(t), "price": round(float(1 - p if side else p), 5),
                          "resolution_seconds": bucket} for t, p in zip(page, mid, strict=True)],
                "pagination": {"limit": limit, "offset": start, "has_more": more,
                               "next_cursor": cursor_of(at=start + limit) if more else None}}

    def window(self, request: Request, given: str, now: float) -> tuple[float, float]:
        q = request.query_params
        if given == "interval":
            if q["interval"] not in INTERVALS:
                raise bad("invalid interval")
            return now - INTERVALS[q["interval"]], now
        if given == "as_of":
            at = float(self.whole(request, "as_of", 0))
            return at, at
        low, high = self.whole(request, "start", 0), self.whole(request, "end", int(now))
        if high - low > 15 * DAY:
            raise bad("the window must not exceed 15 days")
        return float(low), float(high)

    # -- reference --------------------------------------------------------------------------

    def resolutions(self, request: Request) -> Any:
        q, now = request.query_params, now_of(request)
        given = [n for n in ("question_id", "condition_id", "event_id") if q.get(n)]
        if len(given) != 1:
            raise bad("exactly one of question_id, condition_id and event_id is required")
        rows = self.rows(request).tolist() if given[0] != "question_id" else [
            r for r in self.index.rows if "0x" + digest("question", r).hex() == q["question_id"]]
        determined = self.box.world.markets.determined
        return {"data": [self.resolution(r, now) for r in rows if determined[r] <= now],
                "pagination": {"limit": 100, "offset": 0, "has_more": False,
                               "next_cursor": None}}

    def resolution(self, row: int, now: float) -> dict[str, Any]:
        mk = self.box.world.markets
        done = bool(self.box.books.status(row, now) == FINAL)
        paid = float(self.box.world.payout(row))
        key = digest("resolution", row)
        return {"question_id": "0x" + digest("question", row).hex(),
                "condition_id": self.index.conditions[row],
                "status": "resolved" if done else "disputed" if mk.disputed[row] else "proposed",
                "extended_review": False, "expected_settlement_time": int(mk.settled[row]),
                "settlement_time_basis": "liveness", "was_disputed": bool(mk.disputed[row]),
                "new_version_q": False, "proposed_price": paid,
                "reproposed_price": paid if mk.disputed[row] else None,
                "price": paid if done else None, "transaction_hash": "0x" + key.hex(),
                "log_index": key[0], "last_update_timestamp": int(
                    mk.settled[row] if done else mk.determined[row]),
                "market_type": "neg_risk" if self.shapes.neg_risk(row) else "binary",
                "payouts": [paid, 1 - paid] if done else None, "resolution_source": "UMA",
                "reporter": "0x" + key[:20].hex(), "was_arbitrated": False,
                "resolved_block": 78_000_000 + key[1] if done else None,
                "resolved_at": int(mk.settled[row]) if done else None}

    def tokens(self, request: Request) -> Any:
        now = now_of(request)
        pairs = [(r, s) for c in self.listed(request, "condition", 10)
                 if (r := self.index.by_condition.get(c)) is not None for s in (0, 1)]
        pairs += [self.index.by_token[t] for t in self.listed(request, "token_id", 50)
                  if t in self.index.by_token]
        return {"data": [self.token(r, s, now) for r, s in pairs],
                "pagination": {"limit": 100, "offset": 0, "has_more": False,
                               "next_cursor": None}}

    def token(self, row: int, side: int, now: float) -> dict[str, Any]:
        done = bool(self.box.books.status(row, now) == FINAL)
        paid = float(self.box.world.payout(row))
        module = "v1_ctf" if self.shapes.listing(row).protocol == "v1" else (
            "neg_risk" if self.shapes.neg_risk(row) else "binary")
        return {"token_id": self.index.tokens[row][side],
                "condition_id": self.index.conditions[row], "market_id": str(MARKET_ID + row),
                "outcome": self.shapes.outcomes(row)[side], "outcome_index": side,
                "opposite_token_id": self.index.tokens[row][1 - side], "module": module,
                "title": self.title(row), "slug": self.index.slugs[row], "resolved": done,
                "final_price": (1 - paid if side else paid) if done else None}

    def open_interest(self, request: Request) -> Any:
        now = now_of(request)
        rows = self.rows(request)[:100]
        volume = self.box.books.volume(rows, now)
        return {"data": [{"condition_id": self.index.conditions[int(r)], "value": int(v) * 0.004}
                         for r, v in zip(rows, volume, strict=True)]}

    def status(self, request: Request) -> Any:
        return {"data": {"status": "ok", "last_block_timestamp": int(now_of(request)) - 4}}
