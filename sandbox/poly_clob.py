"""The CLOB's public reads and its checked private ones (venue sheet §3, §4.5)."""

from __future__ import annotations

import json
import time
from typing import Any

import numpy as np
from starlette.requests import Request

from sandbox import poly_auth
from sandbox.books import ONE, plain
from sandbox.paths import DAY, Array
from sandbox.poly_shapes import PolyShapes, digest
from sandbox.state import Sandbox
from sandbox.wire import Refused, now_of

MAX_BOOKS = 500
SPANS = {"1h": 3600.0, "6h": 21_600.0, "1d": DAY, "1w": 7 * DAY, "1m": 30 * DAY, "max": 1e12,
         "all": 1e12}
FIDELITY = {"1h": 1, "6h": 1, "1d": 5, "1w": 30, "1m": 180, "max": 720, "all": 720}
MAX_POINTS = 20_000


def bad(message: str) -> Refused:
    return Refused(400, {"error": message})


def unauthorized(message: str = "Unauthorized/Invalid api key") -> Refused:
    return Refused(401, {"error": message})


class Clob:
    def __init__(self, box: Sandbox, shapes: PolyShapes) -> None:
        self.box, self.shapes, self.index = box, shapes, shapes.index
        self.accounts: dict[str, dict[str, Any]] = {}

    # -- finding ----------------------------------------------------------------------------

    def token(self, text: str | None, now: float) -> tuple[int, int]:
        """(row, side) of a token that has a book now."""
        if not text or not text.isdigit():
            raise bad("Invalid token id")
        found = self.index.by_token.get(text)
        if found is None or not self.shapes.has_book(found[0], now):
            raise Refused(404, {"error": "No orderbook exists for the requested token id"})
        return found

    def asked(self, request: Request, name: str = "token_id") -> tuple[int, int]:
        return self.token(request.query_params.get(name), now_of(request))

    async def listed(self, request: Request, top: int = MAX_BOOKS) -> list[dict[str, Any]]:
        """The JSON list of a POST, at most `top` long."""
        try:
            items = json.loads(await request.body())
        except ValueError:
            raise bad("Invalid payload") from None
        if not isinstance(items, list) or not all(isinstance(x, dict) for x in items):
            raise bad("Invalid payload")
        if len(items) > top:
            raise bad("Payload exceeds the limit")
        return items

    def known(self, items: list[dict[str, Any]], now: float) -> list[tuple[str, int, int]]:
        """(token, row, side) of those with a book; the others are silently missing."""
        out = []
        for t in dict.fromkeys(str(x.get("token_id", "")) for x in items):
            found = self.index.by_token.get(t)
            if found and self.shapes.has_book(found[0], now):
                out.append((t, *found))
        return out

    def tops(self, wanted: list[tuple[str, int, int]], now: float) -> dict[str, tuple[int, int]]:
        """Best bid and ask (1/10,000; 0 and ONE when empty) by token."""
        if not wanted:
            return {}
        q = self.box.books.quotes(np.array([w[1] for w in wanted]), now)
        out = {}
        for (t, _, side), b, a in zip(wanted, q.bid.tolist(), q.ask.tolist(), strict=True):
            out[t] = (ONE - a, ONE - b) if side else (b, a)
        return out

    def top(self, request: Request) -> tuple[int, int]:
        row, side = self.asked(request)
        return self.tops([("x", row, side)], now_of(request))["x"]

    # -- books and prices -------------------------------------------------------------------

    def book(self, request: Request) -> Any:
        return self.shapes.clob_books([self.asked(request)], now_of(request))[0]

    async def books(self, request: Request) -> Any:
        now = now_of(request)
        wanted = self.known(await self.listed(request), now)
        wanted.sort(key=lambda w: digest("order", w[0]))  # the real answer keeps no order
        return self.shapes.clob_books([(r, s) for _, r, s in wanted], now)

    def price(self, request: Request) -> Any:
        side = request.query_params.get("side", "").upper()
        if side not in ("BUY", "SELL"):
            raise bad("Invalid side")
        bid, ask = self.top(request)
        return {"price": plain(bid if side == "BUY" else ask)}

    def get_prices(self, request: Request) -> Any:
        q = request.query_params
        tokens, sides = q.get("token_ids", "").split(","), q.get("sides", "").split(",")
        if len(tokens) != len(sides):
            raise bad("Invalid payload")
        pairs = zip(tokens, sides, strict=True)
        return self.price_map([{"token_id": t, "side": s} for t, s in pairs], now_of(request))

    async def post_prices(self, request: Request) -> Any:
        return self.price_map(await self.listed(request), now_of(request))

    def price_map(self, items: list[dict[str, Any]], now: float) -> Any:
        tops = self.tops(self.known(items, now), now)
        out: dict[str, dict[str, str]] = {}
        for x in items:
            t, side = str(x.get("token_id")), str(x.get("side", "")).upper()
            if t in tops and side in ("BUY", "SELL"):
                out.setdefault(t, {})[side] = plain(tops[t][0 if side == "BUY" else 1])
        return out

    def midpoint(self, request: Request) -> Any:
        bid, ask = self.top(request)
        return {"mid": half(bid + ask)}

    async def midpoints(self, request: Request) -> Any:
        tops = await self.many_tops(request)
        return {t: half(b + a) for t, (b, a) in tops.items()}

    def spread(self, request: Request) -> Any:
        bid, ask = self.top(request)
        return {"spread": plain(ask - bid)}

    async def spreads(self, request: Request) -> Any:
        return {t: plain(a - b) for t, (b, a) in (await self.many_tops(request)).items()}

    async def many_tops(self, request: Request) -> dict[str, tuple[int, int]]:
        now = now_of(request)
        if request.method == "POST":
            items = await self.listed(request)
        else:
            tokens = request.query_params.get("token_ids", "").split(",")
            items = [{"token_id": t} for t in tokens]
        return self.tops(self.known(items, now), now)

    def last_trade_price(self, request: Request) -> Any:
        row, side = self.asked(request)
        return self.last(row, side, now_of(request))

    def last(self, row: int, side: int, now: float) -> dict[str, str]:
        m = np.array([row])
        n = self.box.books.trade_count(m, now)
        if not n[0]:
            return {"price": "0.5", "side": ""}
        price, buys = self.box.books.trade_price(m, n - 1)
        yes = int(price[0])
        bought = bool(buys[0]) != bool(side)
        return {"price": plain(ONE - yes if side else yes), "side": "BUY" if bought else "SELL"}

    async def last_trades_prices(self, request: Request) -> Any:
        now = now_of(request)
        wanted = self.known(await self.listed(request), now)
        return [{**self.last(r, s, now), "token_id": t} for t, r, s in wanted]

    # -- history ----------------------------------------------------------------------------

    def prices_history(self, request: Request) -> Any:
        q = request.query_params
        return {"history": self.history(q.get("market"), q, now_of(request))}

    async def batch_history(self, request: Request) -> Any:
        try:
            body = json.loads(await request.body())
            markets = list(body["markets"])
        except (ValueError, KeyError, TypeError):
            raise bad("Invalid payload") from None
        if len(markets) > 20:
            raise bad("Payload exceeds the limit")
        given = {k: str(v) for k, v in body.items() if v is not None}
        names = {"start_ts": "startTs", "end_ts": "endTs"}
        q = {names.get(k, k): v for k, v in given.items()}
        now = now_of(request)
        return {"history": {str(t): self.history(str(t), q, now) for t in markets}}

    def history(self, token: str | None, q: Any, now: float) -> list[dict[str, Any]]:
        found = self.index.by_token.get(token or "")
        if found is None:
            raise bad("Invalid token id") if not (token or "").isdigit() else Refused(
                404, {"error": "market not found"})
        low, high, minutes = self.window(q, now)
        row, side = found
        mk = self.box.world.markets
        low = max(low, float(mk.open[row]))
        high = min(high, now, float(mk.decided[row]))
        times = sampled(low, high, minutes * 60.0)
        mid = middle(self.box, row, times)
        if side:
            mid = ONE - mid
        return [{"t": int(t), "p": round(float(p) / ONE, 4)}
                for t, p in zip(times, mid, strict=True)]

    def window(self, q: Any, now: float) -> tuple[float, float, int]:
        """(from, to, minutes between points) of a history request."""
        interval = q.get("interval")
        try:
            minutes = int(q.get("fidelity") or FIDELITY.get(interval, 1))
            start = float(q["startTs"]) if q.get("startTs") else None
            end = float(q.get("endTs") or now)
        except ValueError:
            raise bad("invalid filters") from None
        if start is None and interval is None:
            raise bad("either startTs and endTs, or interval, is required")
        if interval is not None and interval not in SPANS:
            raise bad("invalid interval")
        if minutes < 1:
            raise bad("invalid fidelity")
        low = start if start is not None else max(0.0, now - SPANS[interval])
        return low, end, minutes

    # -- facts ------------------------------------------------------------------------------

    def tick_size(self, request: Request) -> Any:
        row, _ = self.asked(request)
        return {"minimum_tick_size": self.shapes.tick(row)}

    def neg_risk(self, request: Request) -> Any:
        row, _ = self.asked(request)
        return {"neg_risk": self.shapes.neg_risk(row)}

    def fee_rate(self, request: Request) -> Any:
        row, _ = self.asked(request)
        return {"base_fee": 1000 if "fd" in self.shapes.clob_market(row, now_of(request)) else 0}

    def clob_market(self, request: Request) -> Any:
        row = self.index.by_condition.get(request.path_params["condition"])
        if row is None:
            raise Refused(404, {"error": "market not found"})
        return self.shapes.clob_market(row, now_of(request))

    def by_token(self, request: Request) -> Any:
        found = self.index.by_token.get(request.path_params["token"])
        if found is None:
            raise Refused(404, {"error": "market not found"})
        pair = self.index.tokens[found[0]]
        return {"condition_id": self.index.conditions[found[0]], "primary_token_id": pair[0],
                "secondary_token_id": pair[1]}

    def time(self, request: Request) -> Any:
        return int(now_of(request))

    def version(self, request: Request) -> Any:
        return {"version": 2}

    def ok(self, request: Request) -> Any:
        return "OK"

    # -- private ----------------------------------------------------------------------------

    def clocks(self) -> tuple[float, float]:
        return time.time(), self.box.clock.now()

    def api_key(self, request: Request) -> Any:
        """Create or derive: the sandbox's credentials are a function of wallet and nonce."""
        signed = poly_auth.check_l1(request.headers, self.clocks())
        if signed is None:
            raise unauthorized("Invalid L1 Request headers")
        address, nonce = signed
        made = poly_auth.credentials(self.box.config.seed, address, nonce)
        self.accounts[made["apiKey"]] = {**made, "address": address}
        return made

    async def account(self, request: Request) -> str:
        """The address of this request's L2 credentials."""
        path = request.scope["sandbox.path"].removeprefix("/clob")
        body = (await request.body()).decode()
        address = poly_auth.check_l2(request.headers, self.accounts, request.method, path, body,
                                     self.clocks())
        if address is None:
            raise unauthorized()
        return address

    async def api_keys(self, request: Request) -> Any:
        address = await self.account(request)
        return {"apiKeys": [k for k, a in self.accounts.items() if a["address"] == address]}

    async def closed_only(self, request: Request) -> Any:
        await self.account(request)
        return {"closed_only": False}

    async def orders(self, request: Request) -> Any:
        await self.account(request)
        return {"data": [], "next_cursor": "LTE=", "limit": 100, "count": 0}

    async def one_order(self, request: Request) -> Any:
        await self.account(request)
        raise Refused(404, {"error": "order not found"})

    async def balance(self, request: Request) -> Any:
        await self.account(request)
        kind = request.query_params.get("asset_type", "")
        if kind not in ("COLLATERAL", "CONDITIONAL", "CONDITIONAL-V2"):
            raise bad("Invalid asset type")
        return {"balance": "0", "allowance": "0"}


def half(total: int) -> str:
    """Half of a sum of two prices, as a short decimal."""
    return f"{total / 2 / ONE:.5f}".rstrip("0").rstrip(".")


def sampled(low: float, high: float, step: float) -> Array:
    """Times from low to high, aligned to the step, the last one first cut to MAX_POINTS."""
    if high <= low:
        return np.empty(0)
    first = -(-low // step) * step
    times = np.arange(first, high + 1e-6, step)
    return times[-MAX_POINTS:] if len(times) else np.array([high])


def middle(box: Sandbox, row: int, times: Array) -> Array:
    """Midpoints (1/10,000) of the YES book at past times."""
    q = box.books.would_quote(np.full(len(times), row), times)
    return np.asarray((q.bid + q.ask) / 2)
