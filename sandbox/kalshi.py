"""Kalshi's REST surface under /trade-api/v2 (venue sheet §3–6)."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from typing import Any

import numpy as np
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox import kalshi_auth, kalshi_history
from sandbox.books import ACTIVE, CLOSED, DETERMINED, DISPUTED, FINAL, PAUSED, UNOPENED
from sandbox.clock import iso
from sandbox.kalshi_exchange import COST, HISTORY, READ_CAPACITY, READ_RATE, Exchange
from sandbox.kalshi_history import orderbook
from sandbox.limits import TokenBucket
from sandbox.paths import DAY, Array
from sandbox.state import Sandbox
from sandbox.wire import Refused, answer, cursor_of, now_of, read_cursor

ROOT = "/trade-api/v2"
FILTERS = {"unopened": (UNOPENED,), "open": (ACTIVE,), "paused": (PAUSED,),
           "closed": (CLOSED, DETERMINED, DISPUTED), "settled": (FINAL,)}


def refused(status: int, code: str, message: str) -> Refused:
    return Refused(status, {"error": {"code": code, "message": message}})


def missing(what: str = "not found") -> Refused:
    return refused(404, "not_found", what)


def bad(message: str) -> Refused:
    return refused(400, "bad_request", message)


def whole_number(request: Request, name: str, default: int | None = None, low: int = 0,
                 high: int | None = None) -> int | None:
    text = request.query_params.get(name)
    if text is None or text == "":
        return default
    try:
        value = int(text)
    except ValueError:
        raise bad(f"invalid {name}") from None
    if value < low or (high is not None and value > high):
        raise bad(f"{name} must be between {low} and {high}" if high else f"invalid {name}")
    return value


def flag(request: Request, name: str) -> bool:
    return request.query_params.get(name, "").lower() in ("true", "1")


class Kalshi:
    def __init__(self, box: Sandbox) -> None:
        self.box = box
        self.shapes = box.kalshi
        self.index = box.kalshi.index

    # -- the door ---------------------------------------------------------------------------

    def guard(self, request: Request, auth: str) -> None:
        """Rate limit, then credentials. `auth`: none, optional or required."""
        config = self.box.config
        key_id = request.headers.get("kalshi-access-key")
        if config.limits:
            who = ("kalshi", key_id or request.client.host if request.client else "?")
            bucket = self.box.buckets.get(who)
            if bucket is None:
                scale = config.limit_scale
                bucket = TokenBucket(READ_RATE * scale, READ_CAPACITY * scale)
                self.box.buckets[who] = bucket
            if not bucket.take(COST):
                raise Refused(429, {"error": "too many requests"})
        if key_id is None:
            if auth == "required":
                raise refused(401, "unauthorized", "unauthorized")
            return
        path = request.scope["sandbox.path"]
        why = kalshi_auth.refusal(request.headers, request.method, path, self.box.keys)
        if why is not None:
            raise refused(401, "authentication_error", why)

    def route(self, path: str, handler: Callable[[Request], Any], auth: str = "none") -> Route:
        async def endpoint(request: Request) -> Response:
            try:
                self.guard(request, auth)
                return answer(handler(request))
            except Refused as e:
                return e.response()
        return Route(ROOT + path, endpoint, methods=["GET"])

    def routes(self) -> list[Route]:
        history = kalshi_history.History(self.box, self.series_listing)
        x, r = Exchange(self.box), self.route
        return [
            r("/exchange/status", x.status), r("/exchange/schedule", x.schedule),
            r("/exchange/user_data_timestamp", x.user_data_timestamp),
            r("/series", self.all_series), r("/series/fee_changes", self.series_fee_changes),
            r("/series/{series}", self.one_series),
            r("/series/{series}/markets/{ticker}/candlesticks", history.candlesticks),
            r("/series/{series}/events/{event}/candlesticks", history.event_candlesticks),
            r("/events", self.events), r("/events/multivariate", self.multivariate),
            r("/events/fee_changes", self.event_fee_changes),
            r("/events/{event}", self.one_event),
            r("/markets", self.markets), r("/markets/trades", history.trades),
            r("/markets/orderbooks", self.orderbooks, "optional"),
            r("/markets/candlesticks", history.many_candlesticks),
            r("/markets/{ticker}", self.one_market),
            r("/markets/{ticker}/orderbook", self.one_orderbook, "optional"),
            r("/historical/cutoff", x.cutoff), r("/historical/trades", history.old_trades),
            r("/historical/markets", self.old_markets),
            r("/historical/markets/{ticker}", self.one_old_market),
            r("/historical/markets/{ticker}/candlesticks", history.old_candlesticks),
            r("/account/limits", x.limits, "required"),
            r("/account/endpoint_costs", x.costs),
            r("/portfolio/balance", x.balance, "required"),
            r("/portfolio/positions", x.empty("market_positions", "event_positions"),
              "required"),
            r("/portfolio/orders", x.empty("orders"), "required"),
            r("/portfolio/fills", x.empty("fills"), "required"),
            r("/portfolio/settlements", x.empty("settlements"), "required"),
        ]

    # -- series -----------------------------------------------------------------------------

    def all_series(self, request: Request) -> Any:
        q, now = request.query_params, now_of(request)
        tags = {t.strip() for t in q.get("tags", "").split(",") if t.strip()}
        since = whole_number(request, "min_updated_ts")
        found = []
        for ticker in self.index.series:
            s = self.shapes.series(ticker, now, flag(request, "include_volume"))
            if q.get("category") and s["category"] != q["category"]:
                continue
            if tags and not tags & set(s["tags"]):
                continue
            if since is not None and self.box.world.origin - 30 * DAY < since:
                continue
            found.append(s)
        return {"series": found}

    def series_listing(self, ticker: str) -> list[int]:
        if ticker not in self.index.series:
            raise missing()
        return self.index.series[ticker]

    def one_series(self, request: Request) -> Any:
        ticker = request.path_params["series"]
        self.series_listing(ticker)
        return {"series": self.shapes.series(ticker, now_of(request),
                                             flag(request, "include_volume"))}

    def series_fee_changes(self, request: Request) -> Any:
        now, only = now_of(request), request.query_params.get("series_ticker")
        history = flag(request, "show_historical")
        found = []
        for ticker in [only] if only else list(self.index.series):
            for c in self.shapes.fee_changes(ticker):
                if c["at"] > now or history:
                    found.append({"id": f"fee-{ticker}-{int(c['at'])}", "series_ticker": ticker,
                                  "fee_type": c["fee_type"],
                                  "fee_multiplier": c["fee_multiplier"],
                                  "scheduled_ts": iso(c["at"])})
        return {"series_fee_change_arr": found}

    def event_fee_changes(self, request: Request) -> Any:
        only = request.query_params.get("event_ticker")
        at = self.box.world.origin + DAY
        numbers = [n for n in self.index.order if self.shapes.event_fee(n, at)[0] is not None
                   and only in (None, "", self.index.event_tickers[n])]
        page = self.page(request, numbers, "event_fee_changes", 100, 1000)
        page["event_fee_changes"] = [self.event_fee_change(n, at) for n in page[
            "event_fee_changes"]]
        return page

    def event_fee_change(self, number: int, at: float) -> dict[str, Any]:
        event = self.index.event_tickers[number]
        kind, multiplier = self.shapes.event_fee(number, at)
        return {"id": f"fee-{event}", "event_ticker": event,
                "series_ticker": self.index.series_of(self.box.world.listings[number]),
                "fee_type_override": kind, "fee_multiplier_override": multiplier,
                "scheduled_ts": iso(at)}

    def page(self, request: Request, items: list[int], name: str, default: int,
             top: int) -> dict[str, Any]:
        """One page of ascending numbers. The cursor names the last one given, so that markets
        which leave or join the filtered list meanwhile shift nothing."""
        limit = whole_number(request, "limit", default, 1, top) or default
        try:
            after = int(read_cursor(request.query_params.get("cursor")).get("after", -1))
        except (ValueError, TypeError):
            raise bad("invalid cursor") from None
        start = bisect_right(items, after)
        chunk = items[start:start + limit]
        more = start + limit < len(items)
        return {name: chunk, "cursor": cursor_of(after=chunk[-1]) if more else ""}

    # -- events -----------------------------------------------------------------------------

    def visible(self, now: float) -> Array:
        """Rows that exist at `now` in the live tier: created, and not yet historical."""
        rows = self.index.row_array
        mk = self.box.world.markets
        cutoff = now // DAY * DAY - HISTORY
        return np.asarray(rows[(mk.open[rows] - 3600 <= now) & (mk.settled[rows] >= cutoff)])

    def events(self, request: Request) -> Any:
        return self.event_page(request, combos=False)

    def multivariate(self, request: Request) -> Any:
        return self.event_page(request, combos=True)

    def event_page(self, request: Request, combos: bool) -> Any:
        q, now = request.query_params, now_of(request)
        status = q.get("status") or None
        if status is not None and status not in FILTERS:
            raise bad("invalid status")
        world = self.box.world
        rows = self.visible(now)
        if status is not None:
            rows = rows[np.isin(self.box.books.status(rows, now), FILTERS[status])]
        since, closing = whole_number(request, "min_updated_ts"), whole_number(
            request, "min_close_ts")
        if since is not None:
            rows = rows[self.box.books.updated(rows, now) >= since]
        if closing is not None:
            rows = rows[world.markets.close[rows] >= closing]
        numbers = np.unique(world.markets.listing[rows]).tolist()
        wanted = {t for t in q.get("tickers", "").split(",") if t}
        series = q.get("series_ticker")
        keep = [n for n in numbers if world.listings[n].combo == combos
                and (not wanted or self.index.event_tickers[n] in wanted)
                and (not series or self.index.series_of(world.listings[n]) == series)]
        page = self.page(request, keep, "events", 200, 200)
        page["events"] = self.event_objects(page["events"], now, flag(request,
                                                                       "with_nested_markets"))
        return {**page, "milestones": []} if not combos else page

    def event_objects(self, numbers: list[int], now: float, nested: bool) -> list[Any]:
        events = [self.shapes.event(n, now) for n in numbers]
        if nested:
            rows = [r for n in numbers for r in self.listing_rows(n)]
            made = iter(self.shapes.markets(rows, now))
            for number, event in zip(numbers, events, strict=True):
                event["markets"] = [next(made) for _ in self.listing_rows(number)]
        return events

    def listing_rows(self, number: int) -> list[int]:
        listing = self.box.world.listings[number]
        return list(range(listing.first, listing.first + listing.count))

    def one_event(self, request: Request) -> Any:
        now = now_of(request)
        listing = self.index.events.get(request.path_params["event"])
        if listing is None or self.box.world.markets.open[listing.first] - 3600 > now:
            raise missing()
        number = int(self.box.world.markets.listing[listing.first])
        nested = flag(request, "with_nested_markets")
        event = self.event_objects([number], now, nested)[0]
        if nested:
            return {"event": event}
        return {"event": event, "markets": self.shapes.markets(self.listing_rows(number), now)}

    # -- markets ----------------------------------------------------------------------------

    def markets(self, request: Request) -> Any:
        now = now_of(request)
        rows = self.filtered(request, self.visible(now), now)
        page = self.page(request, rows.tolist(), "markets", 100, 1000)
        page["markets"] = self.shapes.markets(page["markets"], now)
        return page

    def filtered(self, request: Request, rows: Array, now: float) -> Array:
        q, mk = request.query_params, self.box.world.markets
        status = q.get("status") or None
        if status is not None and status not in FILTERS:
            raise bad("invalid status")
        self.check_times(request, status)
        if status is not None:
            rows = rows[np.isin(self.box.books.status(rows, now), FILTERS[status])]
        columns = {"created": mk.open[rows] - 3600, "close": mk.close[rows],
                   "settled": mk.settled[rows], "updated": self.box.books.updated(rows, now)}
        keep = np.ones(len(rows), dtype=bool)
        for name, values in columns.items():
            low = whole_number(request, f"min_{name}_ts")
            high = whole_number(request, f"max_{name}_ts")
            keep &= values >= low if low is not None else True
            keep &= values <= high if high is not None else True
        rows = rows[keep]
        chosen = self.chosen(request)
        if chosen is not None:
            rows = rows[np.isin(rows, chosen)]
        mve = q.get("mve_filter")
        if mve not in (None, "", "only", "exclude"):
            raise bad("invalid mve_filter")
        if mve:
            rows = rows[np.isin(rows, self.index.combo_rows, invert=mve == "exclude")]
        return rows

    def check_times(self, request: Request, status: str | None) -> None:
        """The timestamp filters exclude one another and most statuses (venue sheet §4)."""
        q = request.query_params
        used = [n for n in ("created", "close", "settled", "updated")
                if q.get(f"min_{n}_ts") or q.get(f"max_{n}_ts")]
        if len(used) > 1:
            raise bad("timestamp filters are mutually exclusive")
        allowed = {"created": (None, "unopened", "open"), "close": (None, "closed"),
                   "settled": (None, "settled"), "updated": (None,)}
        if used and status not in allowed[used[0]]:
            raise bad(f"{used[0]} timestamp filters are not compatible with status={status}")
        if used == ["updated"]:
            others = set(q) - {"min_updated_ts", "limit", "cursor", "mve_filter", "series_ticker"}
            if others or q.get("mve_filter") == "only" or (
                    q.get("series_ticker") and q.get("mve_filter") != "exclude"):
                raise bad("min_updated_ts cannot be combined with other filters")

    def chosen(self, request: Request) -> list[int] | None:
        """Rows named by tickers, event_ticker or series_ticker; None when none is given."""
        q = request.query_params
        if q.get("tickers"):
            return [self.index.by_ticker[t] for t in q["tickers"].split(",")
                    if t in self.index.by_ticker]
        if q.get("event_ticker"):
            listing = self.index.events.get(q["event_ticker"])
            return list(range(listing.first, listing.first + listing.count)) if listing else []
        if q.get("series_ticker"):
            return [r for n in self.index.series.get(q["series_ticker"], [])
                    for r in self.listing_rows(n)]
        return None

    def row(self, ticker: str, now: float, old: bool = False) -> int:
        """The market's row; refused when unknown, not yet created or in the other tier."""
        row = self.index.by_ticker.get(ticker)
        mk = self.box.world.markets
        if row is None or mk.open[row] - 3600 > now:
            raise missing()
        if (mk.settled[row] < now // DAY * DAY - HISTORY) != old:
            raise missing()
        return row

    def one_market(self, request: Request) -> Any:
        now = now_of(request)
        row = self.row(request.path_params["ticker"], now)
        return {"market": self.shapes.markets([row], now)[0]}

    def one_orderbook(self, request: Request) -> Any:
        now = now_of(request)
        depth = whole_number(request, "depth", 0, 0, 100)
        row = self.row(request.path_params["ticker"], now)
        return {"orderbook_fp": orderbook(self.box.books, [row], now, depth or 0)[0]}

    def orderbooks(self, request: Request) -> Any:
        now = now_of(request)
        tickers = request.query_params.getlist("tickers")
        if not 1 <= len(tickers) <= 100:
            raise bad("between 1 and 100 tickers are required")
        known = [t for t in dict.fromkeys(tickers) if t in self.index.by_ticker]
        rows = [self.row(t, now) for t in known]
        books = orderbook(self.box.books, rows, now, 0)
        return {"orderbooks": [{"ticker": t, "orderbook_fp": b}
                               for t, b in zip(known, books, strict=True)]}

    def old_rows(self, now: float) -> Array:
        rows = self.index.row_array
        settled = self.box.world.markets.settled[rows]
        return np.asarray(rows[settled < now // DAY * DAY - HISTORY])

    def old_markets(self, request: Request) -> Any:
        now = now_of(request)
        rows = self.filtered(request, self.old_rows(now), now)
        page = self.page(request, rows.tolist(), "markets", 100, 1000)
        page["markets"] = self.shapes.markets(page["markets"], now)
        return page

    def one_old_market(self, request: Request) -> Any:
        now = now_of(request)
        row = self.row(request.path_params["ticker"], now, old=True)
        return {"market": self.shapes.markets([row], now)[0]}
