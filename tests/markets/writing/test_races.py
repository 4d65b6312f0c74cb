"""Three writers on the same outcomes: no deadlock, the newest wins, nothing is lost."""

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal as D

import pytest
from django.db import connection

from markets.models import LatestQuote, Market, Quote
from markets.quotes import MarketInfo, OutcomeInfo, PriceRange, Status
from markets.quotes import Quote as QuoteValue
from markets.writing import QuoteRow, write_markets, write_quotes

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("seeded")]
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
WRITERS, ROUNDS, OUTCOMES = 3, 12, 400


def race(work: Callable[[int, int], object]) -> None:
    """Each writer works through its rounds in a thread (and connection) of its own."""

    def writer(number: int) -> None:
        try:
            for turn in range(ROUNDS):
                work(number, turn)
        finally:
            connection.close()

    with ThreadPoolExecutor(WRITERS) as pool:
        for done in [pool.submit(writer, number) for number in range(WRITERS)]:
            done.result(timeout=60)


def test_racing_quote_writers_leave_the_newest_price_of_each_outcome() -> None:
    def write(number: int, turn: int) -> None:
        at = NOW + timedelta(seconds=turn * WRITERS + number)
        outcomes = list(range(1, OUTCOMES + 1))
        random.Random(turn * 10 + number).shuffle(outcomes)  # as venues answer: in any order
        price = D(1 + turn * WRITERS + number) / 100
        write_quotes(
            QuoteRow(outcome, QuoteValue("kalshi", "KX", at, price, price + D("0.01")))
            for outcome in outcomes
        )

    race(write)
    newest = NOW + timedelta(seconds=ROUNDS * WRITERS - 1)
    assert LatestQuote.objects.count() == OUTCOMES
    assert set(LatestQuote.objects.values_list("checked_at", "bid")) == {
        (newest, D(ROUNDS * WRITERS) / 100)
    }
    assert not Quote.objects.filter(bid=None).exists()


def test_racing_market_writers_leave_the_newest_words() -> None:
    def write(number: int, turn: int) -> None:
        at = NOW + timedelta(seconds=turn * WRITERS + number)
        refs = [f"KX-{n}" for n in range(60)]
        random.Random(turn * 10 + number).shuffle(refs)
        write_markets(
            [replace(MARKET, ref=ref, title=f"at {at}", received_at=at) for ref in refs],
            lambda venue, word: "other",
        )

    race(write)
    newest = NOW + timedelta(seconds=ROUNDS * WRITERS - 1)
    assert set(Market.objects.values_list("title", flat=True)) == {f"at {newest}"}
    assert Market.objects.count() == 60


MARKET = MarketInfo(
    venue="kalshi",
    ref="",
    title="",
    status=Status.OPEN,
    outcomes=(OutcomeInfo(0, "Yes"), OutcomeInfo(1, "No")),
    price_ranges=(PriceRange(D(0), D(1), D("0.01")),),
    received_at=NOW,
    event_ref="KX",
)
