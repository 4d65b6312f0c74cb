"""Polymarket's three hosts under /gamma, /clob and /data: routes, user agent, rate limits."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.limits import SlidingWindow
from sandbox.poly_clob import Clob
from sandbox.poly_data import Data
from sandbox.poly_gamma import Gamma
from sandbox.poly_shapes import PolyShapes
from sandbox.state import Sandbox
from sandbox.wire import Refused, answer

# Requests per ten seconds and address (venue sheet §9); the host's own limit holds beside these.
HOSTS = {"gamma": 4000, "clob": 9000, "data": 1000}


class Polymarket:
    def __init__(self, box: Sandbox) -> None:
        self.box = box
        self.shapes: PolyShapes = box.poly
        self.gamma, self.clob = Gamma(self.shapes), Clob(box, self.shapes)
        self.data = Data(box, self.shapes)

    def guard(self, request: Request, host: str, path: str, limit: int) -> None:
        agent = request.headers.get("user-agent", "")
        if not agent or agent.lower().startswith("python-urllib"):
            raise Refused(403, "<html><head><title>403 Forbidden</title></head></html>",
                          {"content-type": "text/html"})
        if not self.box.config.limits:
            return
        who = request.client.host if request.client else "?"
        for name, top in ((host, HOSTS[host]), (f"{host}{path}", limit)):
            key = ("polymarket", who, name)
            if key not in self.box.buckets:
                scaled = max(1, int(top * self.box.config.limit_scale))
                self.box.buckets[key] = SlidingWindow(scaled)
            wait = self.box.buckets[key].take()
            if wait:
                raise Refused(429, {"error": "Too Many Requests"},
                              {"retry-after": str(max(1, round(wait)))})

    def route(self, host: str, path: str, handler: Callable[[Request], Any], limit: int = 9000,
              methods: tuple[str, ...] = ("GET",)) -> Route:
        async def endpoint(request: Request) -> Response:
            try:
                self.guard(request, host, path, limit)
                body = handler(request)
                return answer(await body if inspect.isawaitable(body) else body)
            except Refused as e:
                return e.response()
        return Route(f"/{host}{path}", endpoint, methods=list(methods))

    def routes(self) -> list[Route]:
        g, c, d = self.gamma, self.clob, self.data
        return [*self.gamma_routes(g), *self.clob_routes(c), *self.data_routes(d)]

    def gamma_routes(self, g: Gamma) -> list[Route]:
        def r(path: str, handler: Callable[[Request], Any], limit: int = 900) -> Route:
            return self.route("gamma", path, handler, limit)
        return [
            r("/markets/keyset", g.market_keyset, 300), r("/events/keyset", g.event_keyset, 500),
            r("/markets", g.markets, 300), r("/events", g.events, 500),
            r("/markets/slug/{slug}", g.one_market), r("/events/slug/{slug}", g.one_event),
            r("/markets/{id}", g.one_market), r("/events/{id}", g.one_event),
            r("/tags", g.tags, 200), r("/tags/slug/{slug}", g.one_tag, 200),
            r("/series", g.series), r("/sports", g.sports), r("/public-search", g.search, 350)]

    def clob_routes(self, c: Clob) -> list[Route]:
        def r(path: str, handler: Callable[[Request], Any], limit: int = 9000,
              methods: tuple[str, ...] = ("GET",)) -> Route:
            return self.route("clob", path, handler, limit, methods)
        post, both = ("POST",), ("GET", "POST")
        return [
            r("/", c.ok), r("/ok", c.ok), r("/time", c.time), r("/version", c.version),
            r("/book", c.book, 1500), r("/books", c.books, 500, post),
            r("/price", c.price, 1500), r("/prices", c.get_prices, 500),
            r("/prices", c.post_prices, 500, post), r("/midpoint", c.midpoint, 1500),
            r("/midpoints", c.midpoints, 500, both), r("/spread", c.spread, 1500),
            r("/spreads", c.spreads, 500, both), r("/last-trade-price", c.last_trade_price, 1500),
            r("/last-trades-prices", c.last_trades_prices, 500, post),
            r("/prices-history", c.prices_history, 1000),
            r("/batch-prices-history", c.batch_history, 1000, post),
            r("/tick-size", c.tick_size, 200), r("/tick-size/{token}", c.tick_size, 200),
            r("/neg-risk", c.neg_risk), r("/fee-rate", c.fee_rate),
            r("/clob-markets/{condition}", c.clob_market),
            r("/markets-by-token/{token}", c.by_token),
            r("/auth/api-key", c.api_key, 100, post), r("/auth/derive-api-key", c.api_key, 100),
            r("/auth/api-keys", c.api_keys, 100),
            r("/auth/ban-status/closed-only", c.closed_only), r("/data/orders", c.orders, 500),
            r("/data/trades", c.orders, 500), r("/data/order/{id}", c.one_order, 500),
            r("/balance-allowance", c.balance, 200),
            r("/balance-allowance/update", c.balance, 50)]

    def data_routes(self, d: Data) -> list[Route]:
        def r(path: str, handler: Callable[[Request], Any], limit: int = 1000) -> Route:
            return self.route("data", path, handler, limit)
        return [r("/v2/trades", d.trades, 200), r("/v2/prices-history", d.prices_history),
                r("/v2/resolutions", d.resolutions), r("/v2/tokens", d.tokens),
                r("/v2/oi", d.open_interest), r("/v2/status", d.status)]
