"""The list of markets: page, its refreshed part, and its export."""

import csv
import io
from collections.abc import AsyncIterator, Iterable, Iterator

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_safe

from arbsite import clock
from markets.freshness import recorded_until
from markets.listing import MarketFilter, MarketRow, export_rows, page_number, page_of
from markets.ranks import rank_new_markets
from markets.views.request import DeskRequest

REFRESH_SECONDS = 10
_HEADER = (
    "market,title,event,venue,category,status,bid,ask,mid,spread,bid_size,ask_size,volume_24h,"
    "closes,checked_at,stale,flags,url"
).split(",")
_PARTS = {"results": "markets/_results.html", "rows": "markets/_rows.html"}


@require_safe
def market_list(request: DeskRequest) -> HttpResponse:
    """The page; for htmx the part of it that was asked for."""
    rank_new_markets()
    now = recorded_until() or clock.now()
    asked = MarketFilter(request.GET)
    page = page_of(asked, page_number(request.GET), now)
    context = {
        "form": asked,
        "asked": asked.asked(),
        "page": page,
        "now": now,
        "refresh": REFRESH_SECONDS,
    }
    template = "markets/list.html"
    if request.htmx and not request.htmx.history_restore_request:
        template = _PARTS.get(request.htmx.target or "", template)
    response = render(request, template, context)
    patch_vary_headers(response, ("HX-Request", "HX-Target"))
    return response


@require_safe
def market_export(request: DeskRequest) -> StreamingHttpResponse:
    """The current filter as CSV, streamed; the first 10,000 rows of it."""
    now = recorded_until() or clock.now()
    lines = _csv_lines(export_rows(MarketFilter(request.GET), now))
    body = _dripped(lines) if isinstance(request, ASGIRequest) else lines
    response = StreamingHttpResponse(body, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="markets-{now:%Y%m%d-%H%M%S}.csv"'
    return response


def _csv_lines(rows: Iterable[MarketRow]) -> Iterator[str]:
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(_HEADER)
    for row in rows:
        writer.writerow([_safe(cell) for cell in _cells(row)])
        if buffer.tell() > 32_768:
            yield buffer.getvalue()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue()


async def _dripped(lines: Iterator[str]) -> AsyncIterator[str]:
    """The same lines under ASGI, where the database may only be asked from a thread."""
    read = sync_to_async(lambda: next(lines, None))
    while (part := await read()) is not None:
        yield part


def _cells(row: MarketRow) -> list[object]:
    market, quote = row.market, row.quote
    prices: list[object] = [None] * 7
    if quote is not None:
        sizes = [quote.bid_size, quote.ask_size, quote.volume_24h]
        prices = [quote.bid, quote.ask, row.mid, row.spread, *sizes]
    return [
        market.key,
        market.title,
        market.event.title if market.event else "",
        market.venue_id,
        market.category,
        market.status,
        *prices,
        market.close_time.isoformat() if market.close_time else "",
        quote.checked_at.isoformat() if quote else "",
        "stale" if row.is_stale else "",
        quote.flags if quote else "",
        market.url,
    ]


def _safe(cell: object) -> object:
    """Venue text that a spreadsheet would run as a formula is marked as text."""
    if isinstance(cell, str) and cell.startswith(("=", "+", "-", "@", "\t", "\r")):
        return "'" + cell
    return cell
