"""How figures are written on a page."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal as D

import pytest

from markets.templatetags import show

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("price", "text"),
    [
        (None, "–"),
        ("", "–"),
        (D("0"), "0.0"),
        (D("1"), "100.0"),
        (D(".420000"), "42.0"),
        (D(".423"), "42.3"),
        (D(".0015"), "0.15"),
        (D(".000001"), "0.0001"),
    ],
)
def test_a_price_is_cents_with_at_least_one_decimal(price: D | None, text: str) -> None:
    assert show.cents(price) == text


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (None, "–"),
        (D("0"), "0"),
        (D("35.500000"), "35.5"),
        (D("350.51"), "351"),
        (D("999.994"), "1.0k"),
        (D("1000"), "1.0k"),
        (D("12345"), "12.3k"),
        (D("123456"), "123k"),
        (D("4200000"), "4.2M"),
        (D("7800000000"), "7.8bn"),
    ],
)
def test_a_size_is_short(number: D | None, text: str) -> None:
    assert show.short(number) == text


@pytest.mark.parametrize(
    ("seconds", "text", "brief"),
    [
        (0, "0 s", "0 s"),
        (59.9, "59 s", "59 s"),
        (60, "1 min", "1 min"),
        (7500, "2 h 5 min", "2 h"),
        (200_000, "2 d 7 h", "2 d"),
        (timedelta(minutes=5), "5 min", "5 min"),
    ],
)
def test_a_length_of_time_has_its_largest_units(seconds: float, text: str, brief: str) -> None:
    assert (show.span(seconds), show.brief(seconds)) == (text, brief)


@pytest.mark.parametrize(
    ("ahead", "text"),
    [
        (timedelta(hours=2, minutes=5), "2 h 5 min"),
        (timedelta(days=30, hours=4), "30 d"),
        (timedelta(minutes=-90), "1 h 30 min ago"),
        (timedelta(days=-21, hours=-3), "21 d ago"),
    ],
)
def test_a_closing_lies_ahead_or_behind(ahead: timedelta, text: str) -> None:
    assert show.until(NOW + ahead, NOW) == text
    assert show.until(None, NOW) == "–"


def test_a_time_a_little_ahead_of_ours_is_now() -> None:
    assert show.ago(NOW + timedelta(seconds=2), NOW) == "0 s ago"


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("https://kalshi.com/x", True),
        ("http://a.b", True),
        ("javascript:alert(1)", False),
        ("data:text/html,x", False),
        ("//evil.example", False),
        ("", False),
    ],
)
def test_only_web_addresses_become_links(url: str, kept: bool) -> None:
    assert bool(show.web(url)) is kept
