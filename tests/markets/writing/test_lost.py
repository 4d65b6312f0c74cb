"""A batch is whole or absent: whatever the database does in the middle of it."""

from dataclasses import replace

import pytest
from django.db import OperationalError, connection

from markets.models import LatestQuote, Market, Quote
from markets.writing import QuoteRow, listings, prices, write_markets, write_quotes
from tests.markets.writing.test_prices import QUOTE
from tests.markets.writing.test_races import MARKET

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("seeded")]
GONE = "SELECT pg_terminate_backend(pg_backend_pid())"
FULL = "DO $$ BEGIN RAISE EXCEPTION 'no space left' USING ERRCODE = 'disk_full'; END $$"


@pytest.mark.parametrize("accident", [GONE, FULL])
def test_quotes_of_a_lost_batch_are_absent_and_the_next_try_stores_them(
    monkeypatch: pytest.MonkeyPatch, accident: str
) -> None:
    rows = [QuoteRow(n, QUOTE) for n in range(1, 100)]
    with monkeypatch.context() as broken, pytest.raises(OperationalError):
        broken.setattr(prices, "_UPSERT", accident)
        write_quotes(rows)
    connection.close()
    assert Quote.objects.count() == 0 == LatestQuote.objects.count()
    write_quotes(rows)
    assert Quote.objects.count() == 99 == LatestQuote.objects.count()


@pytest.mark.parametrize("accident", [GONE, FULL])
def test_markets_of_a_lost_batch_are_absent_and_the_next_try_stores_them(
    monkeypatch: pytest.MonkeyPatch, accident: str
) -> None:
    markets = [replace(MARKET, ref=f"KX-{n}") for n in range(50)]
    with monkeypatch.context() as broken, pytest.raises(OperationalError):
        broken.setattr(listings, "_UPSERT_OUTCOME", accident)
        write_markets(markets, lambda venue, word: "other")
    connection.close()
    assert Market.objects.count() == 0
    write_markets(markets, lambda venue, word: "other")
    assert Market.objects.count() == 50
