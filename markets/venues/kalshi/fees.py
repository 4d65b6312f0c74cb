"""Kalshi's fee words as fee facts. Pure. Rates: https://kalshi.com/docs/kalshi-fee-schedule.pdf"""

from datetime import datetime
from decimal import Decimal

from markets.quotes import FeeInfo
from markets.venues.kalshi.page import VENUE, name
from markets.venues.payload import BadItem, clean

#: fee_type → the maker's share of the taker fee; `flat` has a table of its own that nobody sends.
MAKER_SHARES = {
    "quadratic": "0",
    "quadratic_with_maker_fees": "0.25",
    "quadratic_with_combo_maker_fees": "0.5",
}
TAKER_RATE = "0.07"


def fee(
    scope: str,
    ref: str,
    fee_type: str | None,
    multiplier: Decimal | None,
    effective_from: datetime | None,
) -> FeeInfo:
    """taker = multiplier x rate x C x P x (1 - P), maker = maker_multiplier x taker.

    A value that an override leaves out (formula `inherit` when the type is) holds as in the
    scope above; formula `unknown` means that nothing may be ordered.
    """
    values: dict[str, str] = {}
    formula = "inherit" if fee_type is None else "unknown"
    if fee_type is not None:
        values["fee_type"] = clean(fee_type)[:60]
        if fee_type in MAKER_SHARES:
            formula = "quadratic"
            values |= {"rate": TAKER_RATE, "maker_multiplier": MAKER_SHARES[fee_type]}
    if multiplier is not None:
        if not multiplier.is_finite() or not 0 <= multiplier <= 100:
            raise BadItem("out_of_range", "fee_multiplier", sample=str(multiplier)[:80])
        values["multiplier"] = str(multiplier)
    return FeeInfo(VENUE, scope, name(ref, "ticker"), formula, values, effective_from)
