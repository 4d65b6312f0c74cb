"""The page Markets: page, refreshed parts, export."""

import asyncio
import csv
import io

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.db import connection
from django.test import AsyncClient, Client
from django.urls import reverse

from markets.ranks import refresh_ranks
from tests import factories as make

pytestmark = pytest.mark.django_db
PAGE = "/markets/"


@pytest.fixture
def desk(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("root"))
    return client


def _quoted(key: str, title: str = "Will it rain?", **fields: object) -> None:
    market = make.MarketFactory(key=key, title=title, **fields)
    make.LatestQuoteFactory(outcome=make.OutcomeFactory(market=market))
    refresh_ranks()


def test_a_row_shows_its_figures_and_links(desk: Client) -> None:
    _quoted("KALSHI:KXRAIN", url="https://kalshi.com/rain")
    text = desk.get(PAGE).content.decode()
    for part in ("Will it rain?", "42.0", "44.0", "43.0", "48.2k", "0 s ago", "Open"):
        assert part in text
    assert 'href="/markets/KALSHI:KXRAIN/"' in text and 'href="https://kalshi.com/rain"' in text


@pytest.mark.parametrize(
    ("target", "holds", "lacks"),
    [
        ("results", "<table", "<html"),
        ("rows", "<tr", "<table"),
        ("elsewhere", "<html", "no such thing"),
    ],
)
def test_htmx_gets_the_part_it_asks_for(desk: Client, target: str, holds: str, lacks: str) -> None:
    _quoted("KALSHI:KXRAIN")
    answer = desk.get(PAGE, headers={"HX-Request": "true", "HX-Target": target})
    text = answer.content.decode()
    assert holds in text and lacks not in text
    assert "HX-Request" in answer["Vary"] and "HX-Target" in answer["Vary"]


def test_going_back_in_the_browser_gets_the_whole_page(desk: Client) -> None:
    headers = {"HX-Request": "true", "HX-Target": "rows", "HX-History-Restore-Request": "true"}
    assert "<html" in desk.get(PAGE, headers=headers).content.decode()


def test_an_empty_desk_and_an_empty_search_say_different_things(desk: Client) -> None:
    assert "No markets yet" in desk.get(PAGE).content.decode()
    assert "No market fits" in desk.get(PAGE + "?q=nothing").content.decode()


def test_a_stale_row_says_so_in_words(desk: Client) -> None:
    _quoted("KALSHI:KXRAIN")
    make.LatestQuote.objects.update(checked_at="2026-01-01T00:00Z")
    assert ">stale " in desk.get(PAGE).content.decode()


def test_a_market_without_a_price_says_so(desk: Client) -> None:
    make.OutcomeFactory()
    refresh_ranks()
    assert "no price" in desk.get(PAGE).content.decode()


def test_a_page_costs_a_fixed_number_of_queries(
    desk: Client, django_assert_max_num_queries: object
) -> None:
    for number in range(30):
        _quoted(f"KALSHI:KX{number}")
    with django_assert_max_num_queries(15):
        desk.get(PAGE)


def _export(answer: object) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(b"".join(answer).decode())))


def test_the_export_holds_the_current_filter(desk: Client) -> None:
    _quoted("KALSHI:KXRAIN", category="weather")
    _quoted("KALSHI:KXSUN", category="sports")
    answer = desk.get(reverse("markets_export") + "?category=weather")
    rows = _export(answer.streaming_content)
    assert [row["market"] for row in rows] == ["KALSHI:KXRAIN"]
    assert (rows[0]["bid"], rows[0]["mid"], rows[0]["stale"]) == ("0.420000", "0.430000", "")
    assert "attachment" in answer["Content-Disposition"]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t"])
def test_a_title_cannot_become_a_formula_in_a_spreadsheet(desk: Client, start: str) -> None:
    _quoted("KALSHI:KXRAIN", title=f"{start}HYPERLINK(1)")
    rows = _export(desk.get(reverse("markets_export")).streaming_content)
    assert rows[0]["title"] == f"'{start}HYPERLINK(1)"


def test_the_export_stops_at_its_cap(desk: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("markets.listing.EXPORT_MAX", 3)
    monkeypatch.setattr("markets.listing._CHUNK", 2)
    for number in range(5):
        _quoted(f"KALSHI:KX{number}")
    assert len(_export(desk.get(reverse("markets_export")).streaming_content)) == 3


@pytest.mark.django_db(transaction=True)
def test_the_export_streams_under_asgi() -> None:
    _quoted("KALSHI:KXRAIN")
    client = AsyncClient()
    client.force_login(User.objects.create_superuser("root"))

    async def fetch() -> list[bytes]:
        answer = await client.get(reverse("markets_export"))
        parts = [part async for part in answer.streaming_content]
        await sync_to_async(lambda: connection.close())()  # the thread's own
        return parts

    assert [row["market"] for row in _export(asyncio.run(fetch()))] == ["KALSHI:KXRAIN"]


def test_the_api_gives_prices_as_strings_and_missing_ones_as_null(desk: Client) -> None:
    _quoted("KALSHI:KXRAIN")
    make.LatestQuote.objects.update(ask=None)
    body = desk.get(reverse("api_markets")).json()
    (market,) = body["markets"]
    assert (market["bid"], market["ask"], market["mid"]) == ("0.420000", None, None)
    one = desk.get(reverse("api_market", args=["KALSHI:KXRAIN"])).json()
    assert one["market"] == "KALSHI:KXRAIN" and one["rules"].startswith("If the team")
    assert desk.get(reverse("api_market", args=["KALSHI:NONE"])).status_code == 404


@pytest.mark.parametrize(
    ("fields", "quote", "is_tradable"),
    [
        ({}, {}, True),
        ({"status": "paused"}, {}, False),
        ({"status": "settled"}, {}, False),
        ({}, {"flags": "locked"}, False),
        ({}, {"checked_at": "2026-01-01T00:00Z"}, False),
    ],
)
def test_the_api_calls_a_price_tradable_only_while_it_could_be_traded_on(
    desk: Client, fields: dict[str, str], quote: dict[str, str], is_tradable: bool
) -> None:
    _quoted("KALSHI:KXRAIN", **fields)
    make.LatestQuote.objects.update(**quote)
    body = desk.get(reverse("api_market", args=["KALSHI:KXRAIN"])).json()
    assert body["is_tradable"] is is_tradable
