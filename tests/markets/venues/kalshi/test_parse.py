import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from markets.quotes import FeeInfo, PriceRange, Status
from markets.venues.kalshi.market import STATUSES
from markets.venues.kalshi.parse import (
    parse_event,
    parse_events,
    parse_market,
    parse_markets,
    parse_nested,
    parse_quotes,
)
from tests.markets.venues.kalshi.payload import ABSENT, RECEIVED, body, loaded, markets_with

D = Decimal


def by_ref(page):
    return {listing.market.ref: listing for listing in page.items}


def test_whole_page_is_read_without_refusal_or_news():
    page = parse_markets(body("markets"), RECEIVED)
    assert len(page.items) == 7
    assert page.refused == ()
    assert page.extras == frozenset()
    assert page.cursor == "CgwI0OmFyQYQwKzY"
    assert not page.is_last


def test_market_carries_every_fact_of_the_payload():
    market = parse_market(body("market"), RECEIVED).items[0].market
    assert market.key == "KALSHI:KXNASDAQ100Y-26DEC31H1600-T33000"
    assert market.event_ref == "KXNASDAQ100Y-26DEC31H1600"
    assert market.series == "KXNASDAQ100Y"
    assert market.status is Status.OPEN
    assert market.venue_status == "active"
    assert [outcome.label for outcome in market.outcomes] == ["Yes", "No"]
    assert market.price_ranges == (PriceRange(D(0), D(1), D("0.01")),)
    assert market.size_step == market.min_size == D("0.01")
    assert market.subtitle == "33,000 or above"
    assert market.close_time == datetime(2026, 12, 31, 21, tzinfo=UTC)
    assert market.expected_time == datetime(2026, 12, 31, 22, tzinfo=UTC)
    assert market.venue_ts == datetime(2026, 9, 1, 12, tzinfo=UTC)
    assert market.kind == "binary"
    assert market.result == ""
    assert market.settlement_value is None
    assert market.facts == {
        "yes_sub_title": "33,000 or above",
        "no_sub_title": "33,000 or above",
        "strike_type": "greater_or_equal",
        "floor_strike": "33000",
        "price_level_structure": "linear_cent",
        "settlement_bounds_type": "default",
        "latest_expiration_time": "2027-01-07T21:00:00+00:00",
        "settlement_timer_seconds": "3600",
        "exchange_index": "0",
        "can_close_early": "true",
    }


def test_quote_is_read_from_the_strings():
    quote = parse_market(body("market"), RECEIVED).items[0].quote
    assert (quote.bid, quote.bid_size) == (D("0.11"), D("350"))
    assert (quote.ask, quote.ask_size) == (D("0.13"), D("4991.32"))
    assert (quote.other_bid, quote.other_ask) == (D("0.87"), D("0.89"))
    assert quote.last == D("0.12")
    assert quote.volume_24h == D("3010")
    assert quote.open_interest == D("90321.5")
    assert quote.received_at == RECEIVED


def test_quotes_alone_equal_those_of_the_listing():
    listed = parse_markets(body("markets"), RECEIVED)
    quotes = parse_quotes(body("markets"), RECEIVED)
    assert quotes.items == tuple(listing.quote for listing in listed.items)


@pytest.mark.parametrize(("word", "status"), sorted(STATUSES.items()))
def test_each_status_word_has_its_meaning(word, status):
    page = parse_markets(markets_with(status=word, result="yes"), RECEIVED)
    assert page.items[0].market.status is status


def test_results_and_settlement_values():
    markets = by_ref(parse_markets(body("markets"), RECEIVED))
    won = markets["KXHIGHNY-26NOV19-T60"].market
    assert (won.status, won.result, won.settlement_value) == (Status.SETTLED, "Yes", D(1))
    scalar = markets["KXLEADEROUT-26-ABC"].market
    assert (scalar.kind, scalar.result, scalar.settlement_value) == ("binary", "scalar", D("0.63"))


def test_finalized_without_result_is_void():
    market = parse_markets(markets_with(status="finalized", result=""), RECEIVED).items[0].market
    assert market.status is Status.VOIDED
    assert market.settlement_value is None


@pytest.mark.parametrize("empty_ask", ["1.0000", "0.0000"])
def test_empty_side_is_no_quote_however_it_is_written(empty_ask):
    page = parse_markets(
        markets_with(
            yes_ask_dollars=empty_ask,
            no_bid_dollars="0.0000",
            no_ask_dollars="1.0000",
            yes_bid_dollars="0.0000",
        ),
        RECEIVED,
    )
    quote = page.items[0].quote
    assert (quote.bid, quote.ask, quote.bid_size, quote.ask_size) == (None,) * 4
    assert (quote.other_bid, quote.other_ask) == (None, None)


def test_size_zero_is_no_quote_whatever_the_price_says():
    quote = parse_markets(markets_with(yes_ask_size_fp="0.00"), RECEIVED).items[0].quote
    assert (quote.ask, quote.ask_size, quote.other_bid) == (None, None, None)
    assert (quote.bid, quote.other_ask) == (D("0.11"), D("0.89"))


def test_empty_bid_takes_the_other_ask_with_it():
    quote = parse_markets(markets_with(yes_bid_size_fp="0.00"), RECEIVED).items[0].quote
    assert (quote.bid, quote.bid_size, quote.other_ask) == (None, None, None)
    assert (quote.ask, quote.other_bid) == (D("0.13"), D("0.87"))


def test_price_grid_comes_from_the_payload_and_not_from_the_label():
    ranges = [{"start": "0.0000", "end": "1.0000", "step": "0.0005"}]
    market = parse_markets(markets_with(price_ranges=ranges), RECEIVED).items[0].market
    assert market.facts["price_level_structure"] == "linear_cent"
    assert market.price_ranges[0].step == D("0.0005")


@pytest.mark.parametrize(
    ("label", "steps"),
    [
        ("linear_cent", [".01"]),
        ("deci_cent", [".001"]),
        ("tapered_deci_cent", [".001", ".01", ".001"]),
    ],
)
def test_older_payload_without_ranges_uses_its_label(label, steps):
    raw = markets_with(price_ranges=ABSENT, price_level_structure=label, tick_size=1)
    market = parse_markets(raw, RECEIVED).items[0].market
    assert [r.step for r in market.price_ranges] == [D(step) for step in steps]
    assert market.price_ranges[0].start == 0
    assert market.price_ranges[-1].end == 1


def test_older_payload_with_whole_contracts_has_size_step_one():
    raw = markets_with(fractional_trading_enabled=False)
    assert parse_markets(raw, RECEIVED).items[0].market.size_step == 1


def test_whole_numbers_of_older_payloads_are_read_where_no_text_is():
    raw = markets_with(
        volume_24h_fp=ABSENT,
        volume_24h=7,
        open_interest_fp=ABSENT,
        open_interest=9,
        yes_bid=11,
        yes_bid_size_fp=ABSENT,
        yes_ask_size_fp=ABSENT,
    )
    listing = parse_markets(raw, RECEIVED).items[0]
    assert (listing.quote.volume_24h, listing.quote.open_interest) == (7, 9)
    assert (listing.quote.bid, listing.quote.bid_size) == (D("0.11"), None)
    assert listing.market.size_step == 1


def test_strings_win_over_the_cents_beside_them():
    raw = markets_with(yes_bid=99, yes_ask=1, yes_bid_dollars="0.1150")
    assert parse_markets(raw, RECEIVED).items[0].quote.bid == D("0.115")


def test_year_one_is_no_time():
    raw = markets_with(updated_time="0001-01-01T00:00:00Z", open_time="0001-01-01T00:00:00Z")
    market = parse_markets(raw, RECEIVED).items[0].market
    assert (market.venue_ts, market.open_time) == (None, None)


def test_title_is_made_of_event_and_side_where_it_is_gone():
    listing = parse_nested(body("events_with_markets"), RECEIVED).items[0]
    assert listing.market.title == "Fed funds rate after Dec 2026 meeting?: Above 4.00%"
    assert listing.market.category == "Economics"
    assert listing.event.ref == "KXFED-26DEC"
    alone = parse_markets(body("markets"), RECEIVED).items[2].market
    assert alone.title == "Above 5.00%"


@pytest.mark.parametrize(
    ("value", "fact"),
    [("x > 2", "x > 2"), ({"a": 1}, '{"a": 1}'), (7, "7"), (None, None), (ABSENT, None)],
)
def test_terms_we_do_not_interpret_are_kept_as_they_came(value, fact):
    market = parse_markets(markets_with(functional_strike=value), RECEIVED).items[0].market
    assert market.facts.get("functional_strike") == fact


def test_rules_join_both_parts_and_remember_where():
    market = parse_markets(body("markets"), RECEIVED).items[1].market
    cut = int(market.facts["rules_primary_chars"])
    assert market.rules[:cut].endswith("resolves to Yes.")
    assert market.rules[cut:].startswith("\n\nIf the meeting is cancelled")


def test_fee_waiver_is_a_fact():
    market = parse_markets(body("markets"), RECEIVED).items[1].market
    assert market.facts["fee_waiver_expiration_time"] == "2026-11-25T05:00:00+00:00"


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"ticker": "KXMVESPORTS-S1-A"}, "combo"),
        ({"mve_collection_ticker": "KXMVESPORTS-R"}, "combo"),
        ({"market_type": "scalar"}, "scalar"),
    ],
)
def test_kind(changes, kind):
    assert parse_markets(markets_with(**changes), RECEIVED).items[0].market.kind == kind


def test_text_that_hides_or_reorders_is_cleaned():
    raw = markets_with(
        title="Will \u202eXAT\u202c pass?\x00", rules_primary="<script>alert(1)</script>\x07ok"
    )
    market = parse_markets(raw, RECEIVED).items[0].market
    assert market.title == "Will XAT pass?"
    assert market.rules == "<script>alert(1)</script>ok"  # escaped where it is shown


REFUSALS = [
    ({"status": "halted"}, "unknown_enum", "status"),
    ({"result": "maybe"}, "unknown_enum", "result"),
    ({"market_type": "perpetual"}, "unknown_enum", "market_type"),
    ({"yes_bid_dollars": ABSENT}, "missing", "yes_bid_dollars"),
    ({"yes_bid_dollars": 0.11}, "retyped", "yes_bid_dollars"),
    ({"yes_bid_dollars": "NaN"}, "out_of_range", "yes_bid_dollars"),
    ({"yes_bid_dollars": "1e400"}, "out_of_range", "yes_bid_dollars"),
    ({"yes_bid_dollars": "-0.0100"}, "out_of_range", "yes_bid_dollars"),
    ({"yes_ask_dollars": "1.0001"}, "out_of_range", "yes_ask_dollars"),
    ({"yes_ask_dollars": "٠.5"}, "out_of_range", "yes_ask_dollars"),
    ({"yes_ask_dollars": ""}, "out_of_range", "yes_ask_dollars"),
    ({"last_price_dollars": "5"}, "out_of_range", "last_price_dollars"),
    ({"yes_bid_size_fp": "-1.00"}, "out_of_range", "yes_bid_size_fp"),
    ({"yes_bid_size_fp": ABSENT}, "missing", "yes_bid_size_fp"),
    ({"volume_24h_fp": ABSENT}, "missing", "volume_24h_fp"),
    ({"open_interest_fp": ABSENT}, "missing", "open_interest_fp"),
    ({"open_interest_fp": "1e400"}, "out_of_range", "open_interest_fp"),
    ({"notional_value_dollars": "10.0000"}, "out_of_range", "notional_value_dollars"),
    ({"price_ranges": ABSENT, "price_level_structure": "center_x"}, "missing", "price_ranges"),
    ({"price_ranges": []}, "missing", "price_ranges"),
    ({"price_ranges": "0.01"}, "retyped", "price_ranges"),
    ({"price_ranges": [{"start": "0", "end": "1", "step": "0"}]}, "out_of_range", "price_ranges"),
    ({"price_ranges": [{"start": "0", "end": "2", "step": ".01"}]}, "out_of_range", "price_ranges"),
    ({"close_time": 1790000000}, "retyped", "close_time"),
    ({"close_time": "soon"}, "retyped", "close_time"),
    ({"close_time": ABSENT}, "missing", "close_time"),
    ({"rules_primary": ABSENT}, "missing", "rules_primary"),
    ({"floor_strike": "many"}, "retyped", "floor_strike"),
    ({"floor_strike": "Infinity"}, "out_of_range", "floor_strike"),
    ({"ticker": ""}, "out_of_range", "ticker"),
    ({"ticker": "KX FED\u202e"}, "out_of_range", "ticker"),
    ({"status": "finalized", "result": "scalar"}, "missing", "settlement_value_dollars"),
    (
        {"status": "finalized", "result": "scalar", "settlement_value_dollars": "63"},
        "out_of_range",
        "settlement_value_dollars",
    ),
]


@pytest.mark.parametrize(("changes", "reason", "field"), REFUSALS)
def test_item_that_cannot_be_trusted_is_set_aside_and_the_rest_goes_on(changes, reason, field):
    page = parse_markets(markets_with(**changes), RECEIVED)
    assert [(r.reason, r.field) for r in page.refused] == [(reason, field)]
    assert [listing.market.ref for listing in page.items] == ["KXFED-26DEC-T4.00"]
    refusal = page.refused[0]
    assert (refusal.venue, refusal.endpoint) == ("kalshi", "GET /markets")
    assert 0 < len(refusal.sample) <= 300


def test_cents_alone_are_refused_as_legacy():
    raw = markets_with(yes_bid_dollars=ABSENT, yes_bid=11)
    assert [r.reason for r in parse_markets(raw, RECEIVED).refused] == ["legacy_cents"]


def test_dump_of_a_client_library_is_out_of_scope():
    page = loaded("markets")
    page["markets"] = [{f"_{name}": value for name, value in page["markets"][0].items()}]
    refused = parse_markets(json.dumps(page).encode(), RECEIVED).refused
    assert [(r.reason, r.ref) for r in refused] == [
        ("out_of_scope", "KXNASDAQ100Y-26DEC31H1600-T33000")
    ]


def test_second_of_two_with_one_id_is_refused():
    page = loaded("markets")
    page["markets"] = [page["markets"][0], page["markets"][0]]
    parsed = parse_markets(json.dumps(page).encode(), RECEIVED)
    assert len(parsed.items) == 1
    assert [(r.reason, r.ref) for r in parsed.refused] == [
        ("duplicate", "KXNASDAQ100Y-26DEC31H1600-T33000")
    ]


@pytest.mark.parametrize("word", ["NaN", "Infinity", "-Infinity"])
def test_number_that_json_does_not_have_costs_its_item_only(word):
    raw = body("markets").replace(b'"floor_strike": 33000', b'"floor_strike": ' + word.encode(), 1)
    page = parse_markets(raw, RECEIVED)
    assert [(r.reason, r.field) for r in page.refused] == [("out_of_range", "floor_strike")]
    assert len(page.items) == 6


def test_number_with_a_huge_exponent_costs_its_item_only():
    raw = body("markets").replace(b'"floor_strike": 33000', b'"floor_strike": 1e400', 1)
    page = parse_markets(raw, RECEIVED)
    assert [(r.reason, r.field) for r in page.refused] == [("out_of_range", "floor_strike")]
    assert len(page.items) == 6


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", "empty_body"),
        (b"{", "not_json"),
        (b"<html>", "not_json"),
        (b"[]", "retyped"),
        (b"{}", "missing"),
        (b'{"markets": {}}', "retyped"),
        (b'{"markets": [1]}', "retyped"),
        (b"\x1f\x8b\x08garbage", "not_json"),
        (b'{"markets": ' + b"[" * 100_000, "not_json"),
    ],
)
def test_body_that_is_no_page_is_refused_whole(raw, reason):
    page = parse_markets(raw, RECEIVED)
    assert [r.reason for r in page.refused] == [reason]
    assert page.items == ()
    assert not page.is_last or raw == b'{"markets": [1]}'


def test_truncated_body_is_refused_and_never_last():
    raw = body("markets")
    for cut in range(0, len(raw) - 2, 997):
        page = parse_markets(raw[:cut], RECEIVED)
        assert page.items == ()
        assert not page.is_last


@pytest.mark.parametrize(
    ("cursor", "extra", "limit", "is_last"),
    [
        ("", {}, 0, True),
        (None, {}, 0, True),
        ("abc", {}, 0, False),
        (ABSENT, {}, 1000, True),
        (ABSENT, {}, 7, False),  # a full page without a word about the next
        (ABSENT, {"next": "abc"}, 1000, False),  # the cursor may have been renamed
    ],
)
def test_only_the_venue_says_that_there_is_no_more(cursor, extra, limit, is_last):
    page = loaded("markets") | extra
    page.pop("cursor")
    if cursor is not ABSENT:
        page["cursor"] = cursor
    assert parse_markets(json.dumps(page).encode(), RECEIVED, limit=limit).is_last is is_last


def test_field_never_seen_before_is_noted_and_read_over():
    page = parse_markets(markets_with(liquidity_score="7"), RECEIVED)
    assert page.extras == {"Market.liquidity_score"}
    assert page.refused == ()
    assert len(page.items) == 2


def test_null_in_place_of_a_list_is_an_empty_page():
    page = parse_markets(b'{"markets": null, "cursor": ""}', RECEIVED)
    assert (page.items, page.refused, page.is_last) == ((), (), True)


def test_events_are_read_with_tags_of_their_series():
    page = parse_events(body("events"), RECEIVED, tags={"KXFED": ("Fed",)})
    fed, bitcoin = page.items
    assert page.is_last
    assert page.extras == frozenset()
    assert (fed.exclusive, fed.exhaustive) == (False, None)
    assert bitcoin.exclusive is True
    assert fed.tags == ("Fed",)
    assert fed.sources == ("Federal Reserve https://www.federalreserve.gov",)
    assert fed.facts["strike_date"] == "2026-12-09T19:00:00+00:00"
    assert fed.fee == FeeInfo("kalshi", "event", "KXFED-26DEC", "inherit", {})
    assert fed.venue_ts == datetime(2026, 11, 1, tzinfo=UTC)
    assert bitcoin.venue_ts is None


def test_event_override_is_a_fee_of_that_event():
    fee = parse_events(body("events"), RECEIVED).items[1].fee
    assert (fee.scope, fee.scope_ref, fee.formula) == ("event", "KXBTCD-26MAY2018", "quadratic")
    assert fee.values == {
        "fee_type": "quadratic_with_maker_fees",
        "rate": "0.07",
        "maker_multiplier": "0.25",
        "multiplier": "0.5",
    }


@pytest.mark.parametrize(
    ("changes", "reason", "field"),
    [
        ({"title": ABSENT}, "missing", "title"),
        ({"mutually_exclusive": "yes"}, "retyped", "mutually_exclusive"),
        ({"series_ticker": ""}, "out_of_range", "series_ticker"),
        ({"fee_multiplier_override": -1}, "out_of_range", "fee_multiplier"),
    ],
)
def test_bad_event_is_set_aside(changes, reason, field):
    page = loaded("events")
    event = {name: value for name, value in page["events"][0].items()} | changes
    page["events"][0] = {name: value for name, value in event.items() if value is not ABSENT}
    parsed = parse_events(json.dumps(page).encode(), RECEIVED)
    assert [(r.reason, r.field, r.ref) for r in parsed.refused] == [(reason, field, "KXFED-26DEC")]
    assert len(parsed.items) == 1


def test_single_event_takes_its_markets_from_beside_it():
    nested = loaded("events_with_markets")["events"][0]
    markets = nested.pop("markets")
    raw = json.dumps({"event": nested, "markets": markets}).encode()
    page = parse_event(raw, RECEIVED)
    assert [listing.event.ref for listing in page.items] == ["KXFED-26DEC"]


def test_payload_of_today_without_ranges_is_refused_whatever_its_label_says():
    page = parse_markets(markets_with(price_ranges=ABSENT), RECEIVED)
    assert len(page.items) == 1
    assert [(r.reason, r.field) for r in page.refused] == [("missing", "price_ranges")]
