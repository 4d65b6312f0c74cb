"""Markets as JSON for other programs: the same selection as the page, prices as strings."""

from typing import Any

from django.shortcuts import get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from arbsite import clock
from markets.freshness import may_trade, recorded_until
from markets.listing import MarketFilter, MarketRow, page_number, page_of, row_of
from markets.models import LatestQuote, Market


class MarketsApi(APIView):
    """GET: one page of the list; the parameters are those of the page Markets."""

    def get(self, request: Request) -> Response:
        """Rows, and where the list goes on."""
        now = recorded_until() or clock.now()
        page = page_of(MarketFilter(request.GET), page_number(request.GET), now)
        return Response(
            {
                "as_of": now.isoformat(),
                "page": page.number,
                "pages": page.last,
                "count": page.count,
                "is_more": page.is_more,
                "markets": [market_json(row) for row in page.rows],
            }
        )


class MarketApi(APIView):
    """GET: one market with its rules and facts."""

    def get(self, request: Request, key: str) -> Response:
        """The market of this canonical id."""
        markets = Market.objects.select_related("venue", "event").defer("search")
        market = get_object_or_404(markets, key=key)
        quote = LatestQuote.objects.filter(outcome__market=market, outcome__index=0).first()
        now = recorded_until() or clock.now()
        body = market_json(row_of(market, quote, now)) | {
            "as_of": now.isoformat(),
            "rules": market.rules,
            "facts": market.facts,
            "outcomes": [outcome.label for outcome in market.outcomes.all()],
        }
        return Response(body)


def market_json(row: MarketRow) -> dict[str, Any]:
    """One market as other programs read it; a missing figure is null."""
    market, quote = row.market, row.quote
    return {
        "market": market.key,
        "title": market.title,
        "subtitle": market.subtitle,
        "event": market.event.key if market.event else None,
        "venue": market.venue_id,
        "category": market.category,
        "status": market.status,
        "is_tracked": market.is_tracked,
        "close_time": market.close_time.isoformat() if market.close_time else None,
        "url": market.url,
        "bid": _text(quote and quote.bid),
        "ask": _text(quote and quote.ask),
        "mid": _text(row.mid),
        "bid_size": _text(quote and quote.bid_size),
        "ask_size": _text(quote and quote.ask_size),
        "volume_24h": _text(quote and quote.volume_24h),
        "flags": quote.flags.split() if quote else [],
        "is_tradable": may_trade(market, quote, row.is_stale),
        "is_stale": row.is_stale,
        "received_at": quote.received_at.isoformat() if quote else None,
        "checked_at": quote.checked_at.isoformat() if quote else None,
    }


def _text(number: object) -> str | None:
    return None if number is None else str(number)
