"""Kalshi's fixed-point text to `Decimal`, once, with a memory: a page repeats few values.

Pure. Only plain digits pass, so that NaN, exponents, signs and foreign digits are refused.
"""

import re
from collections.abc import Callable
from decimal import Decimal
from functools import lru_cache
from typing import Any, TypeVar

from markets.venues.payload import BadItem

V = TypeVar("V")
#: What the tables keep: 14 digits before the point, six behind it and any zeros.
_PLAIN = re.compile(r"[0-9]{1,14}(\.[0-9]{1,6}0{0,4})?").fullmatch
ZERO = Decimal(0)
ONE = Decimal(1)


@lru_cache(1 << 15)
def fraction(text: str) -> Decimal:
    """A number from 0 to 1, both ends included; ValueError for anything else."""
    if not _PLAIN(text) or (value := Decimal(text)) > 1:
        raise ValueError(text)
    return value


@lru_cache(1 << 15)
def quoted(text: str | None) -> Decimal | None:
    """A price inside (0, 1); None for 0 and 1, which Kalshi writes for an empty side."""
    if text is None:
        return None
    value = fraction(text)
    return value if ZERO < value < ONE else None


@lru_cache(1 << 16)
def count(text: str) -> Decimal:
    """A size or volume in contracts, not negative; ValueError for anything else."""
    if not _PLAIN(text):
        raise ValueError(text)
    return Decimal(text)


def contracts(text: str | None, legacy: int | None, field: str) -> Decimal | None:
    """A count from its fixed-point text, or from the whole number of older payloads."""
    if text is not None:
        return checked(count, text, field)
    if legacy is None:
        return None
    if not 0 <= legacy < 10**14:
        raise BadItem("out_of_range", field, sample=str(legacy)[:80])
    return Decimal(legacy)


def checked(read: Callable[[Any], V], text: str | None, field: str) -> V:
    """`read(text)`, with the field's name in the refusal."""
    try:
        return read(text)
    except ValueError:
        raise BadItem("out_of_range", field, sample=str(text)[:80]) from None
