"""Polymarket's objects: ids, Gamma events and markets, CLOB books (venue sheet §1.4–3)."""

from __future__ import annotations

import hashlib
import json
import re
from collections import OrderedDict
from typing import Any

import numpy as np

from sandbox.books import ACTIVE, DISPUTED, FINAL, LEVELS, ONE, UNOPENED, Books, plain
from sandbox.catalogue import PolyText, Template
from sandbox.clock import iso
from sandbox.kalshi_shapes import context, outcome_of
from sandbox.layout import POLY, Listing
from sandbox.paths import DAY, Array
from sandbox.spec import Spec
from sandbox.wording import OFFICE_EXIT
from sandbox.world import World

CACHE = 30_000
MARKET_ID, EVENT_ID = 500_000, 20_000
ABROAD = ("UKPM", "FRPRES", "DECHANC", "ILPM", "JPPM")  # geopolitics: no fee
GAMMA_CACHE_S = 60.0


def digest(*parts: object) -> bytes:
    return hashlib.sha256("|".join(map(str, parts)).encode()).digest()


def slugify(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def shares(x: int) -> str:
    """Hundredths of a share as Polymarket writes them: 30, 20.5."""
    return f"{x // 100}.{x % 100:02d}".rstrip("0").rstrip(".")


def tag_id(label: str) -> str:
    known = {"Politics": "2", "Sports": "1", "Crypto": "21", "Economy": "100328",
             "Weather": "84", "Culture": "596", "NFL": "450", "NBA": "745", "NHL": "899"}
    return known.get(label) or str(101_000 + int.from_bytes(digest("tag", label)[:3]) % 90_000)


class PolyIndex:
    """Condition ids, tokens and slugs to rows, kept up with the world."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.done = 0
        self.rows: list[int] = []
        self.numbers: list[int] = []
        self.conditions: dict[int, str] = {}
        self.tokens: dict[int, tuple[str, str]] = {}
        self.by_condition: dict[str, int] = {}
        self.by_token: dict[str, tuple[int, int]] = {}
        self.slugs: dict[int, str] = {}
        self.by_slug: dict[str, int] = {}
        self.event_slugs: dict[int, str] = {}
        self.by_event_slug: dict[str, int] = {}
        self.row_array: Array = np.empty(0, dtype=np.int64)

    def update(self) -> None:
        listings = self.world.listings
        if self.done == len(listings):
            return
        for i in range(self.done, len(listings)):
            if listings[i].venue == POLY:
                self._add(i, listings[i])
        self.done = len(listings)
        self.row_array = np.array(self.rows, dtype=np.int64)

    def _add(self, i: int, listing: Listing) -> None:
        spec = self.world.specs[listing.event]
        text = wording(spec, listing)
        self.numbers.append(i)
        slug = slugify(text.event.format(**context(spec, spec.outcomes[0])))
        slug = slug if slug not in self.by_event_slug else f"{slug}-{i}"
        self.event_slugs[i], self.by_event_slug[slug] = slug, i
        for k in range(listing.count):
            row = listing.first + k
            self.rows.append(row)
            raw = digest("condition", self.world.seed, row)
            condition = "0x" + (raw[:31] if listing.protocol == "v2" else raw).hex()
            pair = tuple(token(self.world.seed, row, s, listing.protocol) for s in (0, 1))
            self.conditions[row], self.by_condition[condition] = condition, row
            self.tokens[row] = (pair[0], pair[1])
            for side, t in enumerate(pair):
                self.by_token[t] = (row, side)
            words = context(spec, outcome_of(spec, k))
            name = slugify(text.question.format(**words))
            name = name if name not in self.by_slug else f"{name}-{row}"
            self.slugs[row], self.by_slug[name] = name, row


def token(seed: int, row: int, side: int, protocol: str) -> str:
    """A token id; in a v2 position id the bits 40..103 are zero (venue sheet §4.4)."""
    n = int.from_bytes(digest("token", seed, row, side))
    if protocol == "v2":
        n &= ~(((1 << 64) - 1) << 40)
    return str(n | (1 << 254))


def wording(spec: Spec, listing: Listing) -> PolyText:
    t: Template = spec.template
    return t.inverse_poly if listing.inverse and t.inverse_poly else t.poly


def fees(spec: Spec) -> tuple[str, dict[str, Any] | None]:
    """(feeType, feeSchedule)."""
    t = spec.template.poly
    if spec.template is OFFICE_EXIT and spec.p["code"] in ABROAD:
        return "zero_fees", None
    return t.fee_type, {"exponent": 1, "rate": t.fee_rate, "takerOnly": True,
                        "rebateRate": t.rebate}


class PolyShapes:
    def __init__(self, world: World, books: Books) -> None:
        self.world, self.books = world, books
        self.index = PolyIndex(world)
        self.index.update()
        self.cache: OrderedDict[int, dict[str, Any]] = OrderedDict()

    def tick(self, row: int) -> float:
        return 0.01 if self.world.markets.grid[row] == 0 else 0.001

    def neg_risk(self, row: int) -> bool:
        listing = self.listing(row)
        return bool(self.world.specs[listing.event].template.exclusive and listing.count > 1)

    def listing(self, row: int) -> Listing:
        return self.world.listings[int(self.world.markets.listing[row])]

    def outcomes(self, row: int) -> list[str]:
        listing = self.listing(row)
        spec = self.world.specs[listing.event]
        words = context(spec, spec.outcomes[0])
        return [name.format(**words) for name in wording(spec, listing).outcomes]

    # -- Gamma ------------------------------------------------------------------------------

    def static(self, row: int) -> dict[str, Any]:
        found = self.cache.get(row)
        if found is None:
            found = self.cache[row] = self._static(row)
            if len(self.cache) > CACHE:
                self.cache.popitem(last=False)
        return found

    def _static(self, row: int) -> dict[str, Any]:
        mk, listing = self.world.markets, self.listing(row)
        spec = self.world.specs[listing.event]
        text, w = wording(spec, listing), context(spec, outcome_of(spec, int(mk.outcome[row])))
        fee_type, schedule = fees(spec)
        opened, neg = float(mk.open[row]), self.neg_risk(row)
        ids = list(self.index.tokens[row])
        found: dict[str, Any] = {
            "id": str(MARKET_ID + row), "question": text.question.format(**w),
            "conditionId": self.index.conditions[row], "slug": self.index.slugs[row],
            "resolutionSource": text.source.format(**w),
            "endDate": iso(spec.p.get("start", spec.close)), "startDate": iso(opened, 6),
            "createdAt": iso(opened - 3600, 6), "description": text.description.format(**w),
            "image": f"https://polymarket-upload.s3.us-east-2.amazonaws.com/{row}.png",
            "icon": f"https://polymarket-upload.s3.us-east-2.amazonaws.com/{row}.png",
            "outcomes": json.dumps(self.outcomes(row)),
            "clobTokenIds": json.dumps(ids) if listing.protocol == "v1" else None,
            "archived": False, "restricted": True,
            "groupItemTitle": text.group.format(**w) if listing.count > 1 else "",
            "groupItemThreshold": str(row - listing.first),
            "questionID": "0x" + digest("question", row).hex(), "enableOrderBook": True,
            "acceptingOrdersTimestamp": iso(opened), "orderPriceMinTickSize": self.tick(row),
            "orderMinSize": 5, "negRisk": neg, "makerBaseFee": 1000, "takerBaseFee": 1000,
            "feesEnabled": schedule is not None, "feeType": fee_type, "feeSchedule": schedule,
            "rewardsMinSize": 50, "rewardsMaxSpread": 4.5, "umaBond": "500", "umaReward": "5",
            "version": listing.protocol}
        if listing.protocol == "v2":
            found["positionIds"] = ids
        if neg:
            found["negRiskMarketID"] = self.neg_risk_id(listing)
        if "start" in spec.p:
            found["gameStartTime"] = iso(spec.p["start"]).replace("T", " ").replace("Z", "+00")
            found["sportsMarketType"] = "moneyline"
        return found

    def neg_risk_id(self, listing: Listing) -> str:
        return "0x" + digest("negrisk", listing.first).hex()[:62] + "00"

    def markets(self, rows: list[int], now: float, parent: bool = True) -> list[dict[str, Any]]:
        """Gamma market objects. Prices are a cached minute old, as a CDN would have it."""
        if not rows:
            return []
        m, at = np.array(rows, dtype=np.int64), now // GAMMA_CACHE_S * GAMMA_CACHE_S
        b, mk = self.books, self.world.markets
        q, status = b.quotes(m, at), b.status(m, now)
        last, volume = b.last_price(m, at), b.volume(m, at)
        week, day = b.volume(m, at - 7 * DAY), b.volume(m, at - DAY)
        paid, updated = self.world.payout(m), b.updated(m, now)
        out = []
        for i, row in enumerate(rows):
            s, done = int(status[i]), status[i] == FINAL
            bid, ask = int(q.bid[i]) / ONE, int(q.ask[i]) / ONE
            price = round((bid + ask) / 2, 4) if s == ACTIVE else int(last[i]) / ONE
            shown = [number(price), number(round(1 - price, 4))] if not done else (
                self.final_prices(row, float(paid[i]), now))
            total, v24 = volume[i] / 100, (volume[i] - day[i]) / 100
            liquid = round(float(mk.size[row]) * 18, 4) if s == ACTIVE else 0.0
            item = {
                **self.static(row), **self.revised(row, now), "updatedAt": iso(float(updated[i])),
                "liquidity": f"{liquid}", "liquidityNum": liquid, "volume": f"{total:.6f}",
                "volumeNum": float(total), "volume24hr": float(v24),
                "volume1wk": float((volume[i] - week[i]) / 100),
                "outcomePrices": json.dumps(shown),
                "active": True, "closed": bool(done), "new": now - float(mk.open[row]) < 2 * DAY,
                "acceptingOrders": s == ACTIVE, "bestBid": bid, "bestAsk": ask,
                "lastTradePrice": int(last[i]) / ONE, "spread": round(ask - bid, 4)}
            if done:
                item["closedTime"] = iso(float(mk.settled[row])).replace("T", " ")[:-1] + "+00"
            item.update(self.resolution(row, s, now))
            if parent:
                item["events"] = [self.event_head(int(mk.listing[row]), now)]
            out.append(item)
        return out

    def resolution(self, row: int, status: int, now: float) -> dict[str, Any]:
        word = ""
        if status >= FINAL:
            word = "resolved"
        elif now >= self.world.markets.determined[row]:
            word = "disputed" if status == DISPUTED else "proposed"
        if self.listing(row).protocol == "v2":
            return {"resolutionStatus": {"": "active", "proposed": "posed", "disputed": "posed",
                                         "resolved": "resolved"}[word]}
        return {"umaResolutionStatus": word} if word else {}

    def final_prices(self, row: int, paid: float, now: float) -> list[str]:
        """How a closed market shows its end; some old ones show nothing (venue sheet §2.4)."""
        mk = self.world.markets
        if now - mk.settled[row] > 30 * DAY and mk.key[row] % np.uint64(4) == 0:
            return ["0", "0"]
        return {1.0: ["1", "0"], 0.0: ["0", "1"]}.get(paid, ["0.5", "0.5"])

    def revised(self, row: int, now: float) -> dict[str, Any]:
        if now < self.world.markets.revised[row]:
            return {}
        return {"description": self.static(row)["description"] + "\n\nAdditional context: the "
                "first official publication decides."}

    def event_head(self, number_: int, now: float) -> dict[str, Any]:
        """An event without its markets."""
        listing = self.world.listings[number_]
        spec = self.world.specs[listing.event]
        w = context(spec, spec.outcomes[0])
        neg = spec.template.exclusive and listing.count > 1
        slug = self.index.event_slugs[number_]
        text = wording(spec, listing)
        head: dict[str, Any] = {
            "id": str(EVENT_ID + number_), "ticker": slug, "slug": slug,
            "title": text.event.format(**w), "description": text.description.format(
                **context(spec, spec.outcomes[0])),
            "startDate": iso(spec.open, 6), "creationDate": iso(spec.open - 3600, 6),
            "endDate": iso(spec.close), "archived": False, "restricted": True,
            "enableOrderBook": True, "negRisk": neg, "enableNegRisk": neg,
            "negRiskAugmented": listing.augmented, "openInterest": 0}
        if neg:
            head["negRiskMarketID"] = self.neg_risk_id(listing)
        if "every" in spec.p:
            series = f"{spec.p['lower']}-up-or-down-{spec.p['span'].lower()}"
            head["startTime"] = iso(spec.p["begin"])
            head["series"] = [{"id": "10684", "ticker": series, "slug": series,
                               "title": f"{spec.p['sym']} Up or Down {spec.p['span'].lower()}",
                               "recurrence": spec.p["span"].lower()}]
        return head

    def tags(self, number_: int) -> list[dict[str, str]]:
        listing = self.world.listings[number_]
        spec = self.world.specs[listing.event]
        labels = [t.format(**context(spec, spec.outcomes[0])) for t in spec.template.poly.tags]
        if spec.template is OFFICE_EXIT and spec.p["code"] in ABROAD:
            labels.append("Geopolitics")
        return [{"id": tag_id(x), "label": x, "slug": slugify(x)} for x in labels]

    def events(self, numbers: list[int], now: float) -> list[dict[str, Any]]:
        """Gamma event objects with their markets."""
        spans = [self.world.listings[n] for n in numbers]
        rows = [r for x in spans for r in range(x.first, x.first + x.count)]
        made = iter(self.markets(rows, now, parent=False))
        out = []
        for n, x in zip(numbers, spans, strict=True):
            markets = [next(made) for _ in range(x.count)]
            total = {k: sum(m[k] for m in markets)
                     for k in ("volumeNum", "volume24hr", "volume1wk", "liquidityNum")}
            out.append({**self.event_head(n, now), "active": True,
                        "closed": all(m["closed"] for m in markets),
                        "liquidity": total["liquidityNum"], "volume": total["volumeNum"],
                        "volume24hr": total["volume24hr"], "volume1wk": total["volume1wk"],
                        "markets": markets, "tags": self.tags(n)})
        return out

    # -- CLOB -------------------------------------------------------------------------------

    def has_book(self, row: int, now: float) -> bool:
        return bool(self.books.status(row, now) not in (FINAL, UNOPENED)
                    and now < self.world.markets.decided[row])

    def clob_books(self, wanted: list[tuple[int, int]], now: float) -> list[dict[str, Any]]:
        """Books of (row, side); the NO book mirrors the YES book. Best prices come last."""
        if not wanted:
            return []
        m = np.array([row for row, _ in wanted], dtype=np.int64)
        bp, bs, ap, asz = self.books.levels(m, now, LEVELS)
        made, last = self.books.bucket(m, now), self.books.last_price(m, now)
        out = []
        for i, (row, side) in enumerate(wanted):
            bids = [(int(p), int(s)) for p, s in zip(bp[i], bs[i], strict=True) if s]
            asks = [(int(p), int(s)) for p, s in zip(ap[i], asz[i], strict=True) if s]
            if side:
                bids, asks = ([(ONE - p, s) for p, s in x] for x in (asks, bids))
            book: dict[str, Any] = {
                "market": self.index.conditions[row], "asset_id": self.index.tokens[row][side],
                "timestamp": str(int(made[i] * 1000)), "hash": "",
                "bids": [{"price": plain(p), "size": shares(s)} for p, s in reversed(bids)],
                "asks": [{"price": plain(p), "size": shares(s)} for p, s in reversed(asks)],
                "min_order_size": "5", "tick_size": number(self.tick(row)),
                "neg_risk": self.neg_risk(row), "last_trade_price": plain(int(last[i]))}
            compact = json.dumps(book, separators=(",", ":"), ensure_ascii=False)
            book["hash"] = hashlib.sha1(compact.encode()).hexdigest()
            out.append(book)
        return out

    def clob_market(self, row: int, now: float) -> dict[str, Any]:
        """The compact market info of /clob-markets."""
        listing = self.listing(row)
        spec = self.world.specs[listing.event]
        _, schedule = fees(spec)
        names, ids = self.outcomes(row), self.index.tokens[row]
        status = int(self.books.status(row, now))
        found: dict[str, Any] = {
            "c": self.index.conditions[row],
            "t": [{"t": t, "o": o} for t, o in zip(ids, names, strict=True)], "mos": 5,
            "mts": self.tick(row), "mbf": 1000, "tbf": 1000, "ao": status == ACTIVE, "cbos": True,
            "aot": iso(float(self.world.markets.open[row])), "ibce": True,
            "r": {"mi": 50, "ma": 4.5, "e": True, "moas": 4}, "nr": self.neg_risk(row),
            "v": listing.protocol}
        if schedule is not None:
            found["fd"] = {"r": schedule["rate"], "e": 1, "to": True}
        if spec.template.category == "sports":
            found["itode"] = True
        return found


def number(x: float) -> str:
    """0.505 as Polymarket writes it inside strings."""
    return f"{x:.4f}".rstrip("0").rstrip(".") or "0"
