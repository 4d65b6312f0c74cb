"""One market on one page, and its chart."""

from datetime import timedelta
from decimal import Decimal as D

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from arbsite import clock
from markets.figures import SPANS, price_figure
from markets.models import Gap, Market, Outcome, Quote
from markets.terms import fees_of
from markets.writing import ensure_partitions
from tests import factories as make

pytestmark = pytest.mark.django_db
KEY = "KALSHI:KXRAIN"


@pytest.fixture
def market() -> Market:
    made = make.MarketFactory(key=KEY, ref="KXRAIN", title="Will it rain?", series="KXR")
    make.OutcomeFactory(market=made)
    make.OutcomeFactory(market=made, index=1)
    return made


@pytest.fixture
def desk(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("root"))
    return client


def _page(desk: Client, **headers: str) -> str:
    return desk.get(reverse("market", args=[KEY]), headers=headers).content.decode()


def test_a_market_nobody_has_quoted_says_so(desk: Client, market: Market) -> None:
    text = _page(desk)
    assert "has given no price" in text and "Books are fetched for tracked markets only" in text
    assert "Nothing has changed" in text and "No fee schedule is known" in text


def test_flags_are_said_in_words_and_an_unknown_one_as_it_is(desk: Client, market: Market) -> None:
    make.LatestQuoteFactory(outcome=market.outcomes.get(index=0), flags="locked strange_thing")
    assert "the bid equals the ask; strange_thing" in _page(desk)


def test_the_book_shows_the_other_side_as_a_mirror(desk: Client, market: Market) -> None:
    first = market.outcomes.get(index=0)
    make.LatestBookFactory(outcome=first, bids=[["0.42", "100"]], asks=[["0.47", "300"]])
    text = _page(desk)
    assert text.count('class="ladder"') == 2 and "mirrored from it" in text
    for price in ("42.0", "47.0", "53.0", "58.0"):
        assert f">{price}</td>" in text


def test_rules_keep_their_paragraphs(desk: Client, market: Market) -> None:
    Market.objects.update(rules="First.\n\nSecond <b>bold</b>.")
    assert "<p>First.</p>\n\n<p>Second &lt;b&gt;bold&lt;/b&gt;.</p>" in _page(desk)


def test_a_revision_marks_the_words_that_changed(desk: Client, market: Market) -> None:
    make.MarketRevisionFactory(market=market)
    text = _page(desk)
    assert "<del>Monday</del><ins>Tuesday</ins>" in text


def test_htmx_gets_figures_and_the_book_beside_them(desk: Client, market: Market) -> None:
    text = _page(desk, **{"HX-Request": "true", "HX-Target": "live"})
    assert "<html" not in text and 'id="book" hx-swap-oob="innerHTML"' in text


def test_other_markets_of_the_event_are_listed_by_price(desk: Client, market: Market) -> None:
    for title, bid in (("Unlikely", ".05"), ("Likely", ".80")):
        other = make.MarketFactory(event=market.event, venue=market.venue, subtitle=title)
        outcome = make.OutcomeFactory(market=other)
        make.LatestQuoteFactory(outcome=outcome, bid=D(bid), ask=D(bid) + D(".01"))
    text = _page(desk)
    assert text.index("Likely") < text.index("Unlikely")


def test_an_unknown_market_and_an_unknown_span_are_not_found(desk: Client, market: Market) -> None:
    assert desk.get(reverse("market", args=["KALSHI:NONE"])).status_code == 404
    assert desk.get(reverse("market_chart", args=[KEY]) + "?hours=5").status_code == 404
    assert desk.get(reverse("market_chart", args=["KALSHI:NONE"])).status_code == 404


def _y(figure: dict, role: str) -> list[float | None]:
    return next(trace["y"] for trace in figure["traces"] if trace["role"] == role)


def _outcome(market: Market) -> Outcome:
    return Outcome.objects.select_related("market").get(market=market, index=0)


def test_the_chart_of_an_unquoted_market_is_empty(market: Market) -> None:
    assert price_figure(_outcome(market), clock.now(), 24)["points"] == 0


def test_the_chart_joins_candles_quotes_and_the_latest_price(market: Market) -> None:
    now, outcome = clock.now(), _outcome(market)
    ensure_partitions([now.date(), (now - timedelta(hours=1)).date()])
    make.CandleFactory(outcome=outcome, start=now - timedelta(hours=3), volume=D(7))
    for minutes in (90, 30):  # the first lies before the candle's end and is in it already
        at = now - timedelta(minutes=minutes + 0)
        Quote.objects.create(outcome_id=outcome.pk, bid=D(".50"), ask=D(".52"), received_at=at)
    make.LatestQuoteFactory(outcome=outcome, bid=D(".60"), ask=None, last=D(".61"))
    figure = price_figure(outcome, now + timedelta(seconds=1), 168)
    assert _y(figure, "bid") == [42.0, 50.0, 50.0, 60.0]
    assert _y(figure, "mid") == [43.0, 51.0, 51.0, 61.0]
    assert _y(figure, "volume") == [7.0]


def test_fine_candles_win_where_they_reach_and_coarse_ones_before(market: Market) -> None:
    now, outcome = clock.now(), _outcome(market)
    for hours in (5, 4, 3, 2):
        start = now - timedelta(hours=hours)
        make.CandleFactory(outcome=outcome, start=start, bid_close=D(".10"))
    make.CandleFactory(
        outcome=outcome, start=now - timedelta(minutes=150), seconds=60, bid_close=D(".20")
    )
    assert _y(price_figure(outcome, now, 24), "bid") == [10.0, 10.0, 20.0]


@pytest.mark.parametrize(
    ("job", "is_repaired", "is_broken"),
    [("quotes", False, True), ("quotes", True, False), ("fees", False, False)],
)
def test_a_stretch_that_was_not_collected_is_a_gap_in_the_line(
    market: Market, job: str, is_repaired: bool, is_broken: bool
) -> None:
    now, outcome = clock.now(), _outcome(market)
    for hours in (10, 3):
        make.CandleFactory(outcome=outcome, start=now - timedelta(hours=hours))
    Gap.objects.create(
        venue=market.venue,
        job=job,
        started_at=now - timedelta(hours=8),
        ended_at=now - timedelta(hours=4),
        repaired_at=now if is_repaired else None,
    )
    figure = price_figure(outcome, now, 24)
    assert (None in _y(figure, "mid")) is is_broken
    assert len(figure["gaps"]) == is_broken


@pytest.mark.parametrize("hours", SPANS)
def test_a_chart_stays_small_however_many_quotes_there_are(market: Market, hours: int) -> None:
    now, outcome = clock.now(), _outcome(market)
    start = now - timedelta(minutes=50)
    ensure_partitions([now.date(), start.date()])
    Quote.objects.bulk_create(
        Quote(outcome_id=outcome.pk, bid=D(".5"), received_at=start + timedelta(seconds=second))
        for second in range(3000)
    )
    assert price_figure(outcome, now, hours)["points"] < 60


@pytest.mark.parametrize(
    ("scopes", "winner"),
    [
        (["venue"], "venue"),
        (["venue", "series"], "series"),
        (["venue", "series", "event"], "event"),
        (["venue", "series", "event", "market"], "market"),
        ([], None),
    ],
)
def test_the_narrowest_fee_scope_with_a_row_wins(
    market: Market, scopes: list[str], winner: str | None
) -> None:
    refs = {"venue": "", "series": "KXR", "event": market.event.ref, "market": "KXRAIN"}
    for scope in scopes:
        make.FeeScheduleFactory(venue=market.venue, scope=scope, scope_ref=refs[scope])
    make.FeeScheduleFactory(venue=market.venue, scope="series", scope_ref="KXOTHER")
    found = fees_of(market, clock.now()).now
    assert (found.scope if found else None) == winner


def test_a_fee_announced_for_later_is_named_and_not_yet_in_force(market: Market) -> None:
    now = clock.now()
    old = make.FeeScheduleFactory(venue=market.venue, effective_from=now - timedelta(days=2))
    new = make.FeeScheduleFactory(venue=market.venue, effective_from=now + timedelta(days=2))
    assert fees_of(market, now).now.effective_from == old.effective_from
    assert fees_of(market, now).later == (new,)
    assert fees_of(market, now + timedelta(days=3)).now.effective_from == new.effective_from


@pytest.mark.parametrize(
    ("status", "age_h", "says"),
    [
        ("open", 0, ""),
        ("paused", 0, "Not to be traded on: the market is not open for trading."),
        ("settled", 0, "Not to be traded on: the market is not open for trading."),
        ("open", 9, "Not to be traded on: older than it should be"),
    ],
)
def test_a_price_that_is_not_for_trading_says_why(
    desk: Client, market: Market, status: str, age_h: int, says: str
) -> None:
    Market.objects.update(status=status)
    at = clock.now() - timedelta(hours=age_h)
    make.LatestQuoteFactory(outcome=market.outcomes.get(index=0), checked_at=at)
    text = _page(desk)
    assert says in text if says else "Not to be traded on" not in text
