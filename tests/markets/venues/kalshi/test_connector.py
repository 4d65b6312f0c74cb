from collections import Counter
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from arbsite import clock
from markets.quotes import MarketRef, Status
from markets.venues import base, http
from markets.venues.base import VenueError
from markets.venues.kalshi import connector
from markets.venues.kalshi.auth import Signer
from markets.venues.kalshi.connector import Kalshi
from sandbox.kalshi_auth import load_public_key
from sandbox.testing import run_sandbox
from tests.markets.venues.kalshi.payload import body
from tests.markets.venues.misbehaving import says


@pytest.fixture(scope="module")
def sandbox():
    with run_sandbox(markets=300) as running:
        yield running


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setattr(http, "BACKOFF_SECONDS", 0.02)
    monkeypatch.setattr(http, "LIMITED_PAUSE_SECONDS", 0.02)


@pytest.fixture
def kalshi(sandbox):
    connector = Kalshi.at(sandbox.kalshi)
    yield connector
    connector.http.close()
    sandbox.box.faults.clear()


def fault(sandbox, kind, endpoint="GET /markets", rate=1.0, **more):
    rule = {"venue": "kalshi", "endpoint": endpoint, "kind": kind, "rate": rate, **more}
    sandbox.box.faults.add(rule, sandbox.box.clock.now())


def listed(pages):
    return {item.market.ref: item for page in pages for item in page.items}


def refusals(pages):
    return [refusal for page in pages for refusal in page.refused]


def refs_of(kalshi, count):
    markets = [item.market for item in listed(kalshi.list_markets()).values()]
    live = [market for market in markets if market.status is Status.OPEN]
    return [MarketRef(market.ref, series=market.series) for market in live[:count]]


PROMISES = ("Connector", "Events", "Books", "Trades", "History", "StatusReports", "Fees")


@pytest.mark.parametrize("promise", PROMISES)
def test_every_protocol_is_kept(kalshi, promise):
    assert isinstance(kalshi, getattr(base, promise))


@pytest.mark.parametrize("suffix", ["", "/", "/trade-api/v2", "/trade-api/v2/"])
def test_base_url_with_or_without_the_api_path(sandbox, suffix):
    kalshi = Kalshi.at(sandbox.kalshi + suffix)
    assert kalshi.http.base_url == f"{sandbox.kalshi}/trade-api/v2"


def test_no_url_is_the_real_host():
    assert Kalshi.at("").http.base_url == "https://external-api.kalshi.com/trade-api/v2"


def test_listing_is_whole_and_without_combos(sandbox, kalshi):
    pages = list(kalshi.list_markets())
    assert [page.is_last for page in pages] == [False] * (len(pages) - 1) + [True]
    assert refusals(pages) == []
    assert set().union(*(page.extras for page in pages)) == set()
    markets = listed(pages)
    assert len(markets) > 100
    assert not any(ref.startswith("KXMVE") for ref in markets)
    assert {item.market.status for item in markets.values()} <= {
        Status.NEW,
        Status.OPEN,
        Status.PAUSED,
        Status.CLOSED,
        Status.DETERMINED,
        Status.DISPUTED,
    }


def test_listing_over_many_pages_equals_one_page(sandbox, kalshi, monkeypatch):
    whole = set(listed(kalshi.list_markets()))
    monkeypatch.setattr(connector, "MARKETS_LIMIT", 20)
    pages = list(kalshi.list_markets())
    assert len(pages) > 8
    assert pages[-1].is_last
    assert set(listed(pages)) == whole


def test_a_market_reads_the_same_whether_its_event_was_read_before_or_not(kalshi):
    def words():
        found = listed(kalshi.list_markets()).items()
        return {ref: (x.market.title, x.market.category, x.market.series) for ref, x in found}

    before = words()
    events = {event.ref: event for page in kalshi.list_events() for event in page.items}
    assert len(events) > 20
    assert any(event.tags for event in events.values())
    assert words() == before


def test_events_are_not_listed_as_if_they_had_no_tags(sandbox, kalshi):
    fault(sandbox, "rename:series", "GET /series")
    with pytest.raises(VenueError, match="GET /series: missing series"):
        kalshi.list_events()


def test_changed_since_lists_changes_only(kalshi):
    pages = list(kalshi.list_markets(changed_since=clock.now() - timedelta(hours=1)))
    assert pages[-1].is_last
    assert len(listed(pages)) < len(listed(kalshi.list_markets()))


def test_quotes_come_in_batches_for_all_that_were_asked(kalshi):
    refs = refs_of(kalshi, 130)
    page = kalshi.fetch_quotes(refs)
    assert {quote.ref for quote in page.items} == {ref.ref for ref in refs}
    assert page.is_last


def test_books_agree_with_the_quotes(kalshi):
    refs = refs_of(kalshi, 120)
    books = {book.ref: book for book in kalshi.fetch_books(refs).items}
    quotes = {quote.ref: quote for quote in kalshi.fetch_quotes(refs).items}
    assert set(books) == set(quotes) == {ref.ref for ref in refs}
    same = sum(
        (book.bids[0].price if book.bids else None) == quotes[ref].bid
        and (book.asks[0].price if book.asks else None) == quotes[ref].ask
        for ref, book in books.items()
    )
    assert same > 100  # prices may move between the two questions
    for book in books.values():
        assert not (book.bids and book.asks) or book.bids[0].price < book.asks[0].price


def test_trades_since_a_time(kalshi):
    since = clock.now() - timedelta(hours=3)
    refs = refs_of(kalshi, 3)
    page = kalshi.fetch_trades(refs, since)
    assert page.is_last
    assert page.items
    assert {trade.ref for trade in page.items} <= {ref.ref for ref in refs}
    assert all(trade.traded_at >= since for trade in page.items)
    assert len({trade.trade_id for trade in page.items}) == len(page.items)


def test_trades_of_many_markets_come_from_the_common_feed(kalshi):
    since = clock.now() - timedelta(minutes=10)
    refs = refs_of(kalshi, 30)
    kalshi.http.drain_counters()
    page = kalshi.fetch_trades(refs, since)
    assert page.is_last
    assert kalshi.http.drain_counters()["requests"] < len(refs)
    assert {trade.ref for trade in page.items} <= {ref.ref for ref in refs}


def test_trades_that_do_not_end_within_the_page_limit_are_not_whole(kalshi, monkeypatch):
    monkeypatch.setattr(connector, "MOST_TRADE_PAGES", 1)
    monkeypatch.setattr(connector, "TRADES_LIMIT", 5)
    page = kalshi.fetch_trades(refs_of(kalshi, 1), clock.now() - timedelta(hours=12))
    assert not page.is_last
    assert [refusal.reason for refusal in page.refused] == ["page_limit"]


@pytest.mark.parametrize(("seconds", "most"), [(60, 7 * 1440), (3600, 168), (86400, 7)])
def test_a_week_of_candles(kalshi, seconds, most):
    end = clock.now()
    start = end - timedelta(days=7)
    page = kalshi.fetch_candles(refs_of(kalshi, 1)[0], seconds, start, end)
    assert page.is_last
    assert 0 < len(page.items) <= most + 1
    starts = [candle.start for candle in page.items]
    assert starts == sorted(set(starts))
    assert all(start <= moment < end for moment in starts)


def test_candles_of_another_length_are_refused(kalshi):
    with pytest.raises(VenueError, match="no candles of 300 s") as caught:
        kalshi.fetch_candles(MarketRef("KXFED-26DEC-T4.00"), 300, clock.now(), clock.now())
    assert caught.value.permanent


def test_status_and_windows(kalshi):
    status = kalshi.exchange_status()
    assert (status.is_up, status.is_trading, status.note) == (True, True, "")
    assert {window.reason for window in status.windows} == {"maintenance", "weekly pause"}


def test_status_without_a_readable_schedule_says_so(sandbox, kalshi):
    fault(sandbox, "rename:schedule", "GET /exchange/schedule")
    status = kalshi.exchange_status()
    assert status.is_trading
    assert status.windows == ()
    assert status.note == "hours unknown: missing schedule"


def test_fees_end_with_a_last_page(kalshi):
    pages = list(kalshi.list_fees())
    assert [page.is_last for page in pages] == [False] * (len(pages) - 1) + [True]
    fees = [fee for page in pages for fee in page.items]
    assert Counter(fee.scope for fee in fees).keys() == {"series", "event"}
    assert any(fee.effective_from for fee in fees)


def test_markets_by_id_leave_out_what_the_venue_denies(kalshi):
    known = refs_of(kalshi, 2)
    page = kalshi.fetch_markets([ref.ref for ref in known] + ["KXNOSUCH-26-A"])
    assert {item.market.ref for item in page.items} == {ref.ref for ref in known}
    assert page.is_last


def test_settled_markets_are_found_in_the_historical_tier(sandbox, kalshi):
    old = sandbox.box.kalshi.index.by_ticker
    now = sandbox.box.clock.now()
    settled = sandbox.box.world.markets.settled
    gone = [ticker for ticker, row in old.items() if settled[row] < now - 93 * 86400]
    assert gone, "this world has no market settled so long ago"
    page = kalshi.fetch_markets(gone[:3])
    assert {item.market.ref for item in page.items} == set(gone[:3])


# --- signed


@pytest.mark.parametrize(
    "key",
    [Ed25519PrivateKey.generate(), rsa.generate_private_key(public_exponent=65537, key_size=2048)],
    ids=["ed25519", "rsa"],
)
def test_signed_requests_are_accepted_and_the_account_limit_is_declared(sandbox, key):
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    sandbox.box.keys["kalshi", "mine"] = load_public_key(public.decode())
    kalshi = Kalshi.at(sandbox.kalshi, Signer("mine", key))
    limits = kalshi.read_limits()
    assert limits.read.refill_rate == 200
    assert kalshi.fetch_books(refs_of(kalshi, 2)).is_last
    kalshi.http.close()


def test_wrong_key_is_a_permanent_error_and_public_reads_say_so(sandbox):
    kalshi = Kalshi.at(sandbox.kalshi, Signer("nobody", Ed25519PrivateKey.generate()))
    with pytest.raises(VenueError, match="unknown api key") as caught:
        kalshi.read_limits()
    assert caught.value.permanent
    assert "KALSHI-ACCESS-SIGNATURE" not in str(caught.value)
    kalshi.http.close()


# --- faults


@pytest.mark.parametrize("kind", ["429", "5xx", "reset", "drop", "html", "malformed", "truncate"])
def test_passing_faults_leave_the_listing_whole(sandbox, kalshi, kind):
    whole = set(listed(kalshi.list_markets()))
    fault(sandbox, kind, "*", rate=0.2)
    pages = list(kalshi.list_markets())
    if pages[-1].is_last:
        assert set(listed(pages)) >= whole
    else:
        assert {r.reason for r in refusals(pages)} <= {"not_json", "no_cursor"}
        assert kind in ("malformed", "truncate")


@pytest.mark.parametrize("kind", ["malformed", "truncate"])
def test_body_that_stays_broken_ends_the_listing_without_an_end(sandbox, kalshi, kind):
    fault(sandbox, kind)
    pages = list(kalshi.list_markets())
    assert not any(page.is_last for page in pages)
    assert {r.reason for r in refusals(pages)} == {"not_json"}
    assert listed(pages) == {}


def test_page_that_repeats_for_ever_ends_without_an_end(sandbox, kalshi, monkeypatch):
    monkeypatch.setattr(connector, "MARKETS_LIMIT", 40)
    fault(sandbox, "partial", mode="loop")
    pages = list(kalshi.list_markets())
    assert not any(page.is_last for page in pages)
    assert "cursor_repeated" in {r.reason for r in refusals(pages)}


@pytest.mark.parametrize(
    ("kind", "reason", "field"),
    [
        ("rename:yes_bid_dollars", "missing", "yes_bid_dollars"),
        ("retype:yes_ask_dollars", "retyped", "yes_ask_dollars"),
        ("rename:price_ranges", "missing", "price_ranges"),
        ("rename:status", "missing", "status"),
        ("rename:rules_primary", "missing", "rules_primary"),
        ("retype:close_time", "retyped", "close_time"),
    ],
)
def test_changed_field_sets_every_market_aside_and_names_it(sandbox, kalshi, kind, reason, field):
    fault(sandbox, kind)
    pages = list(kalshi.list_markets())
    if kind == "rename:price_ranges":  # the label still says it where we know the label
        assert {(r.reason, r.field) for r in refusals(pages)} <= {(reason, field)}
    else:
        assert {(r.reason, r.field) for r in refusals(pages)} == {(reason, field)}
        assert listed(pages) == {}
    assert all(r.ref for r in refusals(pages))
    extras = set().union(*(page.extras for page in pages))
    assert (f"Market.{field}_v2" in extras) == kind.startswith("rename")


def test_renamed_cursor_is_no_end(sandbox, kalshi):
    fault(sandbox, "rename:cursor")
    assert not any(page.is_last for page in kalshi.list_markets())


def test_renamed_ticker_leaves_the_listing_without_an_end(sandbox, kalshi):
    fault(sandbox, "rename:ticker")
    pages = list(kalshi.list_markets())
    assert {(r.reason, r.field, r.ref) for r in refusals(pages)} == {("missing", "ticker", "")}
    assert not any(page.is_last for page in pages)


def test_duplicated_item_is_refused_once(sandbox, kalshi):
    fault(sandbox, "duplicate")
    pages = list(kalshi.list_markets())
    assert {r.reason for r in refusals(pages)} == {"duplicate"}
    assert pages[-1].is_last


def test_market_left_out_of_an_answer_is_asked_for_by_its_own_name(sandbox, kalshi):
    refs = [ref.ref for ref in refs_of(kalshi, 20)]
    fault(sandbox, "partial", mode="cut")
    page = kalshi.fetch_markets(refs)
    assert {item.market.ref for item in page.items} == set(refs)
    assert page.is_last


def test_of_too_many_absent_markets_the_first_are_denied_by_name(kalshi):
    refs = [f"KXNOSUCH-26-{n}" for n in range(connector.MOST_SINGLE + 1)]
    page = kalshi.fetch_markets(refs)
    assert (page.items, page.is_last, page.denied) == ((), False, frozenset(refs[:-1]))


def test_denied_markets_are_named(kalshi):
    known = refs_of(kalshi, 1)[0].ref
    page = kalshi.fetch_markets([known, "KXNOSUCH-26"])
    assert (page.denied, page.is_last) == (frozenset({"KXNOSUCH-26"}), True)


def test_page_of_html_denies_nothing(venue):
    kalshi = Kalshi.at(venue.url)
    nothing = says(200, b'{"markets": [], "cursor": ""}')
    venue.will(nothing, nothing, says(404, b"<html>no such page</html>"))
    with pytest.raises(VenueError, match="an HTML page"):
        kalshi.fetch_markets(["A"])
    kalshi.http.close()


def test_single_market_cut_off_on_its_way_is_asked_for_again(venue):
    kalshi = Kalshi.at(venue.url)
    nothing = says(200, b'{"markets": [], "cursor": ""}')
    venue.will(nothing, nothing, says(200, body("market")[:-40]), says(200, body("market")))
    page = kalshi.fetch_markets(["KXNASDAQ100Y-26DEC31H1600-T33000"])
    assert (len(page.items), page.refused, page.denied) == (1, (), frozenset())
    kalshi.http.close()


def test_venue_that_is_down_is_a_venue_error(sandbox, kalshi, monkeypatch):
    monkeypatch.setattr(http, "ATTEMPTS", 2)
    fault(sandbox, "5xx", "*")
    with pytest.raises(VenueError):
        list(kalshi.list_markets())


def test_body_that_is_no_json_is_asked_for_once_more(venue):
    kalshi = Kalshi.at(venue.url)
    venue.will(says(200, body("orderbooks")[:-40]), says(200, body("orderbooks")))
    page = kalshi.fetch_books([MarketRef("A")])
    assert (len(page.items), page.refused, page.is_last) == (2, (), True)
    kalshi.http.close()


def test_batch_that_fails_costs_its_own_markets_only(venue, monkeypatch):
    monkeypatch.setattr(http, "ATTEMPTS", 1)
    monkeypatch.setattr(connector, "TICKERS", 1)
    kalshi = Kalshi.at(venue.url)
    good = says(200, body("orderbooks"))
    venue.will(good, says(500, b"{}"), good)
    page = kalshi.fetch_books([MarketRef("A"), MarketRef("B"), MarketRef("C")])
    assert len(page.items) == 4
    assert [refusal.reason for refusal in page.refused] == ["unanswered"]
    assert not page.is_last
    kalshi.http.close()


@pytest.mark.parametrize("status", [500, 503, 504])
def test_status_body_of_a_paused_exchange_is_read_from_an_error_answer(venue, status):
    kalshi = Kalshi.at(venue.url)
    paused = body("exchange_status").replace(
        b'"trading_active": true', b'"trading_active": false', 1
    )
    venue.will(says(status, paused), says(200, body("exchange_schedule")))
    found = kalshi.exchange_status()
    assert (found.is_up, found.is_trading) == (True, False)
    kalshi.http.close()


def test_books_are_asked_for_with_repeated_tickers_and_at_most_a_hundred(venue):
    kalshi = Kalshi.at(venue.url)
    venue.will(says(200, body("orderbooks")))
    kalshi.fetch_books([MarketRef(f"KX-{n}") for n in range(150)])
    asked = [parse_qs(urlsplit(request[1]).query)["tickers"] for request in venue.requests]
    assert [len(tickers) for tickers in asked] == [100, 50]
    kalshi.http.close()


def test_candles_of_a_settled_market_come_from_the_historical_tier(venue):
    kalshi = Kalshi.at(venue.url)
    venue.will(
        says(404, b'{"error": {"code": "not_found", "message": "not found"}}'),
        says(200, body("historical_cutoff")),
        says(200, body("candlesticks")),
    )
    ref = MarketRef("KXNASDAQ100Y-26DEC31H1600-T33000", series="KXNASDAQ100Y")
    start = datetime.fromtimestamp(1789617600 - 3600, UTC) - timedelta(days=60)
    page = kalshi.fetch_candles(ref, 3600, start, start + timedelta(days=61))
    assert len(page.items) == 2
    assert page.endpoint == "GET /historical/markets/{ticker}/candlesticks"
    kalshi.http.close()


def test_id_cannot_leave_its_part_of_the_path(venue):
    kalshi = Kalshi.at(venue.url)
    venue.will(says(200, body("candlesticks")))
    start = datetime.fromtimestamp(1789617600, UTC)
    kalshi.fetch_candles(MarketRef("../A?b#c", series="S/T"), 3600, start, start)
    path = venue.requests[0][1].partition("?")[0]
    assert path == "/api/trade-api/v2/series/S%2FT/markets/..%2FA%3Fb%23c/candlesticks"
    kalshi.http.close()


def test_unreadable_schedule_is_not_remembered(sandbox, kalshi):
    fault(sandbox, "malformed", "GET /exchange/schedule")
    assert kalshi.exchange_status().note == "hours unknown: not_json"
    sandbox.box.faults.clear()
    status = kalshi.exchange_status()
    assert (status.note, len(status.windows)) == ("", 2)


def test_later_batches_are_left_alone_once_the_breaker_opens(venue):
    class Breaker(http.NoBreaker):
        def before(self):
            raise VenueError("kalshi: left alone")

    kalshi = Kalshi.at(venue.url)
    kalshi.http.breaker = Breaker()
    with pytest.raises(VenueError, match="left alone"):
        kalshi.fetch_quotes([MarketRef("A")])
    assert venue.requests == []
    kalshi.http.close()


def test_market_that_the_venue_denies_costs_no_other_book(sandbox, kalshi):
    world, now = sandbox.box.world, sandbox.box.clock.now()
    old = next(
        ticker
        for ticker, row in sandbox.box.kalshi.index.by_ticker.items()
        if world.markets.settled[row] < now - 93 * 86400
    )
    refs = refs_of(kalshi, 10)
    page = kalshi.fetch_books([*refs[:4], MarketRef(old), *refs[4:]])
    assert {book.ref for book in page.items} == {ref.ref for ref in refs}
    assert page.refused == ()
