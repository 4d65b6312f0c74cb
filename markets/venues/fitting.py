"""What the tables take of a venue's values: too long a name is refused, too long a text is cut.

Pure. The bounds are those of the columns; one value that exceeds them would cost its whole batch.
"""

from dataclasses import replace
from decimal import Decimal
from typing import Any

from markets.quotes import EventInfo, MarketInfo, OrderBook, TradePrint
from markets.venues.payload import BadItem, Tray, clean

MOST_REF = 280
MOST_TOKEN = 100
MOST_TRADE_ID = 200
MOST_LABEL = 300
MOST_CHECKSUM = 100
MOST_URL = 2000
#: `size_step` and `min_size` have six digits before the point.
MOST_STEP = Decimal("1e6")
#: A search vector holds 1 MB and a page is made to be read.
MOST_TITLE = 10_000
MOST_RULES = 100_000
MOST_NOTE = 300
MARKET_TEXTS = {
    "title": MOST_TITLE,
    "subtitle": MOST_TITLE,
    "rules": MOST_RULES,
    "category": 120,
    "series": 200,
    "result": 200,
    "venue_status": 60,
}
EVENT_TEXTS = {"title": MOST_TITLE, "subtitle": MOST_TITLE, "category": 120, "series": 200}


def cut(text: str, most: int) -> str:
    """Text of at most so many characters; an ellipsis stands for the rest."""
    return text if len(text) <= most else text[: most - 1] + "…"


def note_text(text: str) -> str:
    """A venue's words as a status note: printable and short."""
    return cut(clean(text), MOST_NOTE)


def fitted_market(tray: Tray[Any], market: MarketInfo) -> MarketInfo:
    """The market with texts that fit, each cut noted; BadItem where a name or size does not."""
    checked_ref(market.ref, "ref")
    checked_ref(market.event_ref, "event_ref")
    for field in ("size_step", "min_size"):
        if getattr(market, field) >= MOST_STEP:
            raise BadItem("out_of_range", field, sample=str(getattr(market, field))[:80])
    for outcome in market.outcomes:
        if len(outcome.token) > MOST_TOKEN:
            raise BadItem("out_of_range", "token", sample=outcome.token)
    changes = _cuts(tray, market, market.ref, MARKET_TEXTS)
    if any(len(outcome.label) > MOST_LABEL for outcome in market.outcomes):
        changes["outcomes"] = tuple(
            replace(outcome, label=cut(outcome.label, MOST_LABEL)) for outcome in market.outcomes
        )
    return replace(market, **changes) if changes else market


def fitted_event(tray: Tray[Any], event: EventInfo) -> EventInfo:
    """The event with texts that fit, each cut noted; BadItem for a name that does not."""
    checked_ref(event.ref, "event.id")
    changes = _cuts(tray, event, event.ref, EVENT_TEXTS)
    return replace(event, **changes) if changes else event


def fitted_trade(trade: TradePrint) -> TradePrint:
    """The trade, or BadItem: two ids that were cut might become one."""
    checked_ref(trade.ref, "ref")
    if len(trade.trade_id) > MOST_TRADE_ID or clean(trade.trade_id) != trade.trade_id:
        raise BadItem("out_of_range", "trade_id", sample=trade.trade_id)
    return trade


def fitted_book(book: OrderBook) -> OrderBook:
    """The book, without a checksum that is none."""
    checked_ref(book.ref, "ref")
    if len(book.checksum) <= MOST_CHECKSUM and clean(book.checksum) == book.checksum:
        return book
    return replace(book, checksum="")


def checked_ref(ref: str, field: str) -> str:
    """A name that may go into keys and addresses; empty where the venue has none."""
    if len(ref) > MOST_REF or not ref.isprintable():
        raise BadItem("out_of_range", field, sample=ref)
    return ref


def _cuts(tray: Tray[Any], value: Any, ref: str, texts: dict[str, int]) -> dict[str, Any]:
    """What must be cut. A long title, subtitle or rule is told of, since it says less then."""
    changes: dict[str, Any] = {}
    for field, most in texts.items():
        text = getattr(value, field)
        if len(text) > most:
            changes[field] = cut(text, most)
            if most >= MOST_TITLE:
                tray.refuse(BadItem("cleaned", field, sample=text), ref)
    url = clean(value.url)
    if url != value.url or len(url) > MOST_URL:
        changes["url"] = url if len(url) <= MOST_URL else ""
    return changes
