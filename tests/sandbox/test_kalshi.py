"""Kalshi's REST surface, as the venue sheet has it, over a real socket."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import httpx
import pytest

from sandbox.books import FINAL
from sandbox.clock import FixedClock, parse_time
from sandbox.testing import Running, run_sandbox
from tests.sandbox.conftest import NOON, ORIGIN

API = "/kalshi/trade-api/v2"
GONE = {"category", "risk_limit_cents", "tick_size", "response_price_units", "liquidity_dollars",
        "fractional_trading_enabled", "yes_bid", "yes_ask", "last_price", "volume", "liquidity"}
FIELDS = set("""ticker event_ticker market_type title subtitle yes_sub_title no_sub_title
created_time updated_time open_time close_time expected_expiration_time expiration_time
latest_expiration_time settlement_timer_seconds status result yes_bid_dollars yes_bid_size_fp
yes_ask_dollars yes_ask_size_fp no_bid_dollars no_ask_dollars last_price_dollars
previous_yes_bid_dollars previous_yes_ask_dollars previous_price_dollars volume_fp volume_24h_fp
open_interest_fp notional_value_dollars can_close_early early_close_condition strike_type
floor_strike cap_strike functional_strike custom_strike expiration_value occurrence_datetime
settlement_value_dollars settlement_ts fee_waiver_expiration_time rules_primary rules_secondary
price_level_structure price_ranges settlement_bounds_type is_provisional exchange_index""".split())


def get(http: httpx.Client, path: str, **params: Any) -> Any:
    answer = http.get(API + path, params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


def walk(http: httpx.Client, path: str, name: str, **params: Any) -> list[Any]:
    """Every page of a listing."""
    out: list[Any] = []
    cursor = ""
    for _ in range(200):
        page = get(http, path, **params, **({"cursor": cursor} if cursor else {}))
        out += page[name]
        cursor = page["cursor"]
        if not cursor:
            return out
    raise AssertionError("the listing does not end")


def error(http: httpx.Client, path: str, **params: Any) -> tuple[int, Any]:
    answer = http.get(API + path, params=params)
    return answer.status_code, answer.json()["error"]


def test_a_market_has_todays_fields_and_string_forms(http: httpx.Client) -> None:
    for m in walk(http, "/markets", "markets", limit=1000, status="open"):
        assert set(m) >= FIELDS and not set(m) & GONE
        for name, value in m.items():
            if name.endswith("_dollars") and value is not None:
                assert re.fullmatch(r"[01]\.\d{4}", value), (name, value)
            elif name.endswith("_fp"):
                assert re.fullmatch(r"\d+\.\d\d", value), (name, value)
            elif name.endswith("_time") and value is not None:
                assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", value), (name, value)
        assert Decimal(m["yes_bid_dollars"]) + Decimal(m["no_ask_dollars"]) == 1
        assert m["rules_primary"].startswith("If ") and "{" not in m["rules_primary"]
        assert "{" not in m["title"] + m["yes_sub_title"]


def test_pages_hold_every_market_once(http: httpx.Client) -> None:
    whole = [m["ticker"] for m in walk(http, "/markets", "markets", limit=1000)]
    pieces = [m["ticker"] for m in walk(http, "/markets", "markets", limit=37)]
    assert pieces == whole and len(set(whole)) == len(whole) > 150


def test_closings_between_pages_lose_no_open_market(http: httpx.Client, sandbox: Running) -> None:
    clock = sandbox.box.clock
    first = get(http, "/markets", limit=40, status="open")
    clock.at = NOON + 6 * 3600  # type: ignore[attr-defined]
    cursor, seen = first["cursor"], [m["ticker"] for m in first["markets"]]
    while cursor:
        page = get(http, "/markets", limit=40, status="open", cursor=cursor)
        seen += [m["ticker"] for m in page["markets"]]
        cursor = page["cursor"]
    still_open = {m["ticker"] for m in walk(http, "/markets", "markets", limit=1000, status="open")}
    assert still_open <= set(seen) and len(seen) == len(set(seen))


@pytest.mark.parametrize(("word", "statuses"), [
    ("unopened", {"initialized"}), ("open", {"active"}),
    ("closed", {"closed", "determined", "disputed"}), ("settled", {"finalized"})])
def test_status_words_select_their_statuses(http: httpx.Client, sandbox: Running, word: str,
                                            statuses: set[str]) -> None:
    sandbox.box.clock.at = NOON + 1234  # type: ignore[attr-defined]
    found = walk(http, "/markets", "markets", limit=1000, status=word)
    assert {m["status"] for m in found} <= statuses
    assert found or word == "closed"
    if word == "settled":
        assert {m["result"] for m in found} <= {"yes", "no", "scalar"}
        assert all(m["settlement_value_dollars"] and m["settlement_ts"] for m in found)


def test_named_filters_select(http: httpx.Client) -> None:
    some = get(http, "/markets", limit=3, status="open")["markets"]
    tickers = ",".join(m["ticker"] for m in some)
    assert [m["ticker"] for m in get(http, "/markets", tickers=tickers)["markets"]] == \
        tickers.split(",")
    event = some[0]["event_ticker"]
    of_event = get(http, "/markets", event_ticker=event)["markets"]
    assert {m["event_ticker"] for m in of_event} == {event}
    nested = get(http, f"/events/{event}", with_nested_markets="true")["event"]
    assert [m["ticker"] for m in nested["markets"]] == [m["ticker"] for m in of_event]
    beside = get(http, f"/events/{event}")
    assert "markets" not in beside["event"] and beside["markets"]
    series = get(http, f"/series/{nested['series_ticker']}")["series"]
    assert series["fee_type"] and "fee_multiplier" in series
    of_series = get(http, "/markets", series_ticker=series["ticker"])["markets"]
    assert {m["ticker"] for m in of_event} <= {m["ticker"] for m in of_series}


def test_combos_stay_behind_their_filter(http: httpx.Client) -> None:
    only = walk(http, "/markets", "markets", mve_filter="only", limit=1000)
    rest = walk(http, "/markets", "markets", mve_filter="exclude", limit=1000)
    assert only and all(m["ticker"].startswith("KXMVE") and m["mve_selected_legs"] for m in only)
    assert not any(m["ticker"].startswith("KXMVE") for m in rest)
    assert not any(e["event_ticker"].startswith("KXMVE") for e in walk(http, "/events", "events"))
    assert get(http, "/events/multivariate")["events"]


@pytest.mark.parametrize("params", [
    {"limit": 1001}, {"limit": 0}, {"limit": "x"}, {"status": "finalized"}, {"cursor": "???"},
    {"min_created_ts": 1, "min_close_ts": 1}, {"min_created_ts": 1, "status": "settled"},
    {"min_close_ts": 1, "status": "open"}, {"max_settled_ts": 1, "status": "open"},
    {"min_updated_ts": 1, "status": "open"}, {"min_updated_ts": 1, "tickers": "A"},
    {"mve_filter": "none"}])
def test_wrong_market_queries_are_refused(http: httpx.Client, params: dict[str, Any]) -> None:
    status, body = error(http, "/markets", **params)
    assert status == 400 and set(body) == {"code", "message"}


def test_updated_since_names_what_changed(http: httpx.Client, sandbox: Running) -> None:
    found = walk(http, "/markets", "markets", min_updated_ts=int(NOON) - 3600, limit=1000)
    everything = walk(http, "/markets", "markets", limit=1000)
    changed = {m["ticker"] for m in everything if m["updated_time"] >= "2026-11-20T17:30:00Z"}
    assert {m["ticker"] for m in found} == changed and 0 < len(changed) < len(everything)


def test_rules_text_changes_once(http: httpx.Client, sandbox: Running) -> None:
    mk, index = sandbox.box.world.markets, sandbox.box.kalshi.index
    row = next(r for r in index.rows if ORIGIN < mk.revised[r] < ORIGIN + 3e5
               and mk.settled[r] > mk.revised[r])
    texts = []
    for t in (mk.revised[row] - 1, mk.revised[row] + 1):
        sandbox.box.clock.at = float(t)  # type: ignore[attr-defined]
        texts.append(get(http, f"/markets/{index.tickers[row]}")["market"])
    assert texts[0]["rules_secondary"] != texts[1]["rules_secondary"]
    assert texts[0]["updated_time"] < texts[1]["updated_time"]


def test_unknown_things_are_not_found(http: httpx.Client) -> None:
    for path in ("/markets/NOPE", "/events/NOPE", "/series/NOPE", "/markets/NOPE/orderbook",
                 "/historical/markets/NOPE", "/nowhere"):
        assert error(http, path) == (404, {"code": "not_found", "message": "not found"})


def test_books_are_bids_ascending_and_agree_with_the_market(http: httpx.Client) -> None:
    some = get(http, "/markets", limit=100, status="open")["markets"]
    books = get(http, "/markets/orderbooks", tickers=[m["ticker"] for m in some])["orderbooks"]
    for m, item in zip(some, books, strict=True):
        book = item["orderbook_fp"]
        assert item["ticker"] == m["ticker"]
        for side in ("yes_dollars", "no_dollars"):
            prices = [Decimal(p) for p, _ in book[side]]
            assert prices == sorted(prices) and all(Decimal(s) > 0 for _, s in book[side])
        if book["yes_dollars"]:
            assert book["yes_dollars"][-1] == [m["yes_bid_dollars"], m["yes_bid_size_fp"]]
        if book["no_dollars"]:
            assert book["no_dollars"][-1] == [m["no_bid_dollars"], m["yes_ask_size_fp"]]
            assert Decimal(book["no_dollars"][-1][0]) + Decimal(m["yes_bid_dollars"]) < 1
    one = get(http, f"/markets/{some[0]['ticker']}/orderbook", depth=2)["orderbook_fp"]
    assert one["yes_dollars"] == books[0]["orderbook_fp"]["yes_dollars"][-2:]


def test_orderbooks_take_one_to_a_hundred_tickers(http: httpx.Client) -> None:
    assert error(http, "/markets/orderbooks")[0] == 400
    assert error(http, "/markets/orderbooks", tickers=["A"] * 101)[0] == 400


def test_trades_come_newest_first_and_page_completely(http: httpx.Client) -> None:
    low = int(NOON) - 600
    page = walk(http, "/markets/trades", "trades", min_ts=low, limit=50)
    whole = get(http, "/markets/trades", min_ts=low, limit=1000)["trades"]
    assert page[:1000] == whole and len(page) > 60
    times = [t["created_time"] for t in page]
    assert times == sorted(times, reverse=True)
    assert len({t["trade_id"] for t in page}) == len(page)
    for t in page:
        assert Decimal(t["yes_price_dollars"]) + Decimal(t["no_price_dollars"]) == 1
        assert (t["taker_side"] == "yes") == (t["taker_book_side"] == "bid")
    ticker = page[0]["ticker"]
    mine = get(http, "/markets/trades", ticker=ticker, min_ts=low)["trades"]
    assert mine == [t for t in page if t["ticker"] == ticker]


def busiest(http: httpx.Client) -> dict[str, Any]:
    found = walk(http, "/markets", "markets", limit=1000, status="open", mve_filter="exclude")
    old = [m for m in found if m["open_time"] < "2026-11-12"]
    return max(old, key=lambda m: Decimal(m["volume_24h_fp"]))


def test_candles_reach_back_a_week_and_add_up(http: httpx.Client) -> None:
    m = busiest(http)
    event = get(http, f"/events/{m['event_ticker']}")["event"]
    path = f"/series/{event['series_ticker']}/markets/{m['ticker']}/candlesticks"
    end = int(NOON) // 3600 * 3600
    found = get(http, path, start_ts=end - 7 * 86_400, end_ts=end, period_interval=60)
    candles = found["candlesticks"]
    assert found["ticker"] == m["ticker"] and len(candles) == 7 * 24 + 1
    for c in candles:
        for part in ("yes_bid", "yes_ask"):
            x = {k: Decimal(v) for k, v in c[part].items()}
            assert x["low_dollars"] <= min(x["open_dollars"], x["close_dollars"])
            assert x["high_dollars"] >= max(x["open_dollars"], x["close_dollars"])
    minutes = get(http, path, start_ts=end - 3540, end_ts=end, period_interval=1)["candlesticks"]
    assert sum(Decimal(c["volume_fp"]) for c in minutes) == Decimal(candles[-1]["volume_fp"])
    assert any(c["price"]["open_dollars"] for c in minutes)
    beside = get(http, f"/series/{event['series_ticker']}/events/{m['event_ticker']}/candlesticks",
                 start_ts=end - 7 * 86_400, end_ts=end, period_interval=60)
    assert beside["market_candlesticks"][beside["market_tickers"].index(m["ticker"])] == candles


def test_candle_queries_have_their_limits(http: httpx.Client) -> None:
    m = busiest(http)
    t = {"market_tickers": m["ticker"], "start_ts": 0, "end_ts": 60, "period_interval": 1}
    assert get(http, "/markets/candlesticks", **t)["markets"][0]["market_ticker"] == m["ticker"]
    many = {**t, "market_tickers": ",".join(["A"] * 101)}
    assert error(http, "/markets/candlesticks", **many)[0] == 400
    assert error(http, "/markets/candlesticks", **{**t, "end_ts": 600_060})[0] == 400
    assert error(http, "/markets/candlesticks", **{**t, "period_interval": 5})[0] == 400
    assert error(http, "/markets/candlesticks", market_tickers="A")[0] == 400


def test_what_settled_long_ago_is_only_historical(http: httpx.Client, sandbox: Running) -> None:
    cutoff = get(http, "/historical/cutoff")
    assert set(cutoff) == {"market_settled_ts", "trades_created_ts", "orders_updated_ts",
                           "market_positions_last_updated_ts"}
    old = walk(http, "/historical/markets", "markets", limit=1000)
    assert old and all(m["settlement_ts"] < cutoff["market_settled_ts"] for m in old)
    live = {m["ticker"] for m in walk(http, "/markets", "markets", limit=1000)}
    assert not live & {m["ticker"] for m in old}
    ticker = old[0]["ticker"]
    assert error(http, f"/markets/{ticker}")[0] == 404
    assert get(http, f"/historical/markets/{ticker}")["market"]["status"] == "finalized"
    assert get(http, "/historical/trades", ticker=ticker)["trades"]
    end = int(sandbox.box.world.markets.decided[sandbox.box.kalshi.index.by_ticker[ticker]])
    assert get(http, f"/historical/markets/{ticker}/candlesticks", start_ts=end - 86_400,
               end_ts=end, period_interval=60)["candlesticks"]


def test_fee_changes_take_effect_on_their_date(http: httpx.Client, sandbox: Running) -> None:
    coming = get(http, "/series/fee_changes")["series_fee_change_arr"]
    past = get(http, "/series/fee_changes", show_historical="true")["series_fee_change_arr"]
    assert coming and len(past) > len(coming)
    change = coming[0]
    before = get(http, f"/series/{change['series_ticker']}")["series"]
    sandbox.box.clock.at = ORIGIN + 3 * 86_400  # type: ignore[attr-defined]
    after = get(http, f"/series/{change['series_ticker']}")["series"]
    assert (after["fee_type"], after["fee_multiplier"]) == (
        change["fee_type"], change["fee_multiplier"])
    assert (before["fee_type"], before["fee_multiplier"]) != (
        after["fee_type"], after["fee_multiplier"])
    override = get(http, "/events/fee_changes")["event_fee_changes"][0]
    event = get(http, f"/events/{override['event_ticker']}")["event"]
    assert event["fee_multiplier_override"] == override["fee_multiplier_override"]


def test_exchange_facts(http: httpx.Client, sandbox: Running) -> None:
    status = get(http, "/exchange/status")
    assert status["exchange_active"] and status["exchange_index_statuses"][1]["exchange_index"] == 1
    sandbox.box.clock.at = parse_time("2026-11-26T04:59:00-05:00")  # type: ignore[attr-defined]
    paused = get(http, "/exchange/status")
    assert not paused["trading_active"] and paused["exchange_active"]
    assert paused["exchange_estimated_resume_time"] == "2026-11-26T10:00:00Z"
    sandbox.box.clock.at = NOON  # type: ignore[attr-defined]
    hours = get(http, "/exchange/schedule")["schedule"]
    assert hours["standard_hours"][0]["thursday"][1]["open_time"] == "05:00"
    assert hours["maintenance_windows"][0]["start_datetime"] == "2026-11-26T08:00:00Z"
    assert get(http, "/exchange/user_data_timestamp")["as_of_time"].startswith("2026-11-20T18:29")
    assert get(http, "/account/endpoint_costs")["default_cost"] == 10
    assert {s["category"] for s in get(http, "/series")["series"]} >= {
        "Politics", "Elections", "Sports", "Crypto", "Economics", "Climate and Weather",
        "Entertainment"}
    assert {s["category"] for s in get(http, "/series", category="Crypto")["series"]} == {"Crypto"}


def test_a_market_lives_from_listing_to_settlement(http: httpx.Client, sandbox: Running) -> None:
    mk, index = sandbox.box.world.markets, sandbox.box.kalshi.index
    row = next(r for r in index.rows if mk.open[r] > NOON and not mk.disputed[r])
    path, seen = f"/markets/{index.tickers[row]}", []
    for t in (mk.open[row] - 60, mk.open[row] + 1, mk.decided[row] + 1, mk.determined[row] + 1,
              mk.settled[row] + 1):
        sandbox.box.clock.at = float(t)  # type: ignore[attr-defined]
        seen.append(get(http, path)["market"]["status"])
    assert seen == ["initialized", "active", "closed", "determined", "finalized"]
    assert sandbox.box.books.status(row, float(mk.settled[row]) + 1) == FINAL


def test_the_bucket_refuses_after_its_capacity_without_retry_after() -> None:
    with run_sandbox(markets=40, origin=ORIGIN, clock=FixedClock(NOON), limits=True,
                     limit_scale=0.1) as box, httpx.Client(base_url=box.url) as http:
        answers = [http.get(f"{API}/exchange/status") for _ in range(30)]
        refused = [a for a in answers if a.status_code == 429]
        assert [a.status_code for a in answers[:4]] == [200] * 4 and len(refused) > 10
        assert refused[0].json() == {"error": "too many requests"}
        assert "retry-after" not in refused[0].headers
