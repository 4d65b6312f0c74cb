"""One market on one page."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from arbsite import clock
from markets.freshness import recorded_until
from markets.models import Market


@require_safe
def market_detail(request: HttpRequest, key: str) -> HttpResponse:
    """The page of the market with this canonical id."""
    market = get_object_or_404(Market.objects.select_related("venue", "event"), key=key)
    return render(
        request, "markets/detail.html", {"market": market, "now": recorded_until() or clock.now()}
    )
