"""The list of markets: what is asked for is what is listed, in the order asked for."""

from datetime import timedelta
from decimal import Decimal as D

import pytest
from django.http import QueryDict

from arbsite import clock
from markets import listing
from markets.listing import MarketFilter, page_number, page_of
from markets.models import Market, MarketRank
from markets.ranks import rank_new_markets, refresh_ranks
from tests import factories as make

pytestmark = pytest.mark.django_db


def _market(key: str, bid: str | None = None, ask: str | None = None, **fields: object) -> Market:
    quoted = {name: fields.pop(name) for name in ("volume_24h", "checked_at") if name in fields}
    market = make.MarketFactory(key=key, **fields)
    outcome = make.OutcomeFactory(market=market)
    if bid or ask:
        prices = {"bid": D(bid) if bid else None, "ask": D(ask) if ask else None}
        make.LatestQuoteFactory(outcome=outcome, **prices, **quoted)
    return market


@pytest.fixture
def four() -> None:
    now, poly = clock.now(), make.VenueFactory(slug="polymarket")
    _market("K:A", ".10", ".12", volume_24h=500, title="Lakers win the cup", is_tracked=True,
            close_time=now + timedelta(hours=2))  # fmt: skip
    _market("K:B", ".60", ".61", volume_24h=900, title="Lakers lose the cup", category="politics",
            close_time=now + timedelta(days=20))  # fmt: skip
    _market("P:C", ".30", ".39", volume_24h=None, title="Bitcoin above 120000", venue=poly,
            close_time=None, subtitle="cup of nothing")  # fmt: skip
    _market("K:D", title="Rain tomorrow", status="settled", close_time=now - timedelta(days=1))
    refresh_ranks()


def _keys(query: str) -> list[str]:
    page = page_of(MarketFilter(QueryDict(query)), 1, clock.now())
    return [row.market.key for row in page.rows]


@pytest.mark.parametrize(
    ("query", "keys"),
    [
        ("", ["K:B", "K:A", "P:C"]),
        ("status=all", ["K:B", "K:A", "P:C", "K:D"]),
        ("status=settled", ["K:D"]),
        ("venue=polymarket", ["P:C"]),
        ("category=politics", ["K:B"]),
        ("tracked=on", ["K:A"]),
        ("within=24", ["K:A"]),
        ("within=720", ["K:B", "K:A"]),
        ("q=lakers", ["K:B", "K:A"]),
        ("q=lak", ["K:B", "K:A"]),
        ("q=cup+lak", ["K:B", "K:A"]),
        ("q=cup", ["K:B", "K:A", "P:C"]),
        ('q="lakers win"', ["K:A"]),
        ("q=lakers+-lose", ["K:A"]),
        ("q=bitcoin+or+lose", ["K:B", "P:C"]),
        ("q=P:C", ["P:C"]),
        ("q=nothing+else", []),
        ("q=%27%22%3B--&", []),
        ("q=120%3A*+%26", []),
        ("sort=-volume", ["K:A", "K:B", "P:C"]),
        ("sort=closing", ["K:A", "K:B", "P:C"]),
        ("sort=-closing", ["K:B", "K:A", "P:C"]),
        ("sort=spread", ["K:B", "K:A", "P:C"]),
        ("sort=-spread", ["P:C", "K:A", "K:B"]),
        ("sort=price", ["K:B", "P:C", "K:A"]),
        ("sort=-newest", ["K:A", "K:B", "P:C"]),
        ("sort=nonsense&venue=nowhere&category=x&within=x&status=x", ["K:B", "K:A", "P:C"]),
    ],
)
def test_what_is_asked_for_is_listed_in_order(four: None, query: str, keys: list[str]) -> None:
    assert _keys(query) == keys


@pytest.mark.parametrize("reach", [0, 1, 2])
def test_search_finds_the_same_whichever_side_is_read_first(
    four: None, reach: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "REACH", reach)
    for query, expected in (("q=lakers&category=politics", {"K:B"}), ("q=cup", {"K:B", "K:A"})):
        chosen = MarketFilter(QueryDict(query)).selection(clock.now())
        found = set(chosen.ranks.values_list("market__key", flat=True))
        assert expected <= found and "K:D" not in found
        if query.endswith("politics"):
            assert found == expected


def test_figures_come_from_the_quote_and_not_from_the_rank(four: None) -> None:
    make.LatestQuote.objects.filter(outcome__market__key="K:A").update(bid=D(".20"), ask=D(".24"))
    page = page_of(MarketFilter(QueryDict("tracked=on")), 1, clock.now())
    assert (page.rows[0].mid, page.rows[0].spread) == (D(".22"), D(".04"))


def test_a_one_sided_price_has_neither_mid_nor_spread() -> None:
    _market("K:E", bid=".50")
    refresh_ranks()
    row = page_of(MarketFilter(QueryDict("")), 1, clock.now()).rows[0]
    assert (row.mid, row.spread) == (None, None)


@pytest.mark.parametrize(
    ("is_tracked", "status", "minutes", "is_stale"),
    [
        (True, "open", 0, False),
        (True, "open", 1, True),
        (False, "open", 20, False),
        (False, "open", 31, True),
        (False, "settled", 600, False),
    ],
)
def test_a_price_is_stale_after_two_intervals_of_its_tier(
    is_tracked: bool, status: str, minutes: int, is_stale: bool
) -> None:
    _market("K:S", ".5", ".6", is_tracked=is_tracked, status=status,
            checked_at=clock.now() - timedelta(minutes=minutes))  # fmt: skip
    refresh_ranks()
    row = page_of(MarketFilter(QueryDict("status=all")), 1, clock.now()).rows[0]
    assert row.is_stale is is_stale


@pytest.mark.parametrize(
    ("asked", "number", "keys"),
    [(1, 1, ["K:B", "K:A"]), (2, 2, ["P:C"]), (9, 2, ["P:C"]), (0, 1, ["K:B", "K:A"])],
)
def test_a_page_outside_is_brought_inside(
    four: None, asked: int, number: int, keys: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "PAGE_SIZE", 2)
    page = page_of(MarketFilter(QueryDict("")), asked, clock.now())
    assert (page.number, page.last, page.count, page.is_more) == (number, 2, 3, False)
    assert [row.market.key for row in page.rows] == keys


def test_beyond_its_reach_the_list_says_that_it_goes_on(
    four: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "REACH", 2)
    page = page_of(MarketFilter(QueryDict("")), 1, clock.now())
    assert (page.count, page.is_more) == (2, True)


@pytest.mark.parametrize(
    ("text", "number"), [("page=3", 3), ("page=-1", 1), ("page=x", 1), ("page=²", 1), ("", 1)]
)
def test_a_page_number_that_is_none_is_the_first(text: str, number: int) -> None:
    assert page_number(QueryDict(text)) == number


def test_only_changed_ranks_are_written(four: None) -> None:
    assert refresh_ranks() == 0
    make.LatestQuote.objects.filter(outcome__market__key="K:A").update(volume_24h=1)
    Market.objects.filter(key="K:B").update(status="paused")
    assert refresh_ranks() == 2
    assert MarketRank.objects.get(market__key="K:A").volume_24h == 1


def test_markets_that_have_no_rank_yet_are_ranked_when_a_page_is_opened(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("markets.ranks._asked_at", float("-inf"))
    _market("K:N", ".1", ".2")
    rank_new_markets()
    assert _keys("") == ["K:N"]
    _market("K:M", ".1", ".2")
    rank_new_markets()  # within its patience: the periodic job will do it
    assert _keys("") == ["K:N"]


def test_a_market_without_a_closing_is_listed_by_its_expected_end() -> None:
    soon = clock.now() + timedelta(hours=5)
    _market("P:X", ".1", ".2", close_time=None, expected_time=soon)
    refresh_ranks()
    page = page_of(MarketFilter(QueryDict("within=24&sort=closing")), 1, clock.now())
    assert [row.closes for row in page.rows] == [soon]
