"""PredictIt's market data into our values. Pure.

One of its markets is our event, each of its contracts our market. Times are written as New York
wall time without an offset.
"""

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Raw

from markets.quotes import (
    EventInfo,
    FeeInfo,
    Listing,
    MarketInfo,
    OutcomeInfo,
    Page,
    PriceRange,
    Quote,
    Status,
)
from markets.venues.fitting import fitted_event, fitted_market
from markets.venues.payload import (
    SPOILT,
    BadItem,
    Tray,
    bad_item,
    clean,
    fields_of,
    has_tricks,
    is_dated,
    peek,
    price,
    read,
    read_body,
    unknown_keys,
)
from markets.venues.predictit.shapes import (
    CONTRACT_FIELDS,
    MARKET_FIELDS,
    AllEnvelope,
    ContractShape,
    MarketShape,
)

VENUE = "predictit"
ALL = "GET /marketdata/all/"
ONE_MARKET = "GET /marketdata/markets/{id}"
EASTERN = ZoneInfo("America/New_York")
TICK = Decimal("0.01")
PRICE_RANGES = (PriceRange(Decimal(0), Decimal(1), TICK),)
OUTCOMES = (OutcomeInfo(0, "Yes"), OutcomeInfo(1, "No"))
STATUSES = {"Open": Status.OPEN, "Closed": Status.CLOSED}
#: PredictIt names no category; its no-action letter confines it to politics.
CATEGORY = "politics"
#: Data older than this, or the same in so many successive polls, is stale.
STALE_AFTER = timedelta(seconds=180)
STALE_POLLS = 3

_ALL = msgspec.json.Decoder(AllEnvelope)
_MARKET = msgspec.json.Decoder(MarketShape)
_CONTRACT = msgspec.json.Decoder(ContractShape)
_RAWS = msgspec.json.Decoder(list[Raw])
_US_TIME = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4}) (\d{1,2}):(\d\d)(?::(\d\d))? ([AP])M \(ET\)$")
#: Seven fractional digits are one more than a datetime holds.
_LONG_FRACTION = re.compile(r"(\.\d{6})\d+$")


def parse_all(body: bytes, received_at: datetime, endpoint: str = ALL) -> Page[Listing]:
    """The whole venue in one body, so it is its own last page – unless it is empty or a market in
    it could not be taken apart: what is missing then is not gone."""
    tray: Tray[Listing] = Tray(VENUE, endpoint)
    try:
        envelope, body = read_body(_ALL, body)
    except BadItem as bad:
        tray.refuse(_not_ours(bad, body), raw=body)
        return tray.page()
    tray.extras |= unknown_keys(body, {"markets"})
    for raw in envelope.markets:
        _take_market(tray, raw, received_at)
    is_whole = bool(tray.items) and all(refusal.ref for refusal in tray.refused)
    return tray.page(is_last=is_whole)


def parse_one(body: bytes, received_at: datetime, endpoint: str = ONE_MARKET) -> Page[Listing]:
    """One market as the single-market address gives it: no wrapper."""
    tray: Tray[Listing] = Tray(VENUE, endpoint)
    _take_market(tray, Raw(body), received_at)
    return tray.page()


def _not_ours(bad: BadItem, body: bytes) -> BadItem:
    """XML comes when something changed our Accept header; it is refused, not read."""
    is_xml = body.lstrip()[:1] == b"<"
    return BadItem("not_json", sample=bad.sample) if is_xml else bad


def _take_market(tray: Tray[Listing], raw: Raw, received_at: datetime) -> None:
    try:
        shape = read(_MARKET, raw)
        if shape.status not in STATUSES:
            raise BadItem("unknown_enum", "status", sample=shape.status)
        event = fitted_event(tray, _event(shape, received_at))
    except SPOILT as problem:
        _refuse_market(tray, raw, bad_item(problem))
        return
    tray.extras |= {f"market.{key}" for key in unknown_keys(raw, MARKET_FIELDS)}
    if has_tricks(shape.name):
        tray.refuse(BadItem("cleaned", "name", sample=shape.name), event.ref)
    for contract in shape.contracts:
        _take_contract(tray, contract, shape, event)


def _refuse_market(tray: Tray[Listing], raw: Raw, bad: BadItem) -> None:
    """Each contract of a market that does not fit is set aside by name, where it has one."""
    try:
        contracts = _RAWS.decode(fields_of(raw)["contracts"])
    except (msgspec.DecodeError, KeyError, UnicodeError, RecursionError):
        contracts = []
    market = peek(raw, "id")
    refs = [_ref(market, peek(contract, "id")) for contract in contracts] or [""]
    for ref in refs:
        tray.refuse(BadItem(bad.reason, f"market.{bad.field}", bad.sample), ref, raw)


def _ref(market: str | int, contract: str | int) -> str:
    return f"{market}.{contract}" if market and contract else ""


def _take_contract(tray: Tray[Listing], raw: Raw, market: MarketShape, event: EventInfo) -> None:
    try:
        shape = read(_CONTRACT, raw)
        info = fitted_market(tray, _market(shape, market, event))
        if info.ref in tray.seen:
            raise BadItem("duplicate", "id")
    except SPOILT as problem:
        tray.refuse(bad_item(problem), _ref(market.id, peek(raw, "id")), raw)
        return
    tray.seen.add(info.ref)
    try:
        quote: Quote | None = _quote(shape, info)
    except SPOILT as problem:
        tray.refuse(bad_item(problem), info.ref, raw)
        quote = None
    tray.extras |= {f"contract.{key}" for key in unknown_keys(raw, CONTRACT_FIELDS)}
    tray.items.append(Listing(info, quote, event))


def _event(shape: MarketShape, received_at: datetime) -> EventInfo:
    """A market of several contracts usually pays one of them, but no field says so: `exclusive`
    stays open and `contracts` tells how many there are."""
    return EventInfo(
        venue=VENUE,
        ref=str(shape.id),
        title=clean(shape.name),
        received_at=received_at,
        subtitle=clean(shape.short_name),
        category=CATEGORY,
        url=shape.url,
        facts={"contracts": str(len(shape.contracts))},
        venue_ts=eastern(shape.time_stamp, received_at),
    )


def _market(shape: ContractShape, market: MarketShape, event: EventInfo) -> MarketInfo:
    if shape.status not in STATUSES:
        raise BadItem("unknown_enum", "status", sample=shape.status)
    is_open = STATUSES[shape.status] is STATUSES[market.status] is Status.OPEN
    return MarketInfo(
        venue=VENUE,
        ref=_ref(market.id, shape.id),
        title=event.title,
        status=Status.OPEN if is_open else Status.CLOSED,
        outcomes=OUTCOMES,
        price_ranges=PRICE_RANGES,
        received_at=event.received_at,
        event_ref=event.ref,
        subtitle=clean(shape.name) if len(market.contracts) > 1 else "",
        venue_status=f"{market.status} {shape.status}",
        close_time=end_date(shape.date_end),
        category=CATEGORY,
        url=market.url,
        facts=_facts(shape),
        venue_ts=event.venue_ts,
    )


def _facts(shape: ContractShape) -> dict[str, str]:
    said = shape.date_end or ""
    facts = {"shortName": clean(shape.short_name), "dateEnd": clean(said)[:100]}
    return {name: value for name, value in facts.items() if value not in ("", "NA", "N/A")}


def _quote(shape: ContractShape, market: MarketInfo) -> Quote:
    """What one pays to buy YES is its ask, what one gets for selling it its bid; NO likewise."""
    return Quote(
        venue=VENUE,
        ref=market.ref,
        received_at=market.received_at,
        bid=_cost(shape.best_sell_yes_cost, "bestSellYesCost"),
        ask=_cost(shape.best_buy_yes_cost, "bestBuyYesCost"),
        other_bid=_cost(shape.best_sell_no_cost, "bestSellNoCost"),
        other_ask=_cost(shape.best_buy_no_cost, "bestBuyNoCost"),
        last=_last(shape.last_trade_price),
        venue_ts=market.venue_ts,
    )


def _cost(value: Decimal | None, field: str) -> Decimal | None:
    if value is None or (value.is_finite() and 0 < value < 1):
        return price(value, field)
    raise BadItem("out_of_range", field, sample=str(value)[:80])


def _last(value: Decimal | None) -> Decimal | None:
    """0 stands for: never traded."""
    return price(value, "lastTradePrice") or None


def eastern(text: str, near: datetime) -> datetime:
    """New York wall time as UTC. In the hour that comes twice each autumn, the reading nearer to
    `near` is taken."""
    try:
        wall = datetime.fromisoformat(_LONG_FRACTION.sub(r"\1", text))
    except ValueError as error:
        raise BadItem("retyped", "timeStamp", sample=text[:80]) from error
    if not is_dated(wall):
        raise BadItem("out_of_range", "timeStamp", sample=text[:80])
    if wall.tzinfo is not None:
        return wall.astimezone(UTC)
    readings = [wall.replace(tzinfo=EASTERN, fold=fold).astimezone(UTC) for fold in (0, 1)]
    return min(readings, key=lambda moment: abs(moment - near))


def end_date(text: str | None) -> datetime | None:
    """The end date where one can be read; `NA`, `N/A` and anything unknown give None."""
    text = (text or "").partition(" [")[0].strip()
    try:
        if found := _US_TIME.match(text):
            month, day, year, hour, minute = (int(found.group(n)) for n in range(1, 6))
            hour = hour % 12 + (12 if found.group(7) == "P" else 0)
            wall = datetime(year, month, day, hour, minute, int(found.group(6) or 0))  # noqa: DTZ001
        else:
            wall = datetime.fromisoformat(text)
    except ValueError:
        return None
    if wall.year < 2000 or not is_dated(wall):
        return None
    return (wall if wall.tzinfo else wall.replace(tzinfo=EASTERN)).astimezone(UTC)


def fees() -> tuple[FeeInfo, ...]:
    """What the venue charges everywhere: a share of each contract's profit and of withdrawals."""
    values = {"profit": "0.10", "withdrawal": "0.05"}
    return (FeeInfo(VENUE, "venue", "", "predictit", values),)


def staleness(stamps: Iterable[datetime], now: datetime) -> str:
    """Why the data is stale, or empty. `stamps` are the newest times of the last polls, oldest
    first; a poll that was answered from our own memory does not count as one."""
    last = list(stamps)[-STALE_POLLS:]
    if not last:
        return "no data yet"
    age = now - last[-1]
    if age >= STALE_AFTER:
        return f"data is {age.total_seconds():.0f} s old"
    if len(last) == STALE_POLLS and len(set(last)) == 1:
        return f"the same data in {STALE_POLLS} polls"
    return ""
