"""PredictIt's public market data, regenerated once a minute (venue sheet §2–4)."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from xml.etree import ElementTree as Xml

import numpy as np
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.books import ONE
from sandbox.kalshi_shapes import context
from sandbox.layout import PREDICTIT, Listing
from sandbox.paths import DAY
from sandbox.spec import EASTERN
from sandbox.state import Sandbox
from sandbox.wire import answer, now_of

PERIOD = 60.0
MARKET_ID, CONTRACT_ID = 7000, 30_000
PER_MINUTE = 120


def eastern_stamp(ts: float) -> str:
    """Eastern wall time without offset, seven fractional digits."""
    return datetime.fromtimestamp(ts, EASTERN).strftime("%Y-%m-%dT%H:%M:%S.%f") + "7"


class PredictIt:
    def __init__(self, box: Sandbox) -> None:
        self.box, self.world = box, box.world
        self.done = 0
        self.numbers: list[int] = []
        self.made: tuple[float, list[dict[str, Any]]] = (-1.0, [])

    def update(self) -> None:
        """Index listings that are new."""
        listings = self.world.listings
        self.numbers += [i for i in range(self.done, len(listings))
                         if listings[i].venue == PREDICTIT]
        self.done = len(listings)

    def snapshot(self, now: float) -> list[dict[str, Any]]:
        """All open markets as of the last regeneration."""
        at = now // PERIOD * PERIOD
        if self.made[0] != at:
            self.made = (at, self.build(at))
        return self.made[1]

    def build(self, at: float) -> list[dict[str, Any]]:
        mk = self.world.markets
        shown = [n for n in self.numbers if (x := self.world.listings[n])
                 and mk.open[x.first] <= at < mk.decided[x.first]]
        rows = [r for n in shown for x in [self.world.listings[n]]
                for r in range(x.first, x.first + x.count)]
        contracts = iter(self.contracts(rows, at))
        return [self.market(n, [next(contracts) for _ in range(self.world.listings[n].count)], at)
                for n in shown]

    def market(self, number: int, contracts: list[dict[str, Any]], at: float) -> dict[str, Any]:
        listing = self.world.listings[number]
        spec = self.world.specs[listing.event]
        text, w = spec.template.predictit, context(spec, spec.outcomes[0])
        id_ = MARKET_ID + listing.number
        return {"id": id_, "name": text.name.format(**w), "shortName": text.short.format(**w),
                "image": f"https://az620379.vo.msecnd.net/images/Markets/{id_}.jpg",
                "url": f"https://www.predictit.org/markets/detail/{id_}",
                "contracts": contracts, "timeStamp": eastern_stamp(at), "status": "Open"}

    def contracts(self, rows: list[int], at: float) -> list[dict[str, Any]]:
        if not rows:
            return []
        b, m = self.box.books, np.array(rows, dtype=np.int64)
        q, last = b.quotes(m, at), b.last_price(m, at)
        midnight = at // DAY * DAY + 5 * 3600
        midnight -= DAY if midnight > at else 0
        closed = b.last_price(m, midnight)
        return [self.contract(row, int(q.bid[i]), int(q.ask[i]), int(last[i]), int(closed[i]))
                for i, row in enumerate(rows)]

    def contract(self, row: int, bid: int, ask: int, last: int, closed: int) -> dict[str, Any]:
        mk = self.world.markets
        listing = self.world.listings[mk.listing[row]]
        spec = self.world.specs[listing.event]
        o = spec.outcomes[int(mk.outcome[row])]
        w = context(spec, o)
        id_ = CONTRACT_ID + row
        name = spec.template.predictit.contract.format(**w)
        return {"id": id_, "dateEnd": self.date_end(row, listing),
                "image": f"https://az620379.vo.msecnd.net/images/Contracts/small_{id_}.png",
                "name": name, "shortName": name, "status": "Open",
                "lastTradePrice": last / ONE, "bestBuyYesCost": ask / ONE if ask < ONE else None,
                "bestBuyNoCost": (ONE - bid) / ONE if bid > 0 else None,
                "bestSellYesCost": bid / ONE if bid > 0 else None,
                "bestSellNoCost": (ONE - ask) / ONE if ask < ONE else None,
                "lastClosePrice": closed / ONE if closed else None,
                "displayOrder": row - listing.first}

    def date_end(self, row: int, listing: Listing) -> str:
        """One of the four ways the site writes an end date."""
        close = datetime.fromtimestamp(float(self.world.markets.close[row]), EASTERN)
        way = int(self.world.markets.key[row] % np.uint64(6))
        if way < 3:
            return "NA"
        if way == 3:
            return "N/A"
        if way == 4:
            return close.strftime("%Y-%m-%dT%H:%M:%S")
        return close.strftime("%m/%d/%Y %I:%M:%S %p (ET)")

    # -- HTTP -------------------------------------------------------------------------------

    async def all(self, request: Request) -> Response:
        return reply(request, {"markets": self.snapshot(now_of(request))}, "MarketList")

    async def one(self, request: Request) -> Response:
        for market in self.snapshot(now_of(request)):
            if str(market["id"]) == request.path_params["id"]:
                return reply(request, market, "MarketData")
        return answer(None)  # the site answers null for a market it does not have

    def routes(self) -> list[Route]:
        return [Route("/api/marketdata/all/", self.all), Route("/api/marketdata/all", self.all),
                Route("/api/marketdata/markets/{id}", self.one)]


def reply(request: Request, value: dict[str, Any], root: str) -> Response:
    if "application/xml" in request.headers.get("accept", ""):
        return Response(Xml.tostring(as_xml(root, value), encoding="utf-8", xml_declaration=True),
                        media_type="application/xml; charset=utf-8")
    return answer(value)


SINGULAR = {"markets": ("Markets", "MarketData"), "contracts": ("Contracts", "MarketContract")}
XML_NAMES = {"id": "ID", "url": "URL"}


def as_xml(name: str, value: Any) -> Xml.Element:
    """The object as the site's XML: capitalised names, nil for null."""
    element = Xml.Element(name)
    if value is None:
        element.set("{http://www.w3.org/2001/XMLSchema-instance}nil", "true")
    elif isinstance(value, dict):
        for k, v in value.items():
            if isinstance(v, list):
                outer, inner = SINGULAR[k]
                child = Xml.SubElement(element, outer)
                child.extend([as_xml(inner, x) for x in v])
            else:
                element.append(as_xml(XML_NAMES.get(k, k[0].upper() + k[1:]), v))
    else:
        element.text = str(value)
    return element
