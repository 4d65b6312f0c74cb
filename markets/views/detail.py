"""One market on one page: price, book, outcomes, rules and their changes, fees, times."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_safe
from kombu.exceptions import OperationalError

from arbsite import clock
from markets.calc.ladder import Ladder, ladder, mirror
from markets.calc.quality import MEANING
from markets.calc.wording import Change, changes
from markets.figures import SPANS, price_figure
from markets.freshness import limit_s, recorded_until
from markets.history import needs_chart
from markets.listing import MarketRow, row_of, rows_of
from markets.models import LatestBook, LatestQuote, Market, MarketRevision, Outcome
from markets.tasks import fill_chart
from markets.terms import fees_of
from markets.views.request import DeskRequest

log = logging.getLogger(__name__)

REFRESH_SECONDS = 10
SIBLINGS = 12
REVISIONS = 20
CHART_EXPIRES = 30  # wall seconds in which nobody waits for candles any more


@dataclass(frozen=True)
class Revision:
    """A dated change, and for texts what changed in them."""

    row: MarketRevision
    changes: Sequence[Change]


@dataclass(frozen=True)
class Book:
    """The book of outcome 0 and the same orders seen from the other side."""

    row: LatestBook
    first: Ladder
    other: Ladder
    age_s: float
    is_stale: bool


@require_safe
def market_detail(request: DeskRequest, key: str) -> HttpResponse:
    """The page of the market with this canonical id; for htmx its moving part."""
    market = _market(key)
    now = recorded_until() or clock.now()
    context = {"market": market, "now": now, "refresh": REFRESH_SECONDS} | _live(market, now)
    if request.htmx and request.htmx.target == "live":
        return render(request, "markets/_live.html", context)
    context |= {
        "revisions": [_revision(row) for row in market.revisions.all()[:REVISIONS]],
        "fees": fees_of(market, now),
        "siblings": _siblings(market, now),
        "spans": list(SPANS),
    }
    response = render(request, "markets/detail.html", context)
    patch_vary_headers(response, ("HX-Request", "HX-Target"))
    return response


@require_safe
def market_chart(request: DeskRequest, key: str) -> JsonResponse:
    """The price figure of outcome 0 over `hours`."""
    hours = request.GET.get("hours", "24")
    if hours not in {str(span) for span in SPANS}:
        raise Http404("no chart over this span")
    outcome = get_object_or_404(Outcome.objects.select_related("market"), market__key=key, index=0)
    recorded = recorded_until()
    is_filling = recorded is None and _ask_for_candles(outcome.market)
    figure = price_figure(outcome, recorded or clock.now(), int(hours))
    return JsonResponse(figure | {"is_filling": is_filling})


def _ask_for_candles(market: Market) -> bool:
    """Queue the venue's own candles where they are missing; the chart asks again soon after."""
    if not needs_chart(market):
        return False
    try:
        fill_chart.apply_async((market.pk,), expires=CHART_EXPIRES, retry=False)
    except OperationalError as problem:
        log.warning("no broker to ask for candles: %s", problem)
        return False
    return True


def _market(key: str) -> Market:
    markets = Market.objects.select_related("venue", "event").defer("search")
    return get_object_or_404(markets, key=key)


def _live(market: Market, now: datetime) -> dict[str, object]:
    outcomes = list(market.outcomes.all())
    quote = LatestQuote.objects.filter(outcome__market=market, outcome__index=0).first()
    row = row_of(market, quote, now)
    return {
        "row": row,
        "quote": quote,
        "outcomes": outcomes,
        "doubts": _doubts(market, quote),
        "book": _book(market, now),
        "limit_s": limit_s(market),
    }


def _doubts(market: Market, quote: LatestQuote | None) -> list[str]:
    """Why its price is not to be traded on; a flag without words is shown as it is."""
    if quote is None:
        return []
    flags = quote.flags.split() + ([] if market.is_open() else ["not_open"])
    return [MEANING.get(flag, flag) for flag in dict.fromkeys(flags)]


def _book(market: Market, now: datetime) -> Book | None:
    row = LatestBook.objects.filter(outcome__market=market, outcome__index=0).first()
    if row is None:
        return None
    bids, asks = _levels(row.bids), _levels(row.asks)
    age = max(0.0, (now - row.received_at).total_seconds())
    is_stale = market.is_open() and age > 2 * limit_s(market) + 60
    return Book(row, ladder(bids, asks), ladder(*mirror(bids, asks)), age, is_stale)


def _levels(stored: Sequence[Sequence[str]]) -> list[tuple[Decimal, Decimal]]:
    return [(Decimal(price), Decimal(size)) for price, size in stored]


def _revision(row: MarketRevision) -> Revision:
    return Revision(row, changes(row.old, row.new))


def _siblings(market: Market, now: datetime) -> list[MarketRow]:
    """Other markets of the event, the most likely first."""
    if market.event_id is None:
        return []
    others = Market.objects.filter(event=market.event_id).exclude(pk=market.pk)
    rows = rows_of(list(others.values_list("pk", flat=True)[:200]), now)
    return sorted(rows, key=lambda row: row.mid or Decimal(-1), reverse=True)[:SIBLINGS]
