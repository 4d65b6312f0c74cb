"""What makes a price untrustworthy: each doubt a word, so that a page can say why.

Thresholds are ours: a venue clock may run a little ahead of ours, and figures that a venue
rounds may miss their complement by a step.
"""

from datetime import datetime, timedelta
from decimal import Decimal

from markets.calc.ticks import Grid
from markets.quotes import OrderBook, Quote

ONE = Decimal(1)

#: Every flag with what it means to a reader.
MEANING = {
    "crossed": "the bid is above the ask",
    "locked": "the bid equals the ask",
    "off_tick": "a price is not on the market's price grid",
    "not_complementary": "the two sides of the market do not add up to one",
    "future": "the venue's time lies ahead of ours",
    "frozen": "the venue's own time has stopped moving",
    "indicative": "a cached or derived price, not an order book",
    "not_open": "the market is not open for trading",
}


def quote_flags(
    quote: Quote,
    grid: Grid | None,
    frozen_after: timedelta | None = None,
    ahead: timedelta = timedelta(seconds=5),
    is_open: bool = True,
) -> str:
    """The doubts about a quote, space-separated in a fixed order; empty when there are none.

    `frozen_after` is how old a venue's time may be when the venue stamps every answer; None where
    it stamps only changes. `ahead` is the clock difference that is forgiven.
    """
    bid, ask = quote.bid, quote.ask
    doubts = [] if bid is None or ask is None or bid < ask else [_touch(bid, ask)]
    if grid is not None and not (
        (bid is None or grid.holds(bid)) and (ask is None or grid.holds(ask))
    ):
        doubts.append("off_tick")
    if not (_complements(bid, quote.other_ask) and _complements(ask, quote.other_bid)):
        doubts.append("not_complementary")
    if quote.venue_ts is not None:
        doubts += _time_doubts(quote.venue_ts, quote.received_at, frozen_after, ahead)
    if quote.is_indicative:
        doubts.append("indicative")
    if not is_open:
        doubts.append("not_open")
    return " ".join(doubts)


def book_flags(
    book: OrderBook,
    grid: Grid | None,
    frozen_after: timedelta | None = None,
    ahead: timedelta = timedelta(seconds=5),
    is_open: bool = True,
) -> str:
    """The doubts about a book: its top as a quote, and every level on the grid."""
    flags = quote_flags(top_of_book(book), None, frozen_after, ahead, is_open)
    levels = book.bids + book.asks
    if grid is not None and not all(grid.holds(level.price) for level in levels):
        return f"{flags} off_tick".strip()
    return flags


def top_of_book(book: OrderBook) -> Quote:
    """The best prices of a book as a quote."""
    bid = book.bids[0] if book.bids else None
    ask = book.asks[0] if book.asks else None
    return Quote(
        venue=book.venue,
        ref=book.ref,
        outcome=book.outcome,
        received_at=book.received_at,
        venue_ts=book.venue_ts,
        bid=bid.price if bid else None,
        ask=ask.price if ask else None,
        bid_size=bid.size if bid else None,
        ask_size=ask.size if ask else None,
    )


def _touch(bid: Decimal, ask: Decimal) -> str:
    return "locked" if bid == ask else "crossed"


def _complements(price: Decimal | None, other: Decimal | None) -> bool:
    return price is None or other is None or price + other == ONE


def _time_doubts(
    stamp: datetime, received_at: datetime, frozen_after: timedelta | None, ahead: timedelta
) -> list[str]:
    if stamp > received_at + ahead:
        return ["future"]
    if frozen_after is not None and received_at - stamp >= frozen_after:
        return ["frozen"]
    return []
