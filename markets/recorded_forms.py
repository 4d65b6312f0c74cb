"""What recorded bodies look like, and which parser each belongs to.

A form is recognised by the keys of the body (or of the first row of an array), never by the name
of its file. The first form that fits counts, so the narrower ones stand first.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec
from msgspec import Raw

from markets.quotes import Page, Refusal
from markets.venues.kalshi import parse as kalshi
from markets.venues.kalshi import parse_tape as kalshi_tape
from markets.venues.kalshi import parse_terms as kalshi_terms
from markets.venues.payload import BadItem
from markets.venues.polymarket import books as polymarket_books
from markets.venues.polymarket import parse as polymarket
from markets.venues.predictit import parse as predictit

OBJECT = msgspec.json.Decoder(dict[str, Raw])
ARRAY = msgspec.json.Decoder(list[Raw])


@dataclass(slots=True)
class Context:
    """What a body alone does not say: when it came, of which market, and whose tokens these are."""

    received_at: datetime
    ref: str = ""
    seconds: int = 60
    tokens: dict[str, tuple[str, int]] = field(default_factory=dict)


Reader = Callable[[bytes, Context], Page[Any]]


@dataclass(frozen=True, slots=True)
class Form:
    """How a body looks: an object or an array of objects with these keys, one of them perhaps a
    list whose first object has `inside`. Without a reader it is an endpoint we do not call."""

    venue: str
    endpoint: str
    keys: frozenset[str]
    read: Reader | None = None
    is_array: bool = False
    inside: tuple[str, str] | None = None
    is_one: bool = False  # read whole to see that it fits; no row of ours comes of it


def keys_of(raw: "Raw | bytes") -> dict[str, Raw]:
    """The fields of an object; none for anything else."""
    try:
        return OBJECT.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return {}


def first_byte(raw: Raw) -> bytes:
    return bytes(memoryview(raw)[:1])


def array(raws: list[Raw]) -> bytes:
    return b"[" + b",".join(bytes(raw) for raw in raws) + b"]"


def size(body: bytes) -> int:
    """How many things a body lists; an object that lists none is one."""
    try:
        if body.lstrip()[:1] == b"[":
            return len(ARRAY.decode(body))
        fields = OBJECT.decode(body).values()
        lists = [ARRAY.decode(raw) for raw in fields if first_byte(raw) == b"["]
    except (msgspec.DecodeError, UnicodeDecodeError):
        return 1
    return max((len(found) for found in lists), default=1)


def form_of(body: bytes) -> Form | None:
    """The first form that fits, or None."""
    is_array = body.lstrip()[:1] == b"["
    try:
        rows = ARRAY.decode(body) if is_array else [Raw(body)]
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    keys = keys_of(rows[0]) if rows else {}
    for form in FORMS:
        if form.is_array == is_array and form.keys <= keys.keys() and _fits(form.inside, keys):
            return form
    return None


def _fits(inside: tuple[str, str] | None, keys: Mapping[str, Raw]) -> bool:
    if inside is None:
        return True
    name, wanted = inside
    raw = keys.get(name, Raw(b""))
    if first_byte(raw) == b"{":
        return wanted in keys_of(raw)
    try:
        rows = ARRAY.decode(raw)
    except msgspec.DecodeError:
        return False
    return bool(rows) and wanted in keys_of(rows[0])


def _object(name: str, body: bytes) -> bytes:
    """A bare list as the object that the endpoint answers with."""
    return b'{"%s":%s,"cursor":""}' % (name.encode(), body)


def _series(body: bytes, context: Context) -> Page[Any]:
    raw = OBJECT.decode(body)["series"]
    if first_byte(raw) == b"{":
        body = b'{"series":[%s]}' % bytes(raw)
    return kalshi_terms.series_fees(kalshi_terms.parse_series(body))


def _kalshi_status(body: bytes, context: Context) -> Page[Any]:
    """A status is no row of ours: read to see that it fits, and counted as nothing."""
    return _checked(
        "GET /exchange/status", lambda: kalshi_terms.parse_status(body, context.received_at, ())
    )


def _kalshi_schedule(body: bytes, context: Context) -> Page[Any]:
    return _checked(
        "GET /exchange/schedule", lambda: kalshi_terms.parse_schedule(body, context.received_at)
    )


def _checked(endpoint: str, read: Callable[[], object]) -> Page[Any]:
    try:
        read()
    except BadItem as bad:
        refusal = Refusal("kalshi", endpoint, bad.reason, field=bad.field, sample=bad.sample)
        return Page(refused=(refusal,), endpoint=endpoint)
    return Page(endpoint=endpoint)


def _one_book(body: bytes, context: Context) -> Page[Any]:
    return polymarket_books.parse_books(
        b"[%s]" % body, context.tokens, context.received_at, "GET /book"
    )


def _kalshi(endpoint: str, keys: str, read: Reader | None, **more: Any) -> Form:
    return Form("kalshi", endpoint, frozenset(keys.split()), read, **more)


def _poly(endpoint: str, keys: str, read: Reader | None, **more: Any) -> Form:
    return Form("polymarket", endpoint, frozenset(keys.split()), read, **more)


def _predictit(endpoint: str, keys: str, read: Reader, **more: Any) -> Form:
    return Form("predictit", endpoint, frozenset(keys.split()), read, **more)


FORMS = (
    # --- Kalshi
    _kalshi(
        "GET /events",
        "event_ticker mutually_exclusive markets",
        lambda body, c: kalshi.parse_nested(_object("events", body), c.received_at),
        is_array=True,
    ),
    _kalshi(
        "GET /events",
        "event_ticker mutually_exclusive",
        lambda body, c: kalshi.parse_events(_object("events", body), c.received_at),
        is_array=True,
    ),
    _kalshi(
        "GET /markets",
        "ticker event_ticker rules_primary",
        lambda body, c: kalshi.parse_markets(_object("markets", body), c.received_at),
        is_array=True,
    ),
    _kalshi(
        "GET /events/{event_ticker}",
        "event markets",
        lambda body, c: kalshi.parse_event(body, c.received_at),
        inside=("event", "event_ticker"),
    ),
    _kalshi(
        "GET /markets/{ticker}",
        "market",
        lambda body, c: kalshi.parse_market(body, c.received_at),
        inside=("market", "ticker"),
    ),
    _kalshi(
        "GET /markets",
        "markets",
        lambda body, c: kalshi.parse_markets(body, c.received_at),
        inside=("markets", "ticker"),
    ),
    _kalshi(
        "GET /events",
        "events",
        lambda body, c: kalshi.parse_events(body, c.received_at),
        inside=("events", "event_ticker"),
    ),
    _kalshi(
        "GET /markets/{ticker}/orderbook",
        "orderbook_fp",
        lambda body, c: kalshi_tape.parse_book(body, c.ref, c.received_at),
    ),
    _kalshi(
        "GET /markets/{ticker}/orderbook",
        "orderbook",
        lambda body, c: kalshi_tape.parse_book(body, c.ref, c.received_at),
    ),
    _kalshi(
        "GET /markets/trades",
        "trades",
        lambda body, c: kalshi_tape.parse_trades(body, c.received_at),
        inside=("trades", "trade_id"),
    ),
    _kalshi(
        "GET /series/{series}/markets/{ticker}/candlesticks",
        "candlesticks",
        lambda body, c: kalshi_tape.parse_candles(body, c.ref, c.seconds, c.received_at),
    ),
    _kalshi(
        "GET /series/fee_changes",
        "series_fee_change_arr",
        lambda body, c: kalshi_terms.parse_series_fee_changes(body),
    ),
    _kalshi("GET /series", "series", _series, inside=("series", "fee_type")),
    _kalshi("GET /exchange/status", "exchange_active trading_active", _kalshi_status, is_one=True),
    _kalshi("GET /exchange/schedule", "schedule", _kalshi_schedule, is_one=True),
    *(
        _kalshi(endpoint, keys, None)
        for endpoint, keys in (
            ("GET /series/{series}/events/{event}/candlesticks", "market_candlesticks"),
            ("GET /events/{event_ticker}/metadata", "market_details"),
            ("GET /exchange/announcements", "announcements"),
            ("GET /search/filters_by_sport", "filters_by_sports"),
            ("GET /search/tags_by_categories", "tags_by_categories"),
            ("GET /incentive_programs", "incentive_programs"),
            ("GET /live_data", "live_data"),
            ("GET /milestones/{id}", "milestone"),
            ("GET /milestones", "milestones"),
            ("GET /structured_targets/{id}", "structured_target"),
            ("GET /structured_targets", "structured_targets"),
            ("GET /multivariate_event_collections/{ticker}", "multivariate_contract"),
            ("GET /multivariate_event_collections", "multivariate_contracts"),
            ("PUT /multivariate_event_collections/{ticker}/lookup", "event_ticker market_ticker"),
        )
    ),
    # --- PredictIt
    _predictit(
        predictit.ALL,
        "markets",
        lambda body, c: predictit.parse_all(body, c.received_at),
        inside=("markets", "timeStamp"),
    ),
    _predictit(
        predictit.ONE_MARKET,
        "contracts timeStamp",
        lambda body, c: predictit.parse_one(body, c.received_at),
    ),
    # --- Polymarket
    _poly(
        "GET /markets/{id}",
        "conditionId question",
        lambda body, c: polymarket.parse_market_list(
            b"[%s]" % body, c.received_at, "GET /markets/{id}"
        ),
    ),
    _poly(
        "GET /public-search",
        "events pagination",
        lambda body, c: polymarket.parse_events(body, c.received_at, None, "GET /public-search"),
        inside=("events", "slug"),
    ),
    _poly(
        polymarket.EVENTS,
        "events",
        lambda body, c: polymarket.parse_events(body, c.received_at),
        inside=("events", "slug"),
    ),
    _poly(
        "GET /events/{id}",
        "slug markets",
        lambda body, c: polymarket.parse_event_list(
            b"[%s]" % body, c.received_at, "GET /events/{id}"
        ),
        inside=("markets", "conditionId"),
    ),
    _poly(
        polymarket.MARKETS,
        "markets",
        lambda body, c: polymarket.parse_markets(body, c.received_at),
        inside=("markets", "conditionId"),
    ),
    _poly(
        "GET /events",
        "slug markets",
        lambda body, c: polymarket.parse_event_list(body, c.received_at, "GET /events"),
        is_array=True,
        inside=("markets", "conditionId"),
    ),
    _poly(
        "GET /trades",
        "asset conditionId side",
        lambda body, c: polymarket_books.parse_old_trades(body, c.received_at, "GET /trades"),
        is_array=True,
    ),
    _poly(
        "GET /markets",
        "conditionId question",
        lambda body, c: polymarket.parse_market_list(body, c.received_at, "GET /markets"),
        is_array=True,
    ),
    _poly("GET /book", "asset_id bids asks", _one_book),
    _poly(
        polymarket_books.BOOKS,
        "asset_id bids asks",
        lambda body, c: polymarket_books.parse_books(body, c.tokens, c.received_at),
        is_array=True,
    ),
    _poly(
        polymarket_books.TRADES,
        "data pagination",
        lambda body, c: polymarket_books.parse_trades(body, c.received_at),
    ),
    *(
        _poly(endpoint, keys, None, is_array=is_array, inside=inside)
        for endpoint, keys, is_array, inside in (
            ("GET /markets", "data next_cursor", False, ("data", "condition_id")),
            ("GET /markets/{condition_id}", "condition_id tokens", False, None),
            ("GET /fee-rate", "base_fee", False, None),
            ("GET /tags", "label slug", True, None),
            ("GET /data/trades", "data next_cursor", False, ("data", "maker_orders")),
            ("GET /data/trades", "maker_orders taker_order_id", False, None),
        )
    ),
)
