"""What Gamma's words mean: status, outcome, category and fee of a market.

Pure. One table each, so that a reader can hold it against the venue's documentation.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import lru_cache

import msgspec
from msgspec import UNSET

from markets.quotes import FeeInfo, Status
from markets.venues.payload import BadItem, read
from markets.venues.polymarket.shapes import FeeShape, MarketShape

VENUE = "polymarket"
ONE = Decimal(1)
ZERO = Decimal(0)
HALF = Decimal("0.5")

#: The oracle's word about a market's status (`umaResolutionStatus`, or for version v2
#: `resolutionStatus`). None: the word does not decide. A proposal states an outcome; a question
#: that is only posed has none, and may or may not be traded: paused is the careful reading.
ORACLE_WORDS: dict[str, Status | None] = {
    "": None,
    "inactive": None,
    "active": None,
    "posed": Status.PAUSED,
    "proposed": Status.DETERMINED,
    "reproposed": Status.DETERMINED,
    "challenged": Status.DISPUTED,
    "disputed": Status.DISPUTED,
    "resolved": Status.DETERMINED,
}

#: A market's category is the first of these among its event's tags, whatever their order there
#: (the venue sorts them differently from day to day); without one it is the first tag.
CATEGORY_WORDS = (
    "mentions",
    "sports",
    "esports",
    "weather",
    "crypto",
    "economy",
    "economics",
    "finance",
    "business",
    "earnings",
    "tech",
    "science",
    "pop-culture",
    "culture",
    "geopolitics",
    "politics",
    "elections",
    "world",
)

_TEXTS = msgspec.json.Decoder(list[str])
_FEE = msgspec.json.Decoder(FeeShape)
_PRICES = msgspec.json.Decoder(list[Decimal])


def texts(text: str, field: str) -> list[str]:
    """JSON inside a string, decoded the second time: a list of strings, never of numbers."""
    try:
        return read(_TEXTS, text.encode())
    except BadItem as bad:
        raise BadItem("retyped", field, sample=text) from bad


def prices(text: str, field: str) -> list[Decimal]:
    """`outcomePrices`: exact, each in [0, 1]."""
    try:
        found = read(_PRICES, text.encode())
    except BadItem as bad:
        raise BadItem("retyped", field, sample=text) from bad
    if not all(p.is_finite() and 0 <= p <= 1 and p.adjusted() > -40 for p in found):
        raise BadItem("out_of_range", field, sample=text)
    return found


def oracle_word(market: MarketShape) -> str:
    """The oracle's word, from the field that this market's version uses."""
    word = (market.uma_resolution_status or market.resolution_status or "").lower()
    if word not in ORACLE_WORDS:
        name = "umaResolutionStatus" if market.uma_resolution_status else "resolutionStatus"
        raise BadItem("unknown_enum", name, sample=word)
    return word


def status_of(market: MarketShape, settled: Decimal | None) -> Status:
    """The first line that applies. `settled` is what outcome 0 pays, once that is known."""
    word = oracle_word(market)
    stated = ORACLE_WORDS[word]
    if market.closed:
        # What is still proposed or disputed may yet turn, whatever prices the catalogue shows.
        if stated in (Status.DETERMINED, Status.DISPUTED) and word != "resolved":
            return stated
        return Status.SETTLED if settled is not None else Status.CLOSED
    if market.archived:
        return Status.CLOSED
    if stated is not None:
        return stated
    if not market.active:
        return Status.NEW
    if not market.enable_order_book or not market.accepting_orders:
        return Status.PAUSED
    return Status.OPEN


def status_words(market: MarketShape) -> str:
    """The flags and the oracle's word as the venue states them, in a fixed order."""
    flags = (
        (market.active, "active"),
        (market.closed, "closed"),
        (market.archived, "archived"),
        (market.accepting_orders, "accepting"),
    )
    said = [word for is_set, word in flags if is_set]
    return " ".join([*said, oracle_word(market)]).strip()


def outcome_of(market: MarketShape, labels: Sequence[str]) -> tuple[str, Decimal | None]:
    """(result, what outcome 0 pays) of a closed market; ("", None) while that is not known.

    A 50-50 is a settlement at one half, not a void: every share pays. `["0", "0"]` on old markets
    means that Gamma does not know. Only a market declared scalar may settle in between.
    """
    if not market.closed:
        return "", None
    if market.outcome_prices is None:
        raise BadItem("missing", "outcomePrices")
    first, second = _pair(prices(market.outcome_prices, "outcomePrices"))
    if (first, second) == (ONE, ZERO):
        return labels[0], ONE
    if (first, second) == (ZERO, ONE):
        return labels[1], ZERO
    if (first, second) == (HALF, HALF):
        return "50-50", HALF
    if market.market_type == "scalar" and abs(first + second - 1) < Decimal("1e-9"):
        return "scalar", first
    return "", None


def _pair(found: list[Decimal]) -> tuple[Decimal, Decimal]:
    if len(found) != 2:
        raise BadItem("not_binary", "outcomePrices", sample=str(len(found)))
    return found[0], found[1]


def category_of(slugs: Sequence[str]) -> str:
    """The venue's word for the category, or empty without tags."""
    held = frozenset(slugs)
    for word in CATEGORY_WORDS:
        if word in held:
            return word
    return slugs[0] if slugs else ""


def fee_of(market: MarketShape) -> FeeInfo | None:
    """The fee of this market, or None where the payload does not speak of fees (before 2026).

    No fee is a fact too: `feesEnabled` false or a null schedule means a rate of zero. The legacy
    `makerBaseFee`, `takerBaseFee` are no rates and are never read.
    """
    raw = bytes(market.fee_schedule)
    if market.fees_enabled is UNSET and not raw:
        return None
    if market.fees_enabled is False or raw == b"null":
        return _fee(market.condition_id, FeeShape(rate=ZERO, exponent=ONE, taker_only=True))
    if not raw:
        raise BadItem("missing", "feeSchedule", sample=f"feeType {market.fee_type}")
    return _fee(market.condition_id, _schedule(raw))


def _schedule(raw: bytes) -> FeeShape:
    try:
        return read(_FEE, raw)
    except BadItem as bad:
        field = f"feeSchedule.{bad.field}".rstrip(".")
        raise BadItem(bad.reason, field, raw.decode("utf-8", "replace")) from bad


def _fee(ref: str, schedule: FeeShape) -> FeeInfo:
    for name, value, most in (
        ("rate", schedule.rate, 1),
        ("exponent", schedule.exponent, 10),
        ("rebateRate", schedule.rebate_rate, 1),
    ):
        if not (value.is_finite() and 0 <= value <= most):
            raise BadItem("out_of_range", f"feeSchedule.{name}", sample=str(value)[:80])
    terms = (schedule.rate, schedule.exponent, schedule.taker_only, schedule.rebate_rate)
    return FeeInfo(VENUE, "market", ref, "polymarket", _fee_values(*terms))


@lru_cache(256)
def _fee_values(
    rate: Decimal, exponent: Decimal, taker_only: bool, rebate: Decimal
) -> Mapping[str, str]:
    """A handful of schedules serve all markets."""
    return {
        "rate": str(rate),
        "exponent": str(exponent),
        "taker_only": "1" if taker_only else "0",
        "rebate_rate": str(rebate),
    }
