"""Kalshi's objects: the world in the words and fields of venue sheet §4."""

from __future__ import annotations

import uuid
from collections import OrderedDict
from typing import Any

import numpy as np

from sandbox.books import (
    ACTIVE,
    CLOSED,
    DETERMINED,
    DISPUTED,
    FINAL,
    ONE,
    PAUSED,
    UNOPENED,
    Books,
    dollars,
    hundredths,
)
from sandbox.clock import iso
from sandbox.layout import KALSHI, Listing, kalshi_event_ticker, outcome_code
from sandbox.paths import DAY, Array, key_of
from sandbox.spec import BINARY, Outcome, Spec
from sandbox.wording import TEMP
from sandbox.world import GRIDS, World

STATUS = {UNOPENED: "initialized", ACTIVE: "active", PAUSED: "inactive", CLOSED: "closed",
          DETERMINED: "determined", DISPUTED: "disputed", FINAL: "finalized"}
LABELS = {v: k for k, v in GRIDS.items()}
RANGES = {
    0: [("0.0000", "1.0000", "0.0100")],
    1: [("0.0000", "1.0000", "0.0010")],
    2: [("0.0000", "0.1000", "0.0010"), ("0.1000", "0.9000", "0.0100"),
        ("0.9000", "1.0000", "0.0010")],
    3: [("0.0000", "0.0100", "0.0001"), ("0.0100", "0.9900", "0.0010"),
        ("0.9900", "1.0000", "0.0001")],
}
PRICE_RANGES = {g: [{"start": a, "end": b, "step": s} for a, b, s in r] for g, r in RANGES.items()}
CACHE = 30_000
OTHER = Outcome("Other", "OTHER", short="Other")


def stable_uuid(*keys: int) -> str:
    hi, lo = key_of(*keys, 1), key_of(*keys, 2)
    return str(uuid.UUID(int=(hi << 64) | lo, version=4))


def range_words(o: Outcome) -> dict[str, str]:
    """How the venues write a temperature range."""
    if o.lo is None:
        top = f"{(o.hi or 0) - 1:.0f}"
        return {"range_k": f"{top}° or below", "range_r": f"less than {float(top) + 1:.0f}°",
                "range_p": f"{top}°F or below", "range_g": f"{top}°F or below"}
    if o.hi is None:
        low = f"{o.lo:.0f}"
        return {"range_k": f"{low}° or above", "range_r": f"greater than {o.lo - 1:.0f}°",
                "range_p": f"{low}°F or higher", "range_g": f"{low}°F or higher"}
    pair = f"{o.lo:.0f}", f"{o.hi:.0f}"
    return {"range_k": f"{pair[0]}° to {pair[1]}°", "range_r": f"between {pair[0]}-{pair[1]}°",
            "range_p": f"between {pair[0]}-{pair[1]}°F", "range_g": f"{pair[0]}-{pair[1]}°F"}


def context(spec: Spec, o: Outcome) -> dict[str, Any]:
    """Everything a format string may name."""
    words = spec.words(o)
    if spec.template is TEMP:
        words.update(range_words(o))
    return words


def outcome_of(spec: Spec, i: int) -> Outcome:
    return spec.outcomes[i] if i < len(spec.outcomes) else OTHER


class KalshiIndex:
    """Tickers to rows and back, kept up with the world."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.done = 0
        self.rows: list[int] = []
        self.tickers: dict[int, str] = {}
        self.by_ticker: dict[str, int] = {}
        self.events: dict[str, Listing] = {}
        self.event_tickers: dict[int, str] = {}
        self.series: dict[str, list[int]] = {}
        self.order: list[int] = []  # listing numbers in the order they came
        self.row_array: Array = np.empty(0, dtype=np.int64)
        self.combo_rows: list[int] = []

    def update(self) -> None:
        listings = self.world.listings
        if self.done == len(listings):
            return
        for i in range(self.done, len(listings)):
            if listings[i].venue == KALSHI:
                self._add(i, listings[i])
        self.done = len(listings)
        self.row_array = np.array(self.rows, dtype=np.int64)

    def _add(self, i: int, listing: Listing) -> None:
        spec = self.world.specs[listing.event]
        series, event = kalshi_event_ticker(spec)
        self.events[event] = listing
        self.event_tickers[i] = event
        self.series.setdefault(series, []).append(i)
        self.order.append(i)
        for k in range(listing.count):
            row = listing.first + k
            code = outcome_code(spec, spec.outcomes[k])
            ticker = event if spec.template.kind == BINARY and not spec.outcomes[k].code \
                else f"{event}-{code}"
            self.tickers[row] = ticker
            self.by_ticker[ticker] = row
            self.rows.append(row)
            if listing.combo:
                self.combo_rows.append(row)

    def series_of(self, listing: Listing) -> str:
        return kalshi_event_ticker(self.world.specs[listing.event])[0]


class KalshiShapes:
    def __init__(self, world: World, books: Books) -> None:
        self.world, self.books = world, books
        self.index = KalshiIndex(world)
        self.cache: OrderedDict[int, dict[str, Any]] = OrderedDict()

    def static(self, row: int) -> dict[str, Any]:
        """The part of a market that never changes (rules aside)."""
        found = self.cache.get(row)
        if found is None:
            found = self.cache[row] = self._static(row)
            if len(self.cache) > CACHE:
                self.cache.popitem(last=False)
        return found

    def _static(self, row: int) -> dict[str, Any]:
        mk = self.world.markets
        listing = self.world.listings[mk.listing[row]]
        spec = self.world.specs[listing.event]
        o = outcome_of(spec, int(mk.outcome[row]))
        t, w = spec.template.kalshi, context(spec, o)
        sub = t.yes.format(**w)
        grid = int(mk.grid[row])
        floor, cap, kind = strikes(spec, o, t.strike_type)
        expire = spec.close + 7 * DAY
        found = {
            "ticker": self.index.tickers[row],
            "event_ticker": self.index.event_tickers[int(mk.listing[row])],
            "market_type": "binary", "title": (t.title or t.event).format(**w), "subtitle": "",
            "yes_sub_title": sub, "no_sub_title": sub,
            "created_time": iso(float(mk.open[row]) - 3600), "open_time": iso(float(mk.open[row])),
            "expected_expiration_time": iso(spec.close + 3600), "expiration_time": iso(expire),
            "latest_expiration_time": iso(expire),
            "settlement_timer_seconds": int(mk.settled[row] - mk.determined[row])
            if not mk.disputed[row] else 3600,
            "notional_value_dollars": "1.0000", "can_close_early": spec.template.kind == BINARY,
            "early_close_condition": "This market will close and expire early if the event occurs."
            if spec.template.kind == BINARY and "by" in spec.p else None,
            "strike_type": kind, "floor_strike": floor, "cap_strike": cap,
            "functional_strike": None, "custom_strike": {"Name": o.name} if kind == "custom"
            else None, "occurrence_datetime": iso(spec.p["start"]) if "start" in spec.p else None,
            "fee_waiver_expiration_time": None,
            "rules_primary": t.rules.format(**w), "rules_secondary": t.more_rules.format(**w),
            "price_level_structure": LABELS[grid], "price_ranges": PRICE_RANGES[grid],
            "settlement_bounds_type": "default", "is_provisional": False,
            "exchange_index": shard(spec, listing),
        }
        if listing.combo:
            found |= self._combo(row)
        return found

    def _combo(self, row: int) -> dict[str, Any]:
        legs = self.world.specs[self.world.markets.event[row]].p["rows"]
        return {"mve_collection_ticker": "KXMVESPORTSMULTIGAMEEXTENDED-R",
                "mve_selected_legs": [
                    {"market_ticker": self.index.tickers[r], "side": "yes",
                     "event_ticker": self.index.event_tickers[int(self.world.markets.listing[r])]}
                    for r in legs]}

    def markets(self, rows: list[int], now: float) -> list[dict[str, Any]]:
        """Full Market objects as of `now`."""
        if not rows:
            return []
        m = np.array(rows, dtype=np.int64)
        b, mk = self.books, self.world.markets
        q, y = b.quotes(m, now), b.quotes(m, now - DAY)
        status = b.status(m, now)
        sizes = b.levels(m, now, 1)
        bid_size, ask_size = sizes[1][:, 0], sizes[3][:, 0]
        last, before = b.last_price(m, now), b.last_price(m, now - DAY)
        volume = b.volume(m, now)
        day = volume - b.volume(m, now - DAY)
        updated, paid = b.updated(m, now), self.world.payout(m)
        out = []
        for i, row in enumerate(rows):
            bid, ask = int(q.bid[i]), int(q.ask[i])
            s = int(status[i])
            done = s in (DETERMINED, DISPUTED, FINAL)
            dead = bid == 0 and ask == ONE and row % 2
            ask_text = "0.0000" if dead else dollars(ask)
            result = settlement_word(float(paid[i])) if done else ""
            fair_close = float(mk.close[row] if now < mk.decided[row] else mk.decided[row])
            out.append({**self.static(row), **self.revised(row, now),
                "updated_time": iso(float(updated[i])), "close_time": iso(fair_close),
                "status": STATUS[s], "result": result,
                "yes_bid_dollars": dollars(bid), "yes_bid_size_fp": hundredths(int(bid_size[i])),
                "yes_ask_dollars": ask_text, "yes_ask_size_fp": hundredths(int(ask_size[i])),
                "no_bid_dollars": dollars(ONE - ask), "no_ask_dollars": dollars(ONE - bid),
                "last_price_dollars": dollars(int(last[i])),
                "previous_yes_bid_dollars": dollars(int(y.bid[i])),
                "previous_yes_ask_dollars": dollars(int(y.ask[i])),
                "previous_price_dollars": dollars(int(before[i])),
                "volume_fp": hundredths(int(volume[i])),
                "volume_24h_fp": hundredths(int(day[i])),
                "open_interest_fp": hundredths(int(volume[i]) * 2 // 5),
                "expiration_value": result.capitalize() if s == FINAL else "",
                "settlement_value_dollars": f"{float(paid[i]):.4f}" if done else None,
                "settlement_ts": iso(float(mk.settled[row])) if s == FINAL else None})
        return out

    def revised(self, row: int, now: float) -> dict[str, Any]:
        """The rules text after its change, for the few markets that have one."""
        if now < self.world.markets.revised[row]:
            return {}
        return {"rules_secondary": (self.static(row)["rules_secondary"] + " Clarification: the "
                "outcome is judged by the first official publication.").strip()}

    def event(self, number: int, now: float) -> dict[str, Any]:
        listing = self.world.listings[number]
        spec = self.world.specs[listing.event]
        t, w = spec.template.kalshi, context(spec, spec.outcomes[0])
        rows = np.arange(listing.first, listing.first + listing.count)
        updated = float(self.books.updated(rows, now).max())
        strike = None if spec.template.kind == BINARY and "by" in spec.p else iso(spec.close)
        fee = self.event_fee(number, now)
        return {
            "event_ticker": self.index.event_tickers[number],
            "series_ticker": self.index.series_of(listing), "title": t.event.format(**w),
            "sub_title": t.sub_title.format(**w),
            "collateral_return_type": "MECNET" if spec.template.exclusive else "",
            "mutually_exclusive": spec.template.exclusive, "strike_date": strike,
            "strike_period": None, "category": t.category, "settlement_sources": source(spec),
            "product_metadata": {"cadence": t.frequency}, "last_updated_ts": iso(updated),
            "fee_type_override": fee[0], "fee_multiplier_override": fee[1],
            "exchange_index": shard(spec, listing)}

    def event_fee(self, number: int, now: float) -> tuple[str | None, float | None]:
        """Every 97th event has an override from a day after the origin on."""
        if number % 97 == 11 and now >= self.world.origin + DAY:
            return "quadratic", 0.5
        return None, None

    def series(self, ticker: str, now: float, volume: bool = False) -> dict[str, Any]:
        numbers = self.index.series[ticker]
        listing = self.world.listings[numbers[0]]
        spec = self.world.specs[listing.event]
        t, w = spec.template.kalshi, context(spec, spec.outcomes[0])
        fee_type, multiplier = self.series_fee(ticker, now)
        found: dict[str, Any] = {
            "ticker": ticker, "frequency": t.frequency, "title": t.series_title.format(**w),
            "category": t.category, "categories": [t.category],
            "tags": [tag.format(**w) for tag in t.tags], "settlement_sources": source(spec),
            "contract_url": f"https://kalshi-public-docs.s3.amazonaws.com/contracts/{ticker}.pdf",
            "contract_terms_url":
                f"https://kalshi-public-docs.s3.amazonaws.com/contract_terms/{ticker}.pdf",
            "product_metadata": None, "fee_type": fee_type, "fee_multiplier": multiplier,
            "additional_prohibitions": [], "last_updated_ts": iso(self.world.origin - 30 * DAY),
            "exchange_index": shard(spec, listing)}
        if volume:
            rows = np.concatenate([
                np.arange(x.first, x.first + x.count)
                for x in (self.world.listings[n] for n in numbers)])
            found["volume_fp"] = hundredths(int(self.books.volume(rows, now).sum()))
        return found

    def series_fee(self, ticker: str, now: float) -> tuple[str, float]:
        """The fee in force: the last change at or before `now`, else the template's own."""
        for change in reversed(self.fee_changes(ticker)):
            if change["at"] <= now:
                return change["fee_type"], change["fee_multiplier"]
        spec = self.world.specs[self.world.listings[self.index.series[ticker][0]].event]
        return spec.template.kalshi.fee_type, spec.template.kalshi.fee_multiplier

    def fee_changes(self, ticker: str) -> list[dict[str, Any]]:
        """Dated changes of a series, oldest first: one past, one a day ahead of the origin."""
        plan = {"KXNFLGAME": (-40.0, "quadratic_with_maker_fees", 1),
                "KXNHLGAME": (1.0, "quadratic", 1), "KXHIGHNY": (1.5, "quadratic", 0.5),
                "KXBTCD": (-20.0, "quadratic", 1), "KXBILL": (-3.0, "quadratic", 0)}
        if ticker not in plan:
            return []
        days, fee_type, multiplier = plan[ticker]
        return [{"at": self.world.origin + days * DAY, "series_ticker": ticker,
                 "fee_type": fee_type, "fee_multiplier": multiplier}]


def strikes(spec: Spec, o: Outcome, kind: str | None) -> tuple[Any, Any, str | None]:
    """(floor_strike, cap_strike, strike_type)."""
    if kind == "between":
        if o.lo is None:
            return None, o.hi, "less"
        if o.hi is None:
            return whole(o.lo - 1), None, "greater"
        return whole(o.lo), whole(o.hi), "between"
    if o.lo is not None:
        return whole(o.lo), None, kind or "greater_or_equal"
    return None, None, "custom" if o.code else kind


def whole(x: float | None) -> float | int | None:
    return int(x) if x is not None and float(x).is_integer() else x


def shard(spec: Spec, listing: Listing) -> int:
    """The matching shard (venue sheet §5.1)."""
    if listing.combo:
        return 1
    return 2 if spec.template.category == "crypto" else 3 if spec.p.get("league") == "NBA" else 0


def source(spec: Spec) -> list[dict[str, str]]:
    name, url = spec.template.kalshi.source
    return [{"name": name, "url": url}]


def settlement_word(paid: float) -> str:
    return {0.0: "no", 1.0: "yes"}.get(paid, "scalar")
