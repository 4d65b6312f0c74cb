"""Polymarket's books (CLOB), trades (Data API) and price history into our values. Pure.

Both tokens of a market show one pool of orders: a bid for NO at q is the ask for YES at 1 - q.
Every book becomes the book of outcome 0, and a market has one; a trade of NO at q becomes the
opposite trade of YES at 1 - q.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from typing import TypeVar

import msgspec
from msgspec import Raw

from markets.quotes import CandleInfo, Level, OrderBook, Page, Quote, TradePrint
from markets.venues.fitting import fitted_book, fitted_trade
from markets.venues.payload import (
    SPOILT,
    BadItem,
    Tray,
    amount,
    bad_item,
    epoch,
    exact,
    peek,
    price,
    read,
    read_body,
    unknown_keys,
)
from markets.venues.polymarket.shapes import (
    BOOK_FIELDS,
    OLD_TRADE_FIELDS,
    TRADE_FIELDS,
    BookShape,
    DataEnvelope,
    HistoryEnvelope,
    LevelShape,
    OldTradeShape,
    TradeShape,
)
from markets.venues.polymarket.terms import VENUE

#: token -> (condition id, which outcome it is)
Tokens = Mapping[str, tuple[str, int]]

BOOKS = "POST /books"
TRADES = "GET /v2/trades"
HISTORY = "GET /prices-history"
AnyTrade = TypeVar("AnyTrade", TradeShape, OldTradeShape)
#: what the taker did, to the outcome that was traded and to the other one
SIDES = {"BUY": ("buy", "sell"), "SELL": ("sell", "buy")}

_RAWS = msgspec.json.Decoder(list[Raw])
_BOOK = msgspec.json.Decoder(BookShape)
_DATA = msgspec.json.Decoder(DataEnvelope)
_TRADE = msgspec.json.Decoder(TradeShape)
_OLD_TRADE = msgspec.json.Decoder(OldTradeShape)
_HISTORY = msgspec.json.Decoder(HistoryEnvelope)


def parse_books(
    body: bytes, tokens: Tokens, received_at: datetime, endpoint: str = BOOKS
) -> Page[OrderBook]:
    """The books of these tokens, in whatever order they come; a token without one is left out."""
    tray: Tray[OrderBook] = Tray(VENUE, endpoint)
    try:
        raws, _ = read_body(_RAWS, body)
    except BadItem as bad:
        tray.refuse(bad, raw=body)
        return tray.page()
    for raw in raws:
        try:
            shape = read(_BOOK, raw)
            book = fitted_book(_book(shape, tokens, received_at))
            if book.ref in tray.seen:
                raise BadItem("mirrored", "asset_id", ref=book.ref)
        except SPOILT as problem:
            why = bad_item(problem)
            tray.refuse(why, why.ref or peek(raw, "market"), raw)
            continue
        tray.seen.add(book.ref)
        tray.extras |= unknown_keys(raw, BOOK_FIELDS)
        tray.items.append(book)
    return tray.page(is_last=True)


def _book(shape: BookShape, tokens: Tokens, received_at: datetime) -> OrderBook:
    if shape.asset_id not in tokens:
        raise BadItem("unknown_token", "asset_id", sample=shape.asset_id)
    ref, outcome = tokens[shape.asset_id]
    # A v2 condition id has 31 bytes; its bytes32 form is padded with zeros on the right.
    if shape.market not in (ref, ref + "00"):
        raise BadItem("mismatch", "market", sample=shape.market, ref=ref)
    bids, asks = _levels(shape.bids, "bids", ref), _levels(shape.asks, "asks", ref)
    if outcome == 1:
        bids, asks = _mirrored(asks), _mirrored(bids)
    return OrderBook(
        venue=VENUE,
        ref=ref,
        bids=tuple(sorted(bids, key=lambda level: -level.price)),
        asks=tuple(sorted(asks, key=lambda level: level.price)),
        received_at=received_at,
        venue_ts=epoch(shape.timestamp, "timestamp"),
        checksum=shape.hash,
    )


def _levels(shapes: Sequence[LevelShape], field: str, ref: str) -> list[Level]:
    """Levels that hold something. The venue's order is not to be relied on."""
    levels = []
    for shape in shapes:
        if not (shape.price.is_finite() and 0 < shape.price < 1):
            raise BadItem("out_of_range", f"{field}.price", sample=str(shape.price)[:80], ref=ref)
        size = amount(shape.size, f"{field}.size")
        if size:
            levels.append(Level(exact(shape.price, f"{field}.price"), size))
    if len({level.price for level in levels}) != len(levels):
        raise BadItem("duplicate_level", field, ref=ref)
    return levels


def _mirrored(levels: Sequence[Level]) -> list[Level]:
    return [Level(1 - level.price, level.size) for level in levels]


def quotes_of(page: Page[OrderBook]) -> Page[Quote]:
    """The tops of these books. The last trade that comes with a book may be of either outcome,
    so it is not taken."""
    return Page(
        items=tuple(map(_top, page.items)),
        refused=page.refused,
        extras=page.extras,
        endpoint=page.endpoint,
        is_last=page.is_last,
    )


def _top(book: OrderBook) -> Quote:
    bid = book.bids[0] if book.bids else None
    ask = book.asks[0] if book.asks else None
    return Quote(
        venue=VENUE,
        ref=book.ref,
        received_at=book.received_at,
        bid=bid.price if bid else None,
        ask=ask.price if ask else None,
        bid_size=bid.size if bid else None,
        ask_size=ask.size if ask else None,
        venue_ts=book.venue_ts,
    )


def parse_trades(body: bytes, received_at: datetime, endpoint: str = TRADES) -> Page[TradePrint]:
    """A page of the tape; `is_last` when the venue says that there is no more."""
    tray: Tray[TradePrint] = Tray(VENUE, endpoint)
    try:
        envelope, _ = read_body(_DATA, body)
    except BadItem as bad:
        tray.refuse(bad, raw=body)
        return tray.page()
    _take_trades(tray, envelope.data, _TRADE, TRADE_FIELDS, received_at)
    more = envelope.pagination.has_more
    return tray.page(envelope.pagination.next_cursor or "" if more else "", is_last=not more)


def parse_old_trades(body: bytes, received_at: datetime, endpoint: str) -> Page[TradePrint]:
    """The tape as the first Data API gave it: a bare array."""
    tray: Tray[TradePrint] = Tray(VENUE, endpoint)
    try:
        raws, _ = read_body(_RAWS, body)
    except BadItem as bad:
        tray.refuse(bad, raw=body)
        return tray.page()
    _take_trades(tray, raws, _OLD_TRADE, OLD_TRADE_FIELDS, received_at)
    return tray.page()


def _take_trades(
    tray: Tray[TradePrint],
    raws: Sequence[Raw],
    decoder: "msgspec.json.Decoder[AnyTrade]",
    known: frozenset[str],
    received_at: datetime,
) -> None:
    for raw in raws:
        try:
            trade = fitted_trade(_trade(read(decoder, raw), received_at))
            if trade.trade_id in tray.seen:
                raise BadItem("duplicate", "transaction_hash")
        except SPOILT as problem:
            tray.refuse(bad_item(problem), peek(raw, "condition_id", "conditionId"), raw)
            continue
        tray.seen.add(trade.trade_id)
        tray.extras |= unknown_keys(raw, known)
        tray.items.append(trade)


def _trade(shape: TradeShape | OldTradeShape, received_at: datetime) -> TradePrint:
    if shape.outcome_index not in (0, 1):
        raise BadItem("unknown_outcome", "outcome_index", sample=str(shape.outcome_index))
    if shape.side not in SIDES:
        raise BadItem("unknown_enum", "side", sample=shape.side)
    traded_at = epoch(shape.timestamp, "timestamp")
    size = amount(shape.size, "size")
    if not size or traded_at is None:
        raise BadItem("out_of_range", "size" if traded_at else "timestamp")
    paid = price(shape.price, "price") or Decimal(0)
    is_mirror = shape.outcome_index == 1
    return TradePrint(
        venue=VENUE,
        ref=shape.condition_id,
        trade_id=_trade_id(shape),
        price=1 - paid if is_mirror else paid,
        size=size,
        traded_at=traded_at,
        received_at=received_at,
        taker_side=SIDES[shape.side][is_mirror],
    )


def _trade_id(shape: TradeShape | OldTradeShape) -> str:
    """The venue gives no id and one transaction may settle several trades: its hash and a digest
    of what tells them apart. The wallet goes into the digest only."""
    parts = (shape.token_id, shape.side, shape.price, shape.size, shape.timestamp)
    told = "|".join(map(str, (*parts, shape.proxy_wallet)))
    return f"{shape.transaction_hash}-{sha256(told.encode()).hexdigest()[:12]}"


def parse_history(
    body: bytes, ref: str, seconds: int, received_at: datetime, endpoint: str = HISTORY
) -> Page[CandleInfo]:
    """Candles of the mid price of outcome 0 over whole multiples of `seconds`.

    The series holds points, not trades; a period without a point gives no candle, and one with a
    point that cannot be trusted is left out whole.
    """
    tray: Tray[CandleInfo] = Tray(VENUE, endpoint)
    try:
        envelope, _ = read_body(_HISTORY, body)
    except BadItem as bad:
        tray.refuse(bad, ref, body)
        return tray.page()
    periods: dict[int, list[Decimal]] = {}
    spoilt: set[int] = set()
    for point in sorted(envelope.history, key=lambda point: point.t):
        try:
            period = _second(point.t, received_at) // seconds * seconds
        except SPOILT as problem:
            tray.refuse(bad_item(problem), ref)
            continue
        try:
            price(point.p, "history.p")
        except SPOILT as problem:
            tray.refuse(bad_item(problem), ref)
            spoilt.add(period)
        periods.setdefault(period, []).append(point.p)
    for period in sorted(periods.keys() - spoilt):
        tray.items.append(_candle(ref, period, seconds, periods[period], received_at))
    return tray.page(is_last=True)


def _second(stamp: int, received_at: datetime) -> int:
    """A point's Unix second; a point of the future is none."""
    at = epoch(stamp, "history.t")
    if at is None or at > received_at + timedelta(days=1):
        raise BadItem("out_of_range", "history.t", sample=str(stamp))
    return int(at.timestamp())


def _candle(
    ref: str, period: int, seconds: int, points: Sequence[Decimal], received_at: datetime
) -> CandleInfo:
    return CandleInfo(
        venue=VENUE,
        ref=ref,
        start=datetime.fromtimestamp(period, UTC),
        seconds=seconds,
        received_at=received_at,
        open=points[0],
        high=max(points),
        low=min(points),
        close=points[-1],
        source="mid",
    )
