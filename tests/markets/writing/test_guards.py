"""What only shows between writers: late news, locks in one order, words without sense."""

from dataclasses import replace
from datetime import timedelta

import pytest

from markets.models import FeeSchedule, Market, MarketRevision, Outcome, Quote
from markets.quotes import FeeInfo, OutcomeInfo
from markets.writing import QuoteRow, write_events, write_fees, write_markets, write_quotes
from markets.writing.salvage import write_salvaging
from tests.markets.writing.test_listings import EVENT, LATER, MARKET, NOW, plain
from tests.markets.writing.test_prices import at
from tests.markets.writing.test_races import race

FEE = FeeInfo("kalshi", "market", MARKET.ref, "quadratic", {"multiplier": "1"})


@pytest.mark.django_db
def test_late_news_leaves_neither_its_sides_nor_its_fees() -> None:
    new = replace(MARKET, title="New", fee=FEE, received_at=LATER)
    write_markets([new], plain)
    old = replace(
        MARKET,
        outcomes=(OutcomeInfo(0, "Up", "111"),),
        fee=replace(FEE, values={"multiplier": "0"}),
    )
    write_markets([old], plain)
    assert Outcome.objects.get(index=0).label == "Yes"
    assert [row.values for row in FeeSchedule.objects.all()] == [FEE.values]


@pytest.mark.django_db
def test_the_events_series_stays_when_the_market_changes() -> None:
    write_events([replace(EVENT, series="KXINX")], plain)
    write_markets([replace(MARKET, series="INXD")], plain)
    write_markets([replace(MARKET, series="INXD", title="New", received_at=LATER)], plain)
    assert Market.objects.get().series == "KXINX"


@pytest.mark.django_db
def test_an_ended_override_is_recorded_only_where_there_was_one() -> None:
    event = replace(FEE, scope="event", scope_ref="KXFED")
    ended = replace(event, formula="inherit", values={})
    assert write_fees([ended], NOW) == 0
    write_fees([event], NOW)
    assert write_fees([ended], LATER) == 1
    assert write_fees([ended], LATER + timedelta(minutes=1)) == 0


@pytest.mark.django_db
def test_a_book_that_says_nothing_of_the_last_trade_is_no_change() -> None:
    write_quotes([QuoteRow(1, at(0, last=at(0).bid))])
    for second in range(1, 4):
        assert write_quotes([QuoteRow(1, at(second, last=None))])["changed"] == 0
    assert Quote.objects.count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("sent", "kept"),
    [("a\x00b", "ab"), ("a\\u0000b", "a\\u0000b"), ("\\\x00", "\\"), ('{"x":"\\u0000"}', None)],
)
def test_nul_is_dropped_and_its_spelling_kept(sent: str, kept: str | None) -> None:
    write_markets([replace(MARKET, facts={"note": sent})], plain)
    assert Market.objects.get().facts["note"] == (sent if kept is None else kept)


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("seeded")
def test_racing_writers_of_one_change_record_it_once() -> None:
    refs = [f"KX-{n}" for n in range(50)]
    write_markets([replace(MARKET, ref=ref) for ref in refs], plain)
    changed = [replace(MARKET, ref=ref, title="New", received_at=LATER) for ref in refs]
    race(lambda number, turn: write_markets(changed, plain))
    assert MarketRevision.objects.count() == 50


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("seeded")
def test_events_tracking_and_markets_may_be_written_side_by_side() -> None:
    from markets.scope import _set

    refs = [f"KX-{n * 7919 % 100:02d}" for n in range(60)]
    write_markets([replace(MARKET, ref=ref) for ref in refs], plain)
    keys = list(Market.objects.order_by("-key").values_list("pk", flat=True))

    def work(number: int, turn: int) -> None:
        when = NOW + timedelta(seconds=turn * 3 + number)
        if number == 0:
            _set(keys, turn % 2 == 0)
        elif number == 1:
            word = ("Economics", "Politics")[turn % 2]
            write_events([replace(EVENT, category=word, received_at=when)], plain)
        else:
            titled = [replace(MARKET, ref=r, title=str(turn), received_at=when) for r in refs]
            write_markets(titled, plain)

    race(work)


def test_salvaging_finds_each_bad_item_and_raises_what_it_does_not_know() -> None:
    def write(items: object) -> list[int]:
        if any(item < 0 for item in items):  # type: ignore[attr-defined]
            raise UnicodeError("no")
        return list(items)  # type: ignore[call-overload]

    done, refused = write_salvaging([1, 2, -3, 4, -5], write)
    assert sorted(x for part in done for x in part) == [1, 2, 4]
    assert refused == [(-3, "no"), (-5, "no")]
    with pytest.raises(ZeroDivisionError):
        write_salvaging([1], lambda items: 1 / 0)
