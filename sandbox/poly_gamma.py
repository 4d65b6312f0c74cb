"""Gamma: the Polymarket catalogue (venue sheet §2)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from starlette.requests import Request

from sandbox.clock import parse_time
from sandbox.paths import DAY, Array
from sandbox.poly_shapes import (
    EVENT_ID,
    GAMMA_CACHE_S,
    MARKET_ID,
    PolyShapes,
    slugify,
    tag_id,
)
from sandbox.wire import Refused, cursor_of, now_of, read_cursor

ORDERS = ("volume24hr", "volumeNum", "volume", "liquidityNum", "liquidity", "endDate", "startDate",
          "id", "volume1wk", "createdAt", "updatedAt")
LEAGUES = {"NFL": "nfl", "NBA": "nba", "NHL": "nhl", "NCAAF": "cfb"}


def unprocessable(message: str) -> Refused:
    return Refused(422, {"type": "validation error", "error": message})


class Gamma:
    def __init__(self, shapes: PolyShapes) -> None:
        self.shapes, self.index, self.world = shapes, shapes.index, shapes.world

    # -- choosing ---------------------------------------------------------------------------

    def closed(self, request: Request) -> bool | None:
        text = request.query_params.get("closed", "false").lower()
        if text not in ("true", "false"):
            raise unprocessable("closed must be a boolean")
        return text == "true"

    def rows(self, request: Request, now: float) -> Array:
        """Market rows that pass the filters, oldest first."""
        q, mk, index = request.query_params, self.world.markets, self.index
        rows = index.row_array
        rows = rows[mk.open[rows] <= now]
        done = mk.settled[rows] <= now
        rows = rows[done if self.closed(request) else ~done]
        named: dict[str, Callable[[str], int | None]] = {
            "condition_ids": index.by_condition.get, "slug": index.by_slug.get,
            "clob_token_ids": lambda t: index.by_token.get(t, (None, 0))[0],
            "id": lambda t: int(t) - MARKET_ID if t.isdigit() else None}
        for name, find in named.items():
            if name in q:
                wanted = [find(x) for x in q.getlist(name)]
                rows = rows[np.isin(rows, [w for w in wanted if w is not None])]
        for name, values in (("end_date", mk.close[rows]), ("start_date", mk.open[rows])):
            keep = np.ones(len(rows), bool)
            for edge, sign in (("min", 1), ("max", -1)):
                if f"{name}_{edge}" in q:
                    keep &= sign * values >= sign * self.moment(q[f"{name}_{edge}"])
            rows = rows[keep]
        if "tag_id" in q:
            listed = {n for n in np.unique(mk.listing[rows]).tolist()
                      if q["tag_id"] in [t["id"] for t in self.shapes.tags(n)]}
            rows = rows[np.isin(mk.listing[rows], list(listed))]
        if "uma_resolution_status" in q or "sports_market_types" in q:
            made = self.shapes.markets(rows.tolist(), now, parent=False)
            keep = np.array([self.passes(q, x) for x in made], bool)
            rows = rows[keep]
        return np.asarray(rows)

    def passes(self, q: Any, market: dict[str, Any]) -> bool:
        status, kinds = q.get("uma_resolution_status"), q.getlist("sports_market_types")
        return (not status or market.get("umaResolutionStatus") == status) and (
            not kinds or market.get("sportsMarketType") in kinds)

    def moment(self, text: str) -> float:
        try:
            return parse_time(text.replace(" ", "+"))
        except ValueError:
            raise unprocessable(f"invalid date {text!r}") from None

    def ordered(self, request: Request, rows: Array, groups: Array, now: float) -> list[int]:
        """The distinct `groups` (market rows, or the listings of `rows`) in the order asked for;
        figures of a group are the sum over its rows. Unknown or snake_case names are refused."""
        order = request.query_params.get("order")
        items, first, member = np.unique(groups, return_index=True, return_inverse=True)
        if not order:
            return [int(x) for x in items]
        if order not in ORDERS:
            raise unprocessable(f"order fields are not valid: {order}")
        values = self.figures(order, rows, now)
        summed = order.startswith(("volume", "liquidity"))
        keys = np.bincount(member, values, len(items)) if summed else values[first]
        up = request.query_params.get("ascending", "false").lower() == "true"
        found = items[np.lexsort((items, keys))]
        return [int(x) for x in (found if up else found[::-1])]

    def figures(self, order: str, rows: Array, now: float) -> Array:
        """The column a listing is sorted by."""
        mk, b, at = self.world.markets, self.shapes.books, now // GAMMA_CACHE_S * GAMMA_CACHE_S
        span = {"volume24hr": DAY, "volume1wk": 7 * DAY}.get(order)
        if order.startswith("volume"):
            return b.volume(rows, at) - (b.volume(rows, at - span) if span else 0)
        if order.startswith("liquidity"):
            return np.where(b.trading(rows, now), mk.size[rows] * 18, 0.0)
        if order == "updatedAt":
            return b.updated(rows, now)
        columns = {"endDate": mk.close, "startDate": mk.open, "createdAt": mk.open}
        return columns[order][rows] if order in columns else rows

    # -- pages ------------------------------------------------------------------------------

    def market_keyset(self, request: Request) -> Any:
        now = now_of(request)
        found = self.rows(request, now)
        rows = self.ordered(request, found, found, now)
        chunk, after = self.keyset(request, rows)
        page = {"markets": self.with_tags(request, self.shapes.markets(chunk, now), chunk)}
        return {**page, "next_cursor": after} if after else page

    def with_tags(self, request: Request, made: list[Any], rows: list[int]) -> list[Any]:
        if request.query_params.get("include_tag", "").lower() == "true":
            for item, row in zip(made, rows, strict=True):
                item["tags"] = self.shapes.tags(int(self.world.markets.listing[row]))
        return made

    def ordered_events(self, request: Request, now: float) -> list[int]:
        rows = self.rows_of_events(request, now)
        listing = self.world.markets.listing
        rows = rows[np.isin(listing[rows], self.event_numbers(request, rows))]
        return self.ordered(request, rows, listing[rows], now)

    def event_numbers(self, request: Request, rows: Array) -> list[int]:
        q = request.query_params
        numbers: list[int] = np.unique(self.world.markets.listing[rows]).tolist()
        if "slug" in q:
            wanted = {self.index.by_event_slug.get(s) for s in q.getlist("slug")}
            numbers = [n for n in numbers if n in wanted]
        if "id" in q:
            wanted = {int(s) - EVENT_ID for s in q.getlist("id") if s.isdigit()}
            numbers = [n for n in numbers if n in wanted]
        if "tag_id" in q or "tag_slug" in q:
            name = ("id", q["tag_id"]) if "tag_id" in q else ("slug", q["tag_slug"])
            numbers = [n for n in numbers
                       if name[1] in [t[name[0]] for t in self.shapes.tags(n)]]
        return numbers

    def rows_of_events(self, request: Request, now: float) -> Array:
        """Rows of events that are (not) closed; an event closes with its last market."""
        mk, rows = self.world.markets, self.index.row_array
        rows = rows[mk.open[rows] <= now]
        running = np.unique(mk.listing[rows[mk.settled[rows] > now]])
        open_event = np.isin(mk.listing[rows], running)
        rows = rows[~open_event if self.closed(request) else open_event]
        q = request.query_params
        for name, values in (("end_date", mk.close), ("start_date", mk.open)):
            for edge, sign in (("min", 1), ("max", -1)):
                if f"{name}_{edge}" in q:
                    limit = sign * self.moment(q[f"{name}_{edge}"])
                    rows = rows[sign * values[rows] >= limit]
        return np.asarray(rows)

    def event_keyset(self, request: Request) -> Any:
        now = now_of(request)
        numbers = self.ordered_events(request, now)
        chunk, after = self.keyset(request, numbers)
        page = {"events": self.shapes.events(chunk, now)}
        return {**page, "next_cursor": after} if after else page

    def keyset(self, request: Request, items: list[int]) -> tuple[list[int], str | None]:
        """(this page, next cursor). The cursor names the last item, so closings lose nothing."""
        q = request.query_params
        if "offset" in q:
            raise unprocessable("offset is not supported on keyset endpoints")
        limit = min(self.count(q.get("limit", "20")), 100)
        try:
            state = read_cursor(q.get("after_cursor"))
            at, last = int(state.get("at", 0)), state.get("last")
        except (ValueError, TypeError):
            raise unprocessable("invalid after_cursor") from None
        if last is not None:
            at = self.resume(items, int(last), at, bool(q.get("order")))
        chunk = items[at:at + limit]
        more = at + limit < len(items)
        return chunk, cursor_of(at=at + limit, last=chunk[-1]) if more and chunk else None

    def resume(self, items: list[int], last: int, at: int, ordered: bool) -> int:
        if not ordered:
            return int(np.searchsorted(np.array(items), last, side="right"))
        return items.index(last) + 1 if last in items else at

    def count(self, text: str) -> int:
        if not text.isdigit():
            raise unprocessable("limit must be a non-negative integer")
        return int(text)

    def offset_page(self, request: Request, items: list[int]) -> list[int]:
        offset = self.count(request.query_params.get("offset", "0"))
        if offset > 2000:
            raise unprocessable("offset exceeds the maximum of 2000, use the keyset endpoint")
        limit = min(self.count(request.query_params.get("limit", "20")), 500)
        return items[offset:offset + limit]

    def markets(self, request: Request) -> Any:
        now = now_of(request)
        found = self.rows(request, now)
        rows = self.ordered(request, found, found, now)
        chunk = self.offset_page(request, rows)
        return self.with_tags(request, self.shapes.markets(chunk, now), chunk)

    def events(self, request: Request) -> Any:
        now = now_of(request)
        numbers = self.ordered_events(request, now)
        return self.shapes.events(self.offset_page(request, numbers), now)

    # -- single things ----------------------------------------------------------------------

    def one_market(self, request: Request) -> Any:
        now, p = now_of(request), request.path_params
        row = self.index.by_slug.get(p["slug"]) if "slug" in p else self.row_of(p["id"])
        if row is None or row not in self.index.tokens or self.world.markets.open[row] > now:
            raise Refused(404, {"type": "not found error", "error": "id not found"})
        return self.shapes.markets([row], now)[0]

    def row_of(self, text: str) -> int | None:
        return int(text) - MARKET_ID if text.isdigit() else None

    def one_event(self, request: Request) -> Any:
        now, p = now_of(request), request.path_params
        number = self.index.by_event_slug.get(p["slug"]) if "slug" in p else (
            int(p["id"]) - EVENT_ID if p["id"].isdigit() else None)
        if number is None or number not in self.index.event_slugs or (
                self.world.specs[self.world.listings[number].event].open > now):
            raise Refused(404, {"type": "not found error", "error": "id not found"})
        return self.shapes.events([number], now)[0]

    def tags(self, request: Request) -> Any:
        labels = sorted({t["label"] for n in self.index.numbers for t in self.shapes.tags(n)})
        found = [{"id": tag_id(x), "label": x, "slug": slugify(x)} for x in labels]
        return found[self.count(request.query_params.get("offset", "0")):][
            :self.count(request.query_params.get("limit", "300"))]

    def one_tag(self, request: Request) -> Any:
        for tag in ({t["slug"]: t for n in self.index.numbers
                     for t in self.shapes.tags(n)}).values():
            if tag["slug"] == request.path_params["slug"]:
                return tag
        raise Refused(404, {"type": "not found error", "error": "slug not found"})

    def series(self, request: Request) -> Any:
        now = now_of(request)
        found = {}
        for n in self.index.numbers:
            for s in self.shapes.event_head(n, now).get("series", []):
                found[s["slug"]] = s
        return list(found.values())

    def sports(self, request: Request) -> Any:
        return [{"id": i + 1, "sport": short, "image": "", "resolution": "https://www.espn.com",
                 "ordering": "away", "tags": f"{tag_id('Sports')},{tag_id(name)}",
                 "series": str(10_000 + i)} for i, (name, short) in enumerate(LEAGUES.items())]

    def search(self, request: Request) -> Any:
        now = now_of(request)
        words = slugify(request.query_params.get("q", "")).split("-")
        if words == [""]:
            raise unprocessable("q is required")
        limit = self.count(request.query_params.get("limit_per_type", "10"))
        hits = [n for n in self.index.numbers if all(
            w in self.index.event_slugs[n] for w in words)
            and self.world.specs[self.world.listings[n].event].open <= now]
        return {"events": self.shapes.events(hits[:limit], now), "tags": [], "profiles": [],
                "pagination": {"hasMore": len(hits) > limit, "totalResults": len(hits)}}
