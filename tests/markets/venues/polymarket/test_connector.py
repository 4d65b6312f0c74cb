"""The connector over real sockets against the simulated venue, and against odd answers."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest

from arbsite import clock
from markets.quotes import Listing, MarketRef, Status
from markets.venues.base import (
    Books,
    Connector,
    Events,
    Fees,
    History,
    StatusReports,
    Trades,
    VenueError,
)
from markets.venues.http import VenueHttp
from markets.venues.polymarket import connector
from markets.venues.polymarket.books import parse_books
from markets.venues.polymarket.connector import LIMITS, Polymarket, Roots
from sandbox.testing import Running, run_sandbox
from tests.markets.venues.polymarket.payload import dump, page_of, smith


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Running]:
    with run_sandbox(markets=120) as running:
        yield running


@pytest.fixture
def venue(sandbox: Running, monkeypatch: pytest.MonkeyPatch) -> Iterator[Polymarket]:
    monkeypatch.setattr("markets.venues.http.BACKOFF_SECONDS", 0.01)
    http = VenueHttp("polymarket", sandbox.polymarket, LIMITS, deadline=5)
    yield Polymarket(http, Roots.under(sandbox.polymarket))
    http.close()
    sandbox.box.faults.clear()


def fault(sandbox: Running, endpoint: str, kind: str, rate: float = 1.0) -> None:
    rule = {"venue": "polymarket", "endpoint": endpoint, "kind": kind, "rate": rate}
    answer = httpx.post(f"{sandbox.url}/sandbox/faults", json=rule)
    assert answer.is_success, answer.text


def listed(venue: Polymarket) -> list[Listing]:
    return [item for page in venue.list_markets() for item in page.items]


def refs_of(items: list[Listing]) -> list[MarketRef]:
    return [
        MarketRef(item.market.ref, tuple(o.token for o in item.market.outcomes)) for item in items
    ]


def answering(*bodies: bytes, status: int = 200) -> Polymarket:
    """A venue that gives these answers in turn, the last one for ever."""
    left = list(bodies)

    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(status, content=left.pop(0) if len(left) > 1 else left[0])

    return Polymarket(VenueHttp("polymarket", "", LIMITS, transport=httpx.MockTransport(answer)))


def test_it_promises_all_but_events_and_fees_of_their_own(venue: Polymarket) -> None:
    for promise in (Connector, Books, Trades, History, StatusReports):
        assert isinstance(venue, promise)
    assert not isinstance(venue, Events | Fees)


def test_the_whole_catalogue_comes_with_events(venue: Polymarket) -> None:
    pages = list(venue.list_markets())
    items = [item for page in pages for item in page.items]
    assert len(items) > 20
    assert len({item.market.ref for item in items}) == len(items)
    assert pages[-1].is_last
    assert not any(page.refused or page.extras for page in pages)
    assert all(item.event and item.market.event_ref == item.event.ref for item in items)
    assert all(item.market.fee for item in items)


def test_pages_add_up_to_the_same_catalogue(
    venue: Polymarket, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = {item.market.ref for item in listed(venue)}
    monkeypatch.setattr(connector, "EVENTS_A_PAGE", 4)
    pages = list(venue.list_markets())
    assert len(pages) > 3
    assert [page.is_last for page in pages] == [False] * (len(pages) - 1) + [True]
    assert {item.market.ref for page in pages for item in page.items} == whole


def test_a_renamed_cursor_never_ends_a_listing(
    sandbox: Running, venue: Polymarket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connector, "EVENTS_A_PAGE", 4)
    fault(sandbox, "GET /events/keyset", "rename:next_cursor")
    pages = list(venue.list_markets())
    assert not any(page.is_last for page in pages)


def test_a_renamed_needed_field_stores_nothing(sandbox: Running, venue: Polymarket) -> None:
    fault(sandbox, "GET /events/keyset", "rename:conditionId")
    pages = list(venue.list_markets())
    assert not [item for page in pages for item in page.items]
    assert {r.field for page in pages for r in page.refused} == {"conditionId"}
    # markets that cannot be named may be ones we hold, so this listing ends nothing either
    assert all(refusal.ref.startswith("gamma:") for page in pages for refusal in page.refused)


@pytest.mark.parametrize("kind", ["truncate", "malformed"])
def test_a_spoilt_body_gives_no_last_page(sandbox: Running, venue: Polymarket, kind: str) -> None:
    fault(sandbox, "GET /events/keyset", kind)
    try:
        pages = list(venue.list_markets())
    except VenueError:
        return
    assert not any(page.is_last for page in pages)


@pytest.mark.parametrize("kind", ["html", "5xx"])
def test_a_venue_that_does_not_answer_is_a_venue_error(
    sandbox: Running, venue: Polymarket, kind: str
) -> None:
    fault(sandbox, "GET /events/keyset", kind)
    with pytest.raises(VenueError):
        list(venue.list_markets())


def test_a_cursor_that_comes_again_ends_the_walk_without_a_last_page() -> None:
    venue = answering(dump({"events": [], "next_cursor": "again"}))
    pages = list(venue.list_markets())
    assert len(pages) == 3
    assert not any(page.is_last for page in pages)
    assert pages[-1].refused[0].reason == "looping_cursor"


def test_a_page_cut_off_on_its_way_is_asked_for_again_and_counted() -> None:
    whole = dump({"events": [], "next_cursor": None})
    venue = answering(whole[:20], whole[:25], whole)
    (page,) = venue.list_markets()
    assert page.is_last
    assert not page.refused
    assert venue.http.drain_counters()["errors"] == {"spoilt": 2}
    cut = answering(whole[:20])
    (page,) = cut.list_markets()
    assert not page.is_last
    assert [r.reason for r in page.refused] == ["not_json"]


def test_a_listing_that_lost_markets_without_names_is_not_whole() -> None:
    venue = answering(dump({"events": [{"id": "1"}], "next_cursor": "b"}), dump({"events": []}))
    pages = list(venue.list_markets())
    assert not pages[0].refused[0].ref
    assert not pages[-1].is_last


def test_new_markets_can_be_asked_for(sandbox: Running, venue: Polymarket) -> None:
    since = clock.now() - timedelta(minutes=1)
    recent = [item for page in venue.list_markets(since) for item in page.items]
    assert len(recent) < len(listed(venue))


def test_markets_are_fetched_by_name(venue: Polymarket) -> None:
    known = [item.market.ref for item in listed(venue)[:3]]
    page = venue.fetch_markets(known)
    assert {item.market.ref for item in page.items} == set(known)
    assert page.is_last
    assert all(item.market.category for item in page.items)


def test_a_market_that_was_not_answered_is_never_taken_for_denied(venue: Polymarket) -> None:
    known = [item.market.ref for item in listed(venue)[:3]]
    page = venue.fetch_markets([*known, "0x" + "0" * 64])
    assert {item.market.ref for item in page.items} == set(known)
    assert not page.is_last


def test_closed_markets_are_asked_for_too() -> None:
    ended = smith(closed=True, acceptingOrders=False, outcomePrices='["1", "0"]')
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        closed = request.url.params["closed"]
        asked.append(closed)
        return httpx.Response(200, content=page_of(*([ended] if closed == "true" else [])))

    http = VenueHttp("polymarket", "", LIMITS, transport=httpx.MockTransport(answer))
    page = Polymarket(http).fetch_markets([ended["conditionId"]])
    assert asked == ["false", "true"]
    assert page.items[0].market.status is Status.SETTLED


def test_an_event_that_says_less_than_we_know_is_left_out() -> None:
    nested = smith(events=[{"id": "30829", "title": "Nominee", "negRisk": True}])
    (item,) = answering(page_of(nested), page_of()).fetch_markets([nested["conditionId"]]).items
    assert (item.event, item.market.event_ref) == (None, "30829")


def test_many_markets_are_asked_for_in_several_calls() -> None:
    asked: list[int] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(len(request.url.params.get_list("condition_ids")))
        return httpx.Response(200, content=page_of())

    http = VenueHttp("polymarket", "", LIMITS, transport=httpx.MockTransport(answer))
    assert not Polymarket(http).fetch_markets([f"0x{n}" for n in range(70)]).is_last
    assert asked == [50, 50, 20, 20]


def test_each_market_has_one_book_of_its_first_token(venue: Polymarket) -> None:
    refs = refs_of(listed(venue))
    page = venue.fetch_books(refs)
    assert not page.refused
    assert sorted(book.ref for book in page.items) == sorted(ref.ref for ref in refs)
    assert all(book.outcome == 0 for book in page.items)
    for book in page.items:
        assert [level.price for level in book.bids] == sorted(
            (level.price for level in book.bids), reverse=True
        )
        assert [level.price for level in book.asks] == sorted(level.price for level in book.asks)


def test_the_other_tokens_books_are_the_same_depth_seen_twice(venue: Polymarket) -> None:
    outcomes = [item.market.outcomes for item in listed(venue)[:20]]
    refs = [item.market.ref for item in listed(venue)[:20]]
    first = {pair[0].token: (ref, 0) for pair, ref in zip(outcomes, refs, strict=True)}
    second = {pair[1].token: (ref, 1) for pair, ref in zip(outcomes, refs, strict=True)}
    content = [{"token_id": token} for token in [*first, *second]]
    answer = venue.http.post(f"{venue.roots.clob}/books", content, bucket="books", is_read=True)
    seen = []
    for tokens in (first, second):
        page = parse_books(answer.body, tokens, answer.received_at)
        assert {refusal.reason for refusal in page.refused} == {"unknown_token"}
        seen.append({book.ref: (book.bids, book.asks) for book in page.items})
    assert len(seen[0]) == 20
    assert seen[0] == seen[1]


def test_quotes_are_the_tops_of_the_books(venue: Polymarket) -> None:
    refs = refs_of(listed(venue))[:5]
    quotes = {quote.ref: quote for quote in venue.fetch_quotes(refs).items}
    books = {book.ref: book for book in venue.fetch_books(refs).items}
    assert quotes.keys() == books.keys() == {ref.ref for ref in refs}
    quote = next(quote for quote in quotes.values() if quote.bid is not None)
    assert quote.bid_size is not None
    assert not quote.is_indicative


def test_books_are_asked_for_500_tokens_at_a_time() -> None:
    sizes: list[int] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sizes.append(request.content.count(b"token_id"))
        return httpx.Response(200, content=b"[]")

    http = VenueHttp("polymarket", "", LIMITS, transport=httpx.MockTransport(answer))
    refs = [MarketRef(f"0x{n}", (f"{n}1", f"{n}2")) for n in range(501)]
    assert not Polymarket(http).fetch_books(refs).items
    assert sizes == [500, 1]


def test_a_market_without_tokens_is_set_aside_by_name(venue: Polymarket) -> None:
    page = venue.fetch_books([MarketRef("0x1")])
    assert [(r.reason, r.ref) for r in page.refused] == [("no_token", "0x1")]
    page = venue.fetch_candles(MarketRef("0x1"), 60, clock.now(), clock.now())  # type: ignore[assignment]
    assert [(r.reason, r.ref) for r in page.refused] == [("no_token", "0x1")]


def test_trades_since_a_time_come_whole(venue: Polymarket) -> None:
    refs = refs_of(listed(venue))[:25]
    since = clock.now() - timedelta(minutes=10)
    page = venue.fetch_trades(refs, since)
    assert page.is_last
    assert page.items
    known = {ref.ref for ref in refs}
    assert all(trade.ref in known for trade in page.items)
    assert min(trade.traded_at for trade in page.items) >= since.replace(microsecond=0)


def test_candles_cover_the_days_asked_for(venue: Polymarket) -> None:
    ref = refs_of(listed(venue))[0]
    end = clock.now()
    page = venue.fetch_candles(ref, 3600, end - timedelta(days=2), end)
    assert not page.refused
    assert 24 <= len(page.items) <= 50
    assert {(candle.source, candle.seconds) for candle in page.items} == {("mid", 3600)}


def test_long_histories_are_asked_for_in_windows() -> None:
    asked: list[int] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(int(request.url.params["endTs"]) - int(request.url.params["startTs"]))
        return httpx.Response(200, content=b'{"history": []}')

    http = VenueHttp("polymarket", "", LIMITS, transport=httpx.MockTransport(answer))
    end = clock.now()
    Polymarket(http).fetch_candles(MarketRef("0x1", ("7",)), 60, end - timedelta(days=31), end)
    assert asked[:2] == [15 * 86400, 15 * 86400]
    assert sum(asked) == pytest.approx(31 * 86400, abs=3)


def test_status_says_that_it_trades(venue: Polymarket) -> None:
    status = venue.exchange_status()
    assert (status.is_up, status.is_trading, status.note) == (True, True, "")


def test_status_of_a_dead_venue_says_so(sandbox: Running, venue: Polymarket) -> None:
    fault(sandbox, "GET /ok", "html")
    status = venue.exchange_status()
    assert (status.is_up, status.is_trading) == (False, False)
    assert "HTML" in status.note


@pytest.mark.parametrize(
    ("status", "body", "note"),
    [
        (425, {"error": "service not ready"}, "the matching engine restarts"),
        (
            503,
            {"code": "post_only_mode", "retry_after_seconds": 79},
            "post-only: no order may take",
        ),
    ],
)
def test_status_tells_a_restart_without_waiting_for_it(
    status: int, body: dict[str, Any], note: str
) -> None:
    seen = answering(dump(body), status=status).exchange_status()
    assert (seen.is_up, seen.is_trading, seen.note) == (True, False, note)


def test_settings_point_the_three_hosts_at_one_base(settings: Any) -> None:
    settings.VENUE_URLS = {"polymarket": "http://127.0.0.1:1/polymarket/"}
    roots = Polymarket.from_settings().roots
    assert roots.gamma == "http://127.0.0.1:1/polymarket/gamma"
    assert roots.data == "http://127.0.0.1:1/polymarket/data"
    settings.VENUE_URLS = {"polymarket": ""}
    assert Polymarket.from_settings().roots.clob == "https://clob.polymarket.com"


def test_a_tape_whose_cursors_never_end_ends_with_a_reason(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(connector, "MAX_TRADE_PAGES", 3)
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        following = {"has_more": True, "next_cursor": f"c{len(asked)}"}
        return httpx.Response(200, json={"data": [], "pagination": following})

    transport = httpx.MockTransport(answer)
    venue = Polymarket(VenueHttp("polymarket", "http://venue", LIMITS, transport=transport))
    page = venue.fetch_trades([MarketRef("0xa", ("1", "2"))], clock.now())
    assert (len(asked), page.is_last) == (3, False)
    assert [refusal.reason for refusal in page.refused] == ["page_limit"]
