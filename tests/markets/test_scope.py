"""The scope list decides what is tracked: deny wins, allow narrows, watch comes first."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal as D

import pytest
from django.conf import LazySettings

from arbsite import clock
from markets.models import Market, Scope
from markets.quotes import MarketInfo, OutcomeInfo, PriceRange, Quote, Status
from markets.ranks import refresh_ranks
from markets.scope import PRESETS, ScopeError, apply_preset, choose_tracked, condition, preview
from markets.writing import QuoteRow, write_markets, write_quotes
from markets.writing.listings import outcome_ids

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _world() -> None:
    clock.settle(NOW)
    infos = [
        _info("kalshi", "KXNFLGAME-1", "Chiefs win?", "sports", days=1),
        _info("kalshi", "KXFED-1", "Rate cut?", "economics", days=30),
        _info("kalshi", "KXOLD-1", "Ended", "economics", status=Status.SETTLED),
        _info("polymarket", "0x1", "Bitcoin above 100k?", "crypto", days=3),
        _info("polymarket", "0x2", "Ether above 5k?", "crypto", days=300),
        _info("predictit", "1.1", "Who wins Ohio?", "politics", days=400),
    ]
    write_markets(infos, lambda venue, word: word)
    ids = outcome_ids([info.key for info in infos])
    volumes = {"KXFED-1": 900, "KXNFLGAME-1": 100, "0x1": 500, "0x2": 50}
    write_quotes(
        QuoteRow(
            ids[info.key][0],
            Quote(info.venue, info.ref, NOW, volume_24h=D(volumes.get(info.ref, 0))),
        )
        for info in infos
    )
    refresh_ranks()


def _info(
    venue: str, ref: str, title: str, category: str, days: int = 5, status: Status = Status.OPEN
) -> MarketInfo:
    return MarketInfo(
        venue=venue,
        ref=ref,
        title=title,
        status=status,
        outcomes=(OutcomeInfo(0, "Yes"), OutcomeInfo(1, "No")),
        price_ranges=(PriceRange(D(0), D(1), D("0.01")),),
        received_at=NOW,
        close_time=NOW + timedelta(days=days),
        category=category,
        series=ref.split("-")[0],
    )


def line(action: str, dimension: str, value: str) -> None:
    Scope.objects.create(action=action, dimension=dimension, value=value)


def tracked() -> set[str]:
    choose_tracked()
    return set(Market.objects.filter(is_tracked=True).values_list("ref", flat=True))


EVERYTHING = {"KXNFLGAME-1", "KXFED-1", "0x1", "0x2", "1.1"}


def test_without_a_line_every_live_market_is_tracked() -> None:
    assert tracked() == EVERYTHING


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([("deny", "venue", "kalshi")], EVERYTHING - {"KXNFLGAME-1", "KXFED-1"}),
        ([("allow", "category", "crypto")], {"0x1", "0x2"}),
        ([("allow", "category", "crypto"), ("allow", "days", "7")], {"0x1"}),
        ([("allow", "category", "crypto"), ("deny", "word", "bitcoin")], {"0x2"}),
        ([("deny", "series", "kxfed")], EVERYTHING - {"KXFED-1"}),
        ([("deny", "market", "PREDICTIT:1.1")], EVERYTHING - {"1.1"}),
        ([("mute", "venue", "kalshi")], EVERYTHING),
    ],
)
def test_lines_narrow_what_is_tracked(lines: list[tuple[str, ...]], expected: set[str]) -> None:
    for each in lines:
        line(*each)
    assert tracked() == expected


def test_places_go_to_the_watched_first_and_then_venue_by_venue(settings: LazySettings) -> None:
    settings.TRACKED_MAX = 3
    assert tracked() == {"KXFED-1", "0x1", "1.1"}  # the most traded of each venue
    line("watch", "series", "KXNFL")
    assert tracked() == {"KXNFLGAME-1", "KXFED-1", "0x1"}


def test_a_market_that_falls_out_is_no_longer_tracked(settings: LazySettings) -> None:
    assert choose_tracked() == {"tracked": 5, "added": 5, "ended": 0}
    line("deny", "venue", "polymarket")
    assert choose_tracked() == {"tracked": 3, "added": 0, "ended": 2}


def test_a_preset_adds_its_lines_once() -> None:
    assert apply_preset("NFL") == len(PRESETS["NFL"])
    assert apply_preset("NFL") == 0
    assert set(Scope.objects.values_list("preset", flat=True)) == {"NFL"}


def test_days_count_to_the_expected_answer_where_there_is_no_cut_off() -> None:
    soon = _info("polymarket", "0x9", "Open end", "world")
    write_markets(
        [replace(soon, close_time=None, expected_time=NOW + timedelta(days=1))],
        lambda venue, word: word,
    )
    line("allow", "days", "2")
    assert tracked() == {"KXNFLGAME-1", "0x9"}


def test_preview_counts_live_markets_only() -> None:
    assert preview("category", "economics") == 1
    assert preview("days", "5") == 2


@pytest.mark.parametrize(
    ("dimension", "value"), [("days", "soon"), ("days", "-1"), ("word", "  "), ("colour", "red")]
)
def test_a_line_without_sense_is_refused_with_a_reason(dimension: str, value: str) -> None:
    with pytest.raises(ScopeError):
        condition(dimension, value)
