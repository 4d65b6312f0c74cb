import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from markets.quotes import Window
from markets.venues.kalshi.parse_terms import (
    parse_cutoff,
    parse_event_fee_changes,
    parse_limits,
    parse_schedule,
    parse_series,
    parse_series_fee_changes,
    parse_status,
    series_fees,
)
from markets.venues.payload import BadItem
from tests.markets.venues.kalshi.payload import RECEIVED, body, loaded


def at(*parts):
    return datetime(*parts, tzinfo=UTC)


def test_series_fees_name_formula_and_values():
    fees = {fee.scope_ref: fee for fee in series_fees(parse_series(body("series"))).items}
    fed = fees["KXFED"]
    assert (fed.scope, fed.formula, fed.effective_from) == ("series", "quadratic", None)
    assert fed.values == {
        "fee_type": "quadratic_with_maker_fees",
        "rate": "0.07",
        "maker_multiplier": "0.25",
        "multiplier": "1",
    }
    assert (fees["KXBTCY"].values["multiplier"], fees["KXINX"].values["multiplier"]) == ("0", "0.5")
    assert fees["KXINX"].values["maker_multiplier"] == "0"


def test_flat_series_has_an_unknown_fee_and_no_incident():
    page = series_fees(parse_series(body("series")))
    assert page.refused == ()
    flat = next(fee for fee in page.items if fee.scope_ref == "KXODD")
    assert (flat.formula, flat.values["fee_type"]) == ("unknown", "flat")


def test_new_fee_type_is_both_an_unknown_fee_and_a_refusal():
    raw = body("series").replace(b'"flat"', b'"cubic"')
    page = series_fees(parse_series(raw))
    assert [fee.formula for fee in page.items if fee.scope_ref == "KXODD"] == ["unknown"]
    assert [(r.reason, r.field, r.ref) for r in page.refused] == [
        ("unknown_enum", "fee_type", "KXODD")
    ]


def test_retyped_multiplier_is_set_aside():
    raw = body("series").replace(b'"fee_multiplier": 0.5', b'"fee_multiplier": "half"')
    page = series_fees(parse_series(raw))
    assert [(r.reason, r.field, r.ref) for r in page.refused] == [
        ("retyped", "fee_multiplier", "KXINX")
    ]


def test_fee_changes_carry_the_time_they_take_effect():
    nba, combos = parse_series_fee_changes(body("series_fee_changes")).items
    assert nba.effective_from == at(2026, 10, 20, 4)
    assert combos.values["maker_multiplier"] == "0.5"


def test_override_that_ends_inherits_everything():
    page = parse_event_fee_changes(body("events_fee_changes"))
    begun, ended = page.items
    assert page.is_last
    assert (begun.formula, begun.effective_from) == ("quadratic", at(2026, 5, 20, 18))
    assert (ended.scope, ended.formula, ended.values) == ("event", "inherit", {})


def test_fee_changes_say_nothing_when_there_are_none():
    page = parse_series_fee_changes(b'{"series_fee_change_arr": []}')
    assert (page.items, page.refused) == ((), ())


@pytest.mark.parametrize(
    ("now", "pause"),
    [
        (at(2026, 11, 20, 15), (at(2026, 11, 26, 8), at(2026, 11, 26, 10))),  # EST
        (at(2026, 8, 25, 15), (at(2026, 8, 27, 7), at(2026, 8, 27, 9))),  # EDT
    ],
)
def test_thursday_pause_follows_new_york(now, pause):
    windows = parse_schedule(body("exchange_schedule"), now)
    assert Window(*pause, "weekly pause") in windows
    assert [w.reason for w in windows].count("weekly pause") == 1


def test_maintenance_is_a_window_until_it_is_over():
    maintenance = Window(at(2026, 11, 26, 8), at(2026, 11, 26, 10), "maintenance")
    assert maintenance in parse_schedule(body("exchange_schedule"), at(2026, 11, 26, 9))
    assert maintenance not in parse_schedule(body("exchange_schedule"), at(2026, 11, 26, 10))
    assert maintenance not in parse_schedule(body("exchange_schedule"), at(2026, 11, 1))


def test_pause_under_way_is_shown_whole():
    windows = parse_schedule(body("exchange_schedule"), at(2026, 11, 19, 9))
    assert windows[0] == Window(at(2026, 11, 19, 8), at(2026, 11, 19, 10), "weekly pause")


def test_day_without_sessions_is_closed_and_sessions_may_come_unsorted():
    schedule = loaded("exchange_schedule")
    week = schedule["schedule"]["standard_hours"][0]
    week["thursday"].reverse()
    week["saturday"] = []
    schedule["schedule"]["maintenance_windows"] = None
    windows = parse_schedule(json.dumps(schedule).encode(), at(2026, 11, 20, 15), days=7)
    assert windows == (
        Window(at(2026, 11, 21, 5), at(2026, 11, 22, 5), "weekly pause"),
        Window(at(2026, 11, 26, 8), at(2026, 11, 26, 10), "weekly pause"),
    )


def test_dates_outside_every_week_promise_nothing():
    assert parse_schedule(body("exchange_schedule"), at(2028, 1, 1)) == ()


@pytest.mark.parametrize("text", ["25:00", "noon", ""])
def test_odd_hours_are_refused(text):
    raw = body("exchange_schedule").replace(b'"03:00"', json.dumps(text).encode())
    with pytest.raises(BadItem):
        parse_schedule(raw, RECEIVED)


def test_status_of_an_open_exchange():
    status = parse_status(body("exchange_status"), RECEIVED, ())
    assert (status.is_up, status.is_trading, status.note) == (True, True, "")
    assert status.resumes_at is None


def test_status_of_a_paused_exchange_and_shard():
    value = loaded("exchange_status")
    value |= {"trading_active": False, "exchange_estimated_resume_time": "2026-11-26T10:00:00Z"}
    value["exchange_index_statuses"][1]["trading_active"] = False
    status = parse_status(json.dumps(value).encode(), RECEIVED, ())
    assert (status.is_up, status.is_trading) == (True, False)
    assert status.resumes_at == at(2026, 11, 26, 10)
    assert status.note == "shard 1 (Combos) is not trading"


def test_status_without_its_fields_is_refused():
    with pytest.raises(BadItem):
        parse_status(b'{"error": "bad gateway"}', RECEIVED, ())


def test_cutoff_and_limits():
    assert parse_cutoff(body("historical_cutoff")).trades_created_ts == at(2026, 8, 19)
    limits = parse_limits(body("account_limits"))
    assert (limits.read.refill_rate, limits.write.bucket_capacity) == (1000, 2000)
    with pytest.raises(BadItem):
        parse_limits(body("account_limits").replace(b'"refill_rate": 1000', b'"refill_rate": 0'))


def test_multiplier_is_exact():
    raw = body("series").replace(b'"fee_multiplier": 0.5', b'"fee_multiplier": 0.1')
    fees = series_fees(parse_series(raw)).items
    assert Decimal(fees[2].values["multiplier"]) == Decimal("0.1")


def hours(**days):
    schedule = loaded("exchange_schedule")
    week = schedule["schedule"]["standard_hours"][0]
    week |= days
    schedule["schedule"] |= {"standard_hours": [week], "maintenance_windows": []}
    windows = parse_schedule(json.dumps(schedule).encode(), at(2026, 11, 20, 15), days=5)
    return [(window.start, window.end) for window in windows]


def test_day_that_is_not_spoken_of_is_not_closed():
    assert hours(saturday=None) == []


def test_session_past_midnight_reaches_into_the_next_day():
    late = [{"open_time": "08:00", "close_time": "02:00"}]
    assert hours(saturday=late, sunday=late) == [
        (at(2026, 11, 21, 5), at(2026, 11, 21, 13)),
        (at(2026, 11, 22, 7), at(2026, 11, 22, 13)),
    ]


def test_session_past_midnight_into_a_day_without_sessions():
    late = [{"open_time": "08:00", "close_time": "02:00"}]
    assert hours(saturday=late, sunday=[])[1] == (at(2026, 11, 22, 7), at(2026, 11, 23, 5))


@pytest.mark.parametrize("times", [("2020-01-01T00:00:00", "9999-12-31T23:59:59-05:00")])
def test_week_without_an_end_holds_for_ever(times):
    assert hours(start_time=times[0], end_time=times[1], saturday=[]) == [
        (at(2026, 11, 21, 5), at(2026, 11, 22, 5))
    ]
