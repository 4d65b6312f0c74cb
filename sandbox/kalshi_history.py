"""Kalshi's books, trades and candlesticks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from starlette.requests import Request

from sandbox.books import LEVELS, ONE, Books, dollars, hundredths
from sandbox.clock import iso
from sandbox.kalshi_exchange import HISTORY
from sandbox.kalshi_shapes import stable_uuid
from sandbox.paths import DAY, Array
from sandbox.state import Sandbox
from sandbox.wire import Refused, cursor_of, now_of, read_cursor

MAX_CANDLES = 10_000
SAMPLES = 6  # quote samples in a candle


def bad(message: str) -> Refused:
    return Refused(400, {"error": {"code": "bad_request", "message": message}})


def orderbook(books: Books, rows: list[int], now: float, depth: int) -> list[dict[str, Any]]:
    """Bids only, ascending, for each row (empty sides are empty lists)."""
    if not rows:
        return []
    bp, bs, ap, asz = books.levels(np.array(rows), now, LEVELS)
    out = []
    for i in range(len(rows)):
        yes = [[dollars(int(p)), hundredths(int(s))] for p, s in zip(bp[i], bs[i], strict=True)
               if s]
        no = [[dollars(ONE - int(p)), hundredths(int(s))]
              for p, s in zip(ap[i], asz[i], strict=True) if s]
        keep = depth or len(bp[i])
        out.append({"yes_dollars": yes[:keep][::-1], "no_dollars": no[:keep][::-1]})
    return out


def number(request: Request, name: str, needed: bool = False) -> int | None:
    text = request.query_params.get(name)
    if not text:
        if needed:
            raise bad(f"{name} is required")
        return None
    try:
        return int(text)
    except ValueError:
        raise bad(f"invalid {name}") from None


class History:
    def __init__(self, box: Sandbox, series_listing: Callable[[str], list[int]]) -> None:
        self.box = box
        self.index = box.kalshi.index
        self.series_listing = series_listing

    def row(self, ticker: str, now: float, old: bool) -> int:
        row = self.index.by_ticker.get(ticker)
        mk = self.box.world.markets
        if row is None or mk.open[row] > now or (
                (mk.settled[row] < now // DAY * DAY - HISTORY) != old):
            raise Refused(404, {"error": {"code": "not_found", "message": "not found"}})
        return row

    # -- trades -----------------------------------------------------------------------------

    def trades(self, request: Request) -> Any:
        return self.trade_page(request, old=False)

    def old_trades(self, request: Request) -> Any:
        return self.trade_page(request, old=True)

    def trade_page(self, request: Request, old: bool) -> Any:
        now = now_of(request)
        limit = number(request, "limit") or 100
        if not 1 <= limit <= 1000:
            raise bad("limit must be between 1 and 1000")
        cutoff = now // DAY * DAY - HISTORY
        low = float(number(request, "min_ts") or 0)
        high = min(number(request, "max_ts") or now, now)
        low, high = (low, min(high, cutoff)) if old else (max(low, cutoff), high)
        try:
            state = read_cursor(request.query_params.get("cursor"))
            before = float(state.get("before", high + 1e-6))
        except (ValueError, TypeError):
            raise bad("invalid cursor") from None
        if request.query_params.get("is_block_trade") == "true":
            return {"trades": [], "cursor": ""}
        ticker = request.query_params.get("ticker")
        if ticker:
            rows = np.array([self.index.by_ticker[ticker]] if ticker in self.index.by_ticker
                            else [], dtype=np.int64)
        else:
            rows = self.index.row_array
        found = newest_trades(self.box.books, rows, low, min(before, high + 1e-6), limit + 1)
        made = [self.trade(x) for x in priced(self.box.books, found[:limit])]
        more = len(found) > limit
        return {"trades": made, "cursor": cursor_of(before=found[limit - 1][0]) if more else ""}

    def trade(self, x: Trade) -> dict[str, Any]:
        side = "yes" if x.buys_yes else "no"
        key = int(self.box.world.markets.key[x.row])
        return {"trade_id": stable_uuid(key, 50, x.number), "ticker": self.index.tickers[x.row],
                "count_fp": hundredths(x.size), "yes_price_dollars": dollars(x.price),
                "no_price_dollars": dollars(ONE - x.price), "taker_side": side,
                "taker_outcome_side": side, "taker_book_side": "bid" if x.buys_yes else "ask",
                "created_time": iso(x.at, 6), "is_block_trade": False}

    # -- candlesticks -----------------------------------------------------------------------

    def candlesticks(self, request: Request) -> Any:
        self.series_listing(request.path_params["series"])
        return self.one(request, old=False)

    def old_candlesticks(self, request: Request) -> Any:
        return self.one(request, old=True)

    def one(self, request: Request, old: bool) -> Any:
        now = now_of(request)
        ticker = request.path_params["ticker"]
        row = self.row(ticker, now, old)
        ends, period, latest = self.span(request, 1)
        return {"ticker": ticker, "candlesticks": self.candles(row, ends, period, now, latest)}

    def many_candlesticks(self, request: Request) -> Any:
        now = now_of(request)
        tickers = [t for t in request.query_params.get("market_tickers", "").split(",") if t]
        if not 1 <= len(tickers) <= 100:
            raise bad("between 1 and 100 market_tickers are required")
        ends, period, latest = self.span(request, len(tickers))
        out = []
        for t in tickers:
            if t in self.index.by_ticker:
                made = self.candles(self.row(t, now, False), ends, period, now, latest)
                out.append({"market_ticker": t, "candlesticks": made})
        return {"markets": out}

    def event_candlesticks(self, request: Request) -> Any:
        """The candles of every market of an event, side by side."""
        now = now_of(request)
        self.series_listing(request.path_params["series"])
        listing = self.index.events.get(request.path_params["event"])
        if listing is None:
            raise Refused(404, {"error": {"code": "not_found", "message": "not found"}})
        rows = range(listing.first, listing.first + listing.count)
        ends, period, latest = self.span(request, listing.count)
        return {"market_tickers": [self.index.tickers[r] for r in rows],
                "market_candlesticks": [self.candles(r, ends, period, now, latest) for r in rows],
                "adjusted_end_ts": int(ends[-1]) if len(ends) else 0}

    def span(self, request: Request, n: int) -> tuple[Array, int, bool]:
        """(period ends, period in seconds, include the candle before)."""
        start, end = number(request, "start_ts", True), number(request, "end_ts", True)
        minutes = number(request, "period_interval", True)
        if minutes not in (1, 60, 1440):
            raise bad("period_interval must be 1, 60 or 1440")
        assert start is not None and end is not None
        if end < start:
            raise bad("end_ts must not be before start_ts")
        period = minutes * 60
        first = -(-start // period) * period
        count = max(0, (end - first) // period + 1)
        if count * n > MAX_CANDLES:
            raise bad(f"too many candlesticks requested, the maximum is {MAX_CANDLES}")
        latest = request.query_params.get("include_latest_before_start", "") == "true"
        return first + period * np.arange(count, dtype=float), period, latest

    def candles(self, row: int, ends: Array, period: int, now: float,
                latest: bool) -> list[dict[str, Any]]:
        mk = self.box.world.markets
        if latest and len(ends):
            ends = np.concatenate([[ends[0] - period], ends])
        live = (ends > mk.open[row]) & (ends - period < min(now, float(mk.decided[row])))
        ends = ends[live]
        if not len(ends):
            return []
        return build_candles(self.box.books, row, ends, period, min(now, float(mk.decided[row])))


def build_candles(books: Books, row: int, ends: Array, period: int,
                  until: float) -> list[dict[str, Any]]:
    m = np.array([row])
    opened = float(books.world.markets.open[row])
    starts = np.maximum(ends - period, opened)
    stops = np.minimum(ends, until)
    grid = starts[:, None] + (stops - starts)[:, None] * np.linspace(0, 1, SAMPLES)[None, :]
    q = books.would_quote(np.full(grid.shape, row), grid)
    n0, n1 = books.trade_count(m, starts), books.trade_count(m, stops)
    volume = books.volume(m, stops) - books.volume(m, starts)
    total = books.volume(m, stops)
    share = np.linspace(0, 1, SAMPLES)[None, :]
    last = np.maximum(n1 - 1, 0)
    j = np.rint(n0[:, None] + (np.maximum(last - n0, 0))[:, None] * share).astype(np.int64)
    prices, _ = books.trade_price(np.full(j.shape, row), j)
    before, _ = books.trade_price(np.full(len(ends), row), np.maximum(n0 - 1, 0))
    out = []
    for i, end in enumerate(ends):
        traded = n1[i] > n0[i]
        out.append({
            "end_period_ts": int(end), "yes_bid": ohlc(q.bid[i]), "yes_ask": ohlc(q.ask[i]),
            "price": price_part(prices[i] if traded else None,
                                int(before[i]) if n0[i] > 0 else None),
            "volume_fp": hundredths(int(volume[i])),
            "open_interest_fp": hundredths(int(total[i]) * 2 // 5)})
    return out


def ohlc(x: Array) -> dict[str, str | None]:
    return {"open_dollars": dollars(int(x[0])), "low_dollars": dollars(int(x.min())),
            "high_dollars": dollars(int(x.max())), "close_dollars": dollars(int(x[-1]))}


def price_part(x: Array | None, previous: int | None) -> dict[str, str | None]:
    names = ("open_dollars", "low_dollars", "high_dollars", "close_dollars", "mean_dollars")
    part: dict[str, str | None] = dict.fromkeys(names)
    if x is not None:
        part = {**ohlc(x), "mean_dollars": dollars(int(x.mean()))}
    part["previous_dollars"] = dollars(previous) if previous is not None else None
    return {**part, "min_dollars": None, "max_dollars": None}


class Trade(NamedTuple):
    """One print: YES price in 1/10,000, size in hundredths."""

    at: float
    row: int
    number: int
    price: int
    size: int
    buys_yes: bool


def priced(books: Books, found: list[tuple[float, int, int]]) -> list[Trade]:
    """The trades that `newest_trades` found, with what they were done at."""
    if not found:
        return []
    m, j = (np.array([x[i] for x in found], dtype=np.int64) for i in (1, 2))
    price, buys = books.trade_price(m, j)
    rest = zip(price.tolist(), books.trade_size(m, j).tolist(), buys.tolist(), strict=True)
    return [Trade(*x, *more) for x, more in zip(found, rest, strict=True)]


def newest_trades(books: Books, rows: Array, low: float, before: float,
                  limit: int) -> list[tuple[float, int, int]]:
    """Up to `limit` trades in [low, before), newest first, as (time, row, number).

    Looks back in doubling windows, so the cost follows the answer and not the history.
    """
    if not len(rows) or before <= low:
        return []
    window = 60.0
    while True:
        start = max(low, before - window)
        n1 = books.trade_count(rows, before - 1e-6)
        n0 = np.maximum(books.trade_count(rows, start), 0)
        n0 = np.where(start <= low, books.trade_count(rows, low - 1e-6), n0)
        if int((n1 - n0).sum()) >= limit or start <= low:
            break
        window *= 2 if len(rows) > 1 else 4
    counts = np.minimum(np.maximum(n1 - n0, 0), limit)
    m = np.repeat(rows, counts)
    j = np.concatenate([np.arange(b - c, b) for b, c in zip(n1, counts, strict=True) if c]) \
        if len(m) else np.empty(0, dtype=np.int64)
    t = books.trade_time(m, j)
    order = np.lexsort((j, m, -t))[:limit]
    return [(float(t[i]), int(m[i]), int(j[i])) for i in order if low <= t[i] < before]
