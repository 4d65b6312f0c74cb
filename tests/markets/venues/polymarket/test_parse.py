from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from markets.quotes import FeeInfo, Listing, Page, Status
from markets.venues.polymarket.parse import parse_event_list, parse_events, parse_markets
from markets.venues.polymarket.terms import category_of
from tests.markets.venues.polymarket.payload import GONE, NOW, body, dump, load, page_of, smith

SMITH = "0xc8f1cf5d4f26e0fd9c8fe89f2a7b3263b902cf14fde7bfccef525753bb492e47"
OTHER = "0x" + "ab" * 31
ENDED: dict[str, Any] = {"closed": True, "acceptingOrders": False}


def one(**changes: Any) -> Listing:
    page = parse_markets(page_of(smith(**changes)), NOW)
    assert not page.refused
    return page.items[0]


def refusal(**changes: Any) -> tuple[str, str]:
    page = parse_markets(page_of(smith(**changes)), NOW)
    assert not page.items
    assert page.refused[0].ref in (SMITH, "gamma:559657")
    return page.refused[0].reason, page.refused[0].field


def test_an_event_page_gives_every_market_with_its_event() -> None:
    page = parse_events(body("get_events_keyset"), NOW, 100)
    assert [item.market.ref[:6] for item in page.items] == ["0xc8f1", "0x01f1", "0x7844"]
    assert not page.refused
    assert not page.extras
    event = page.items[0].event
    assert event is page.items[1].event
    assert event is not None
    assert (event.ref, event.category) == ("30829", "politics")
    assert event.tags == ("elections", "politics")
    assert event.exclusive is True
    assert event.exhaustive is None
    assert event.facts["negRiskAugmented"] == "true"
    crypto = page.items[2].event
    assert crypto is not None
    assert (crypto.exclusive, crypto.series) == (None, "btc-up-or-down-5m")
    assert crypto.facts["startTime"] == "2026-03-12T09:20:00Z"


def test_a_market_says_what_the_venue_said() -> None:
    market = parse_events(body("get_events_keyset"), NOW).items[0].market
    assert market.key == f"POLY:{SMITH}"
    assert market.title.startswith("Will Stephen A. Smith")
    assert market.rules == 'This market will resolve to "Yes" if he wins.'
    assert market.status is Status.OPEN
    assert market.venue_status == "active accepting"
    assert [o.label for o in market.outcomes] == ["Yes", "No"]
    assert market.outcomes[0].token == (
        "60590045489347122735554346200880179420435533609307820342798544098823516727807"
    )
    assert [(r.start, r.end, r.step) for r in market.price_ranges] == [(0, 1, Decimal("0.001"))]
    assert (market.min_size, market.size_step) == (5, Decimal("0.01"))
    assert market.close_time is None
    assert market.expected_time == datetime(2028, 11, 7, tzinfo=UTC)
    assert market.venue_ts == datetime(2026, 11, 20, 14, 1, 2, 500000, tzinfo=UTC)
    assert market.event_ref == "30829"
    assert market.facts["groupItemTitle"] == "Stephen A. Smith"
    assert market.facts["negRisk"] == "true"
    assert market.url.endswith("-nominee-2028/will-stephen-a-smith-win")


def test_gamma_prices_are_exact_and_only_indicative() -> None:
    quote = parse_events(body("get_events_keyset"), NOW).items[0].quote
    assert quote is not None
    assert quote.is_indicative
    assert (quote.bid, quote.ask, quote.last) == (
        Decimal("0.01"),
        Decimal("0.011"),
        Decimal("0.011"),
    )
    assert quote.volume_24h == Decimal("129642.785175")


def test_an_empty_side_is_none_not_zero_or_one() -> None:
    quote = parse_events(body("get_events_keyset"), NOW).items[2].quote
    assert quote is not None
    assert (quote.bid, quote.ask) == (None, None)


def test_a_volume_is_kept_to_six_decimals() -> None:
    text = page_of(smith()).replace(b"129642.785175", b"529033417.44922300000000001")
    quote = parse_markets(text, NOW).items[0].quote
    assert quote is not None
    assert str(quote.volume_24h) == "529033417.449223"


def test_a_v2_market_takes_its_tokens_from_position_ids() -> None:
    market = parse_events(body("get_events_keyset"), NOW).items[1].market
    assert market.outcomes[1].token.endswith("010303008769")
    assert market.facts["version"] == "v2"
    assert market.status is Status.NEW


def test_a_v1_market_ignores_position_ids_beside_its_tokens() -> None:
    assert one(positionIds=["1", "2"]).market.outcomes[0].token.startswith("6059")


def test_a_closed_sports_market_is_settled_with_its_facts() -> None:
    page = parse_markets(body("get_markets_keyset"), NOW, 100)
    assert page.is_last
    item = page.items[0]
    assert (item.market.status, item.market.result) == (Status.SETTLED, "Inner Circle")
    assert item.market.settlement_value == 0
    assert item.market.close_time == datetime(2026, 4, 5, 19, 38, 35, tzinfo=UTC)
    assert item.market.category == "sports"
    assert item.market.event_ref == "999"
    # an event nested in a market has no tags; the market's are its own
    assert item.event is not None
    assert (item.event.category, item.event.tags) == ("sports", ("sports", "esports"))
    facts = item.market.facts
    assert (facts["line"], facts["gameId"], facts["secondsDelay"]) == ("-1.5", "1427074", "3")
    assert facts["gameStartTime"] == "2026-04-05 15:10:00+00"


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({}, Status.OPEN),
        ({"acceptingOrders": False}, Status.PAUSED),
        ({"enableOrderBook": False}, Status.PAUSED),
        ({"active": False}, Status.NEW),
        ({"archived": True}, Status.CLOSED),
        ({"umaResolutionStatus": "proposed"}, Status.DETERMINED),
        ({"umaResolutionStatus": "disputed"}, Status.DISPUTED),
        ({"umaResolutionStatus": "resolved"}, Status.DETERMINED),
        ({"umaResolutionStatus": ""}, Status.OPEN),
        ({"resolutionStatus": "active"}, Status.OPEN),
        ({"resolutionStatus": "inactive"}, Status.OPEN),
        ({"resolutionStatus": "posed"}, Status.PAUSED),
        (ENDED, Status.CLOSED),
        (ENDED | {"umaResolutionStatus": "disputed"}, Status.DISPUTED),
        (ENDED | {"outcomePrices": '["1", "0"]'}, Status.SETTLED),
        (ENDED | {"outcomePrices": '["0", "0"]'}, Status.CLOSED),
    ],
)
def test_status_follows_one_table(changes: dict[str, Any], status: Status) -> None:
    assert one(**changes).market.status is status


@pytest.mark.parametrize(
    ("prices", "result", "value"),
    [
        ('["1", "0"]', "Yes", Decimal(1)),
        ('["0", "1"]', "No", Decimal(0)),
        ('["0.5", "0.5"]', "50-50", Decimal("0.5")),
        ('["0", "0"]', "", None),
        ('["0.9995", "0.0005"]', "", None),
    ],
)
def test_outcome_comes_from_the_prices_of_a_closed_market(
    prices: str, result: str, value: Decimal | None
) -> None:
    market = one(**ENDED, outcomePrices=prices).market
    assert (market.result, market.settlement_value) == (result, value)


def test_prices_of_an_open_market_settle_nothing() -> None:
    market = one(outcomePrices='["1", "0"]').market
    assert (market.status, market.result, market.settlement_value) == (Status.OPEN, "", None)


def test_a_legacy_scalar_market_settles_in_between() -> None:
    market = one(**ENDED, marketType="scalar", outcomePrices='["0.584331", "0.415669"]').market
    assert (market.kind, market.result) == ("scalar", "scalar")
    assert market.settlement_value == Decimal("0.584331")


def test_the_fee_is_the_markets_own_schedule() -> None:
    fee = one().market.fee
    assert fee is not None
    assert (fee.scope, fee.scope_ref, fee.formula) == ("market", SMITH, "polymarket")
    assert fee.values == {"rate": "0.04", "exponent": "1", "taker_only": "1", "rebate_rate": "0.25"}


@pytest.mark.parametrize("changes", [{"feesEnabled": False}, {"feeSchedule": None}])
def test_no_fee_is_stated_as_a_rate_of_zero(changes: dict[str, Any]) -> None:
    fee = one(**changes).market.fee
    assert fee is not None
    assert fee.values["rate"] == "0"


def test_a_payload_that_is_silent_on_fees_leaves_the_fee_unknown() -> None:
    assert one(feesEnabled=GONE, feeSchedule=GONE).market.fee is None


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"feeSchedule": GONE}, "feeSchedule"),
        ({"feeSchedule": {"exponent": 1, "takerOnly": True}}, "feeSchedule.rate"),
        ({"feeSchedule": "none"}, "feeSchedule"),
        (
            {"feeSchedule": {"rate": 4, "exponent": 1, "takerOnly": True}},
            "feeSchedule.rate",
        ),
    ],
)
def test_a_fee_that_cannot_be_trusted_is_set_aside_alone(
    changes: dict[str, Any], field: str
) -> None:
    page = parse_markets(page_of(smith(**changes)), NOW)
    assert page.items[0].market.fee == FeeInfo(
        "polymarket", "market", page.items[0].market.ref, "unknown", {}
    )
    assert [(r.ref, r.field) for r in page.refused] == [(SMITH, field)]


def test_a_quote_outside_zero_and_one_is_set_aside_alone() -> None:
    page = parse_markets(page_of(smith(bestBid=1.2)), NOW)
    assert page.items[0].quote is None
    assert [(r.reason, r.field) for r in page.refused] == [("out_of_range", "bestBid")]


@pytest.mark.parametrize(
    ("changes", "reason", "field"),
    [
        ({"conditionId": ""}, "no_condition_id", "conditionId"),
        ({"conditionId": GONE}, "missing", "conditionId"),
        ({"question": GONE}, "missing", "question"),
        ({"description": GONE}, "missing", "description"),
        ({"outcomes": ["Yes", "No"]}, "retyped", "outcomes"),
        ({"outcomes": '["Yes", "No", "Other"]'}, "not_binary", "outcomes"),
        ({"outcomes": "Yes, No"}, "retyped", "outcomes"),
        ({"clobTokenIds": "[123, 456]"}, "retyped", "clobTokenIds"),
        ({"clobTokenIds": ["1", "2"]}, "retyped", "clobTokenIds"),
        ({"clobTokenIds": None}, "missing", "clobTokenIds"),
        ({"clobTokenIds": '["1"]'}, "not_binary", "tokens"),
        ({"version": "v2"}, "missing", "positionIds"),
        ({"version": "v3"}, "unknown_enum", "version"),
        ({"active": "true"}, "retyped", "active"),
        ({"acceptingOrders": GONE}, "missing", "acceptingOrders"),
        ({"enableOrderBook": GONE}, "missing", "enableOrderBook"),
        ({"orderPriceMinTickSize": GONE}, "missing", "orderPriceMinTickSize"),
        ({"orderPriceMinTickSize": 0}, "out_of_range", "orderPriceMinTickSize"),
        ({"orderMinSize": -5}, "out_of_range", "orderMinSize"),
        ({"umaResolutionStatus": "vetoed"}, "unknown_enum", "umaResolutionStatus"),
        ({"resolutionStatus": "vetoed"}, "unknown_enum", "resolutionStatus"),
        ({"endDate": "soon"}, "retyped", "endDate"),
        ({"endDate": 1773307500}, "retyped", "endDate"),
        ({"closed": True, "outcomePrices": GONE}, "missing", "outcomePrices"),
        ({"closed": True, "outcomePrices": '["2", "-1"]'}, "out_of_range", "outcomePrices"),
        ({"bestBid": {"price": 1}}, "retyped", "bestBid"),
    ],
)
def test_a_market_that_does_not_fit_is_set_aside_by_field(
    changes: dict[str, Any], reason: str, field: str
) -> None:
    assert refusal(**changes) == (reason, field)


def test_one_bad_market_does_not_cost_the_others() -> None:
    page = parse_markets(page_of(smith(question=7), smith(conditionId=OTHER)), NOW)
    assert [item.market.ref for item in page.items] == [OTHER]
    assert page.refused[0].ref == SMITH
    assert "Stephen" in page.refused[0].sample


def test_an_event_that_does_not_fit_names_each_of_its_markets() -> None:
    events = load("get_events_keyset")
    del events["events"][0]["tags"]
    page = parse_events(dump(events), NOW)
    assert [item.market.ref[:6] for item in page.items] == ["0x7844"]
    assert {(r.ref[:6], r.reason, r.field) for r in page.refused} == {
        ("0xc8f1", "missing", "event.tags"),
        ("0x01f1", "missing", "event.tags"),
    }


def test_the_same_market_twice_on_a_page_is_taken_once() -> None:
    page = parse_markets(page_of(smith(), smith(question="Another?")), NOW)
    assert len(page.items) == 1
    assert [(r.reason, r.ref) for r in page.refused] == [("duplicate", SMITH)]


def test_a_field_never_seen_is_noted_and_nothing_else() -> None:
    page = parse_markets(page_of(smith(haloScore=3)), NOW)
    assert len(page.items) == 1
    assert page.extras == {"haloScore"}


@pytest.mark.parametrize(
    ("envelope", "limit", "is_last", "cursor"),
    [
        ({"next_cursor": "abc"}, 100, False, "abc"),
        ({}, 100, True, ""),
        ({"next_cursor": None}, 100, True, ""),
        ({"next_cursor": ""}, 100, True, ""),
        ({}, 1, False, ""),  # a full page whose cursor is missing
        ({"cursor": "abc"}, 100, False, ""),  # a renamed cursor
    ],
)
def test_only_the_venue_ends_a_listing(
    envelope: dict[str, Any], limit: int, is_last: bool, cursor: str
) -> None:
    page = parse_markets(page_of(smith(), **envelope), NOW, limit)
    assert (page.is_last, page.cursor) == (is_last, cursor)


BROKEN = {
    "": "empty_body",
    "<html>Just a moment...</html>": "not_json",
    '{"markets": [': "not_json",
    '{"markets": {}}': "retyped",
    "{}": "missing",
    "[]": "retyped",
    '{"markets": [' + "[" * 100_000: "not_json",
}


@pytest.mark.parametrize("text", BROKEN, ids=lambda text: text[:20] or "empty")
def test_a_body_that_is_no_listing_is_refused_and_ends_nothing(text: str) -> None:
    page: Page[Listing] = parse_markets(text.encode(), NOW, 100)
    assert not page.items
    assert not page.is_last
    assert [r.reason for r in page.refused] == [BROKEN[text]]


def test_bare_nan_and_infinity_cost_one_item_not_the_page() -> None:
    bad = page_of(smith(), smith(conditionId=OTHER, question="NaN or Infinity?"))
    bad = bad.replace(b'"orderMinSize": 5', b'"orderMinSize": NaN', 1)
    page = parse_markets(bad, NOW)
    assert [(item.market.ref, item.market.title) for item in page.items] == [
        (OTHER, "NaN or Infinity?")
    ]
    assert [(r.ref, r.reason, r.field) for r in page.refused] == [
        (SMITH, "out_of_range", "orderMinSize")
    ]


@pytest.mark.parametrize("number", [b"1e400", b"-3", b"1e30"])
def test_an_absurd_volume_costs_the_quote(number: bytes) -> None:
    page = parse_markets(page_of(smith()).replace(b"129642.785175", number), NOW)
    assert page.items[0].quote is None
    assert page.refused[0].field == "volume24hr"


def test_hidden_characters_are_taken_out_and_counted() -> None:
    page = parse_markets(page_of(smith(question="Will \u202eA\x00 win?")), NOW)
    assert page.items[0].market.title == "Will A win?"
    assert [(r.reason, r.field) for r in page.refused] == [("cleaned", "question")]


def test_script_tags_stay_data() -> None:
    assert one(description="<script>alert(1)</script>").market.rules == "<script>alert(1)</script>"


def test_the_old_bare_array_is_read_but_never_complete() -> None:
    events = load("get_events_keyset")["events"]
    page = parse_event_list(dump(events), NOW, "GET /events")
    assert len(page.items) == 3
    assert not page.is_last


@pytest.mark.parametrize(
    ("tags", "word"),
    [
        (["elections", "politics"], "politics"),
        (["politics", "elections"], "politics"),
        (["nba", "sports"], "sports"),
        (["trump", "crypto", "mentions"], "mentions"),
        (["pigeons", "pets"], "pigeons"),
        ([], ""),
    ],
)
def test_category_is_a_known_word_whatever_the_order_of_tags(tags: list[str], word: str) -> None:
    assert category_of(tags) == word


@pytest.mark.parametrize(
    ("word", "status"),
    [
        (None, Status.SETTLED),
        ("resolved", Status.SETTLED),
        ("proposed", Status.DETERMINED),
        ("challenged", Status.DISPUTED),
        ("disputed", Status.DISPUTED),
    ],
)
def test_the_oracles_word_wins_over_a_closed_flag(word: str | None, status: Status) -> None:
    prices = '["1", "0"]'
    market = one(umaResolutionStatus=word, outcomePrices=prices, **ENDED).market
    assert market.status is status
