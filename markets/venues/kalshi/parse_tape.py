"""Kalshi's books, trades and candles to our values. Pure.

A book is bids of both outcomes. A NO bid at q is a YES ask at 1 - q of the same size, so the two
lists make one YES book; the NO book is its mirror and is not kept.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec

from markets.quotes import CandleInfo, Level, OrderBook, Page, TradePrint
from markets.venues.kalshi import shapes
from markets.venues.kalshi.numbers import ONE, ZERO, checked, contracts, count, fraction, quoted
from markets.venues.kalshi.page import VENUE, explained, name, turn, utc
from markets.venues.payload import (
    SPOILT,
    BadItem,
    Tray,
    bad_item,
    known_fields,
    peek,
    read,
    read_body,
    unknown_keys,
)

SIDES = {"yes": "buy", "no": "sell"}
_SIDES = msgspec.json.Decoder(shapes.BookSides)
_BOOK = msgspec.json.Decoder(shapes.BookEntry)
_BOOKS_PAGE = msgspec.json.Decoder(shapes.BooksPage)
_ONE_BOOK = msgspec.json.Decoder(shapes.OneBook)
_TRADE = msgspec.json.Decoder(shapes.Trade)
_TRADES_PAGE = msgspec.json.Decoder(shapes.TradesPage)
_CANDLE = msgspec.json.Decoder(shapes.Candle)
_CANDLES_PAGE = msgspec.json.Decoder(shapes.CandlesPage)
TRADE_FIELDS = known_fields(shapes.Trade, shapes.IGNORED_TRADE)
CANDLE_FIELDS = known_fields(shapes.Candle, shapes.IGNORED_CANDLE)
BOOK_FIELDS = known_fields(shapes.BookEntry)


# --- books -----------------------------------------------------------------------------------


def parse_books(
    body: bytes, received_at: datetime, endpoint: str = "GET /markets/orderbooks"
) -> Page[OrderBook]:
    """`GET /markets/orderbooks`: what was asked for comes in one answer."""
    tray: Tray[OrderBook] = Tray(VENUE, endpoint)
    try:
        page, _ = read_body(_BOOKS_PAGE, body)
    except BadItem as bad:
        tray.refuse(bad, raw=body)
        return tray.page()
    seen: set[str] = set()
    for raw in page.orderbooks or ():
        item = bytes(raw)
        try:
            entry = read(_BOOK, item)
            if entry.ticker in seen:
                raise BadItem("duplicate", "ticker")
            seen.add(entry.ticker)
            tray.extras.update(f"Book.{key}" for key in unknown_keys(item, BOOK_FIELDS))
            tray.items.append(_book(entry.ticker, bytes(entry.orderbook_fp), received_at))
        except SPOILT as problem:
            tray.refuse(bad_item(problem), peek(item, "ticker"), item)
    return tray.page(is_last=True)


def parse_book(
    body: bytes,
    ticker: str,
    received_at: datetime,
    endpoint: str = "GET /markets/{ticker}/orderbook",
) -> Page[OrderBook]:
    """`GET /markets/{ticker}/orderbook`, also under its name of before 2026-03-12."""
    tray: Tray[OrderBook] = Tray(VENUE, endpoint)
    try:
        page, _ = read_body(_ONE_BOOK, body)
        sides = bytes(page.orderbook_fp) or bytes(page.orderbook)
        if not sides:
            raise BadItem("missing", "orderbook_fp")
        tray.items.append(_book(ticker, sides, received_at))
    except SPOILT as problem:
        tray.refuse(bad_item(problem), ticker, body)
    return tray.page(is_last=not tray.refused)


def _book(ticker: str, raw: bytes, received_at: datetime) -> OrderBook:
    try:
        sides = read(_SIDES, raw)
    except BadItem as bad:
        raise _legacy_book(bad, raw) from None
    bids = levels(sides.yes_dollars or (), "yes_dollars")
    against = levels(sides.no_dollars or (), "no_dollars")
    return OrderBook(
        venue=VENUE,
        ref=name(ticker, "ticker"),
        bids=bids,
        asks=tuple(Level(ONE - level.price, level.size) for level in against),
        received_at=received_at,
    )


def _legacy_book(bad: BadItem, raw: bytes) -> BadItem:
    """Cent prices under yes and no alone are of before 2026-03-12 and cannot say sub-cents."""
    if bad.reason == "missing" and peek_keys(raw) & {"yes", "no"}:
        return BadItem("legacy_cents", bad.field)
    return explained(bad, raw)


def peek_keys(raw: bytes) -> set[str]:
    try:
        return set(msgspec.json.decode(raw, type=dict[str, msgspec.Raw]))
    except (msgspec.DecodeError, UnicodeError):
        return set()


def levels(pairs: Sequence[tuple[str, str | int]], field: str) -> tuple[Level, ...]:
    """Bids of one side, best first whatever order they came in.

    Price 0 or 1 or size 0 means that nothing waits there. The same price twice cannot be trusted.
    """
    found = []
    for price_text, size_text in pairs:
        price = checked(quoted, price_text, field)
        size = checked(count, str(size_text), field)
        if price is not None and size > 0:
            found.append(Level(price, size))
    found.sort(key=lambda level: level.price, reverse=True)
    if len({level.price for level in found}) != len(found):
        raise BadItem("duplicate", field)
    return tuple(found)


# --- trades ----------------------------------------------------------------------------------


def parse_trades(
    body: bytes, received_at: datetime, endpoint: str = "GET /markets/trades", limit: int = 0
) -> Page[TradePrint]:
    """A page of trades, newest first. Block trades are no prints of the book and are left out."""
    tray: Tray[TradePrint] = Tray(VENUE, endpoint)
    try:
        page, body = read_body(_TRADES_PAGE, body)
    except BadItem as bad:
        tray.refuse(bad, raw=body)
        return tray.page()
    seen: set[str] = set()
    raws = page.trades or ()
    for raw in raws:
        item = bytes(raw)
        try:
            trade = read(_TRADE, item)
            if trade.trade_id in seen:
                raise BadItem("duplicate", "trade_id")
            seen.add(trade.trade_id)
            if not trade.is_block_trade:
                tray.items.append(_trade(trade, received_at))
        except SPOILT as problem:
            tray.refuse(explained(bad_item(problem), item), peek(item, "ticker"), item)
    _extras(tray, raws, TRADE_FIELDS, "Trade")
    cursor, is_last = turn(tray, page, body, len(raws), limit)
    return tray.page(cursor, is_last)


def _trade(trade: shapes.Trade, received_at: datetime) -> TradePrint:
    size = contracts(trade.count_fp, trade.count, "count_fp")
    if size is None:
        raise BadItem("missing", "count_fp")
    side = trade.taker_outcome_side or trade.taker_side
    if side is None:
        raise BadItem("missing", "taker_outcome_side")
    if side not in SIDES:
        raise BadItem("unknown_enum", "taker_outcome_side", sample=side)
    traded_at = utc(trade.created_time)
    if traded_at is None:
        raise BadItem("out_of_range", "created_time")
    return TradePrint(
        venue=VENUE,
        ref=name(trade.ticker, "ticker"),
        trade_id=name(trade.trade_id, "trade_id"),
        price=checked(fraction, trade.yes_price_dollars, "yes_price_dollars"),
        size=size,
        traded_at=traded_at,
        received_at=received_at,
        taker_side=SIDES[side],
    )


# --- candles ---------------------------------------------------------------------------------


def parse_candles(
    body: bytes,
    ticker: str,
    seconds: int,
    received_at: datetime,
    endpoint: str = "GET /series/{series}/markets/{ticker}/candlesticks",
) -> Page[CandleInfo]:
    """Candles of `seconds` length; the venue names each by its end."""
    tray: Tray[CandleInfo] = Tray(VENUE, endpoint)
    try:
        page, _ = read_body(_CANDLES_PAGE, body)
    except BadItem as bad:
        tray.refuse(bad, ticker, body)
        return tray.page()
    _candles(tray, page.candlesticks or (), ticker, seconds, received_at)
    return tray.page(is_last=True)


def _candles(
    tray: Tray[CandleInfo],
    raws: Sequence[msgspec.Raw],
    ticker: str,
    seconds: int,
    received_at: datetime,
) -> None:
    seen: set[datetime] = set()
    for raw in raws:
        item = bytes(raw)
        try:
            candle = _candle(read(_CANDLE, item), ticker, seconds, received_at)
            if candle.start in seen:
                raise BadItem("duplicate", "end_period_ts")
            seen.add(candle.start)
            tray.items.append(candle)
        except SPOILT as problem:
            tray.refuse(explained(bad_item(problem), item), ticker, item)
    _extras(tray, raws, CANDLE_FIELDS, "Candle")


def _candle(candle: shapes.Candle, ticker: str, seconds: int, received_at: datetime) -> CandleInfo:
    try:
        end = datetime.fromtimestamp(candle.end_period_ts, UTC)
        start = end - timedelta(seconds=seconds)
    except (ValueError, OverflowError, OSError):
        raise BadItem("out_of_range", "end_period_ts") from None
    low, high = _price(candle.price, "low"), _price(candle.price, "high")
    opened, closed = _price(candle.price, "open"), _price(candle.price, "close")
    if low is not None and high is not None and low > high:
        raise BadItem("out_of_range", "price.low_dollars")
    return CandleInfo(
        venue=VENUE,
        ref=ticker,
        start=start,
        seconds=seconds,
        received_at=received_at,
        open=opened,
        high=high,
        low=low,
        close=closed,
        bid_close=_side(candle.yes_bid, "yes_bid"),
        ask_close=_side(candle.yes_ask, "yes_ask"),
        volume=contracts(candle.volume_fp, candle.volume, "volume_fp"),
    )


def _price(ohlc: shapes.Ohlc, part: str) -> Decimal | None:
    text = getattr(ohlc, f"{part}_dollars")
    if text is None:
        if ohlc.close is not None:
            raise BadItem("legacy_cents", f"price.{part}_dollars")
        return None
    value: Decimal = checked(fraction, text, f"price.{part}_dollars")
    return value if value > ZERO else None


def _side(ohlc: shapes.Ohlc, field: str) -> Decimal | None:
    if ohlc.close_dollars is None and ohlc.close is not None:
        raise BadItem("legacy_cents", f"{field}.close_dollars")
    side: Decimal | None = checked(quoted, ohlc.close_dollars, f"{field}.close_dollars")
    return side


def _extras(
    tray: Tray[Any], raws: Sequence[msgspec.Raw], known: frozenset[str], label: str
) -> None:
    for raw in {bytes(raws[0]), bytes(raws[-1])} if raws else ():
        try:
            tray.extras.update(f"{label}.{key}" for key in unknown_keys(raw, known))
        except (msgspec.DecodeError, UnicodeError):
            continue
