"""A small desk full of rows for pages to show: good, stale, odd and hostile ones.

Every value is fixed by its place in the tables below, so that two runs show the same desk.
"""

import math
from datetime import timedelta
from decimal import Decimal

from django.contrib.auth.models import Group, User

from arbsite import clock
from arbsite.roles import ROLES
from markets.models import BreakerState, Candle, ComponentHealth, Gap, Market, Quote
from markets.quotes import canonical
from markets.ranks import refresh_ranks
from markets.scope import apply_preset
from markets.writing import ensure_partitions
from tests import factories as make

PASSWORD = "correct horse"
HOSTILE = '<script>alert("x")</script> \u202eevil <img src=x onerror=alert(1)>'

#: venue, ref, event, title, subtitle, category, status, bid, volume, minutes since checked
MARKETS = (
    (
        "kalshi",
        "KXFED-26DEC-H0",
        "KXFED-26DEC",
        "Will the Federal Reserve hold its rate in December?",
        "No change",
        "economics",
        "open",
        ".620",
        184_200,
        0,
    ),
    (
        "kalshi",
        "KXFED-26DEC-C25",
        "KXFED-26DEC",
        "Will the Federal Reserve cut by 25 basis points?",
        "Cut 25 bp",
        "economics",
        "open",
        ".330",
        96_100,
        0,
    ),
    (
        "kalshi",
        "KXFED-26DEC-C50",
        "KXFED-26DEC",
        "Will the Federal Reserve cut by more than 25?",
        "Cut more than 25 bp",
        "economics",
        "open",
        ".040",
        22_050,
        0,
    ),
    (
        "polymarket",
        "0xfed0",
        "0xfed",
        "Fed decision in December: no change?",
        "",
        "economics",
        "open",
        ".605",
        412_870,
        0,
    ),
    (
        "kalshi",
        "KXNBA-26-BOS",
        "KXNBA-26",
        "Will Boston win the 2027 championship?",
        "Boston",
        "sports",
        "open",
        ".185",
        51_400,
        0,
    ),
    (
        "kalshi",
        "KXNBA-26-OKC",
        "KXNBA-26",
        "Will Oklahoma City win the 2027 championship?",
        "Oklahoma City",
        "sports",
        "open",
        ".271",
        64_220,
        0,
    ),
    (
        "polymarket",
        "0xnba0",
        "0xnba",
        "Oklahoma City to win the championship",
        "",
        "sports",
        "open",
        ".284",
        230_110,
        0,
    ),
    (
        "kalshi",
        "KXBTCD-26NOV",
        "KXBTCD-26NOV",
        "Will Bitcoin close the month above $120,000?",
        "Above 120,000",
        "crypto",
        "paused",
        ".4450",
        12_900,
        3,
    ),
    (
        "polymarket",
        "0xbtc0",
        "0xbtc",
        "Bitcoin above $120,000 on 30 November?",
        "",
        "crypto",
        "open",
        ".4525",
        88_015,
        45,
    ),
    (
        "predictit",
        "7456.35810",
        "7456",
        "Which party will win the 2028 presidential election?",
        "Republican",
        "politics",
        "open",
        ".52",
        None,
        1,
    ),
    (
        "predictit",
        "7456.35811",
        "7456",
        "Which party will win the 2028 presidential election?",
        "Democratic",
        "politics",
        "open",
        ".47",
        None,
        1,
    ),
    (
        "kalshi",
        "KXHIGHNY-26NOV20-B55",
        "KXHIGHNY-26NOV20",
        "Will the highest temperature in New York be 55 to 56 degrees today?",
        "55° to 56°",
        "weather",
        "closed",
        ".99",
        7_300,
        90,
    ),
    ("polymarket", "0xodd0", "0xodd", HOSTILE, HOSTILE, "other", "disputed", ".50", 410, 5),
    (
        "polymarket",
        "0xlong",
        "0xodd",
        "Will a title that goes on for much longer than anyone expected when the column was drawn "
        "still leave the figures beside it readable on a narrow screen?",
        "",
        "culture",
        "new",
        None,
        0,
        0,
    ),
)


def furnish() -> Market:
    """Fill an empty database; returns the market whose page has everything on it."""
    now = clock.now()
    ensure_partitions([(now - timedelta(days=days)).date() for days in range(-1, 2)])
    for place, line in enumerate(MARKETS):
        _market(place, *line)
    first = Market.objects.get(key="KALSHI:KXFED-26DEC-H0")
    _history(first)
    _terms(first)
    _collecting()
    people()
    apply_preset("NBA", User.objects.get(username="trader"))
    make.ScopeFactory(action="deny", dimension="word", value="esports", is_enabled=False)
    refresh_ranks()
    return first


def people() -> dict[str, User]:
    """One account a role, and a superuser."""
    found = {}
    for role in ROLES:
        found[role] = User.objects.create_user(role.replace(" ", "_"), password=PASSWORD)
        found[role].groups.add(Group.objects.get(name=role))
    found["superuser"] = User.objects.create_superuser("admin", password=PASSWORD)
    return found


def _market(
    place: int,
    venue: str,
    ref: str,
    event: str,
    title: str,
    subtitle: str,
    category: str,
    status: str,
    bid: str | None,
    volume: int | None,
    minutes: int,
) -> None:
    now = clock.now()
    key = canonical(venue, event)
    held = make.Event.objects.filter(key=key).first() or make.EventFactory(
        venue=make.VenueFactory(slug=venue), ref=event, key=key, title=title, category=category
    )
    market = make.MarketFactory(
        venue=held.venue,
        event=held,
        ref=ref,
        title=title,
        subtitle=subtitle,
        category=category,
        status=status,
        is_tracked=place < 8,
        series=event.split("-")[0],
        rules=f"{title}\n\nResolves to Yes if so.\n\n{HOSTILE}",
        close_time=now + timedelta(hours=5 * place * place + 2),
    )
    first, _other = make.OutcomeFactory(market=market), make.OutcomeFactory(market=market, index=1)
    if bid is not None:
        make.LatestQuoteFactory(
            outcome=first,
            bid=Decimal(bid),
            ask=Decimal(bid) + Decimal(".01") * (1 + place % 3),
            last=Decimal(bid),
            volume_24h=volume,
            flags="locked off_tick" if status == "disputed" else "",
            checked_at=now - timedelta(minutes=minutes),
        )


def _history(market: Market) -> None:
    """A week of hours, a day of minutes with a hole in it, a book, and a few quotes."""
    now, first = clock.now(), market.outcomes.get(index=0)
    whole = now.replace(minute=0, second=0, microsecond=0)
    candles = [
        _candle(first, 3600, whole - timedelta(hours=hour), hour * 60) for hour in range(168, 0, -1)
    ]
    hole = range(400, 470)
    minute = now.replace(second=0, microsecond=0)
    candles += [
        _candle(first, 60, minute - timedelta(minutes=ago), ago)
        for ago in range(1440, 5, -1)
        if ago not in hole
    ]
    Candle.objects.bulk_create(candles)
    for ago in range(5, 0, -1):
        mid = _price(ago)
        Quote.objects.create(
            outcome_id=first.pk,
            bid=mid - Decimal(".005"),
            ask=mid + Decimal(".005"),
            received_at=now - timedelta(minutes=ago),
        )
    Gap.objects.create(
        venue=market.venue,
        job="quotes",
        started_at=minute - timedelta(minutes=470),
        ended_at=minute - timedelta(minutes=400),
        reason="GET /markets: 503 Service Unavailable",
    )
    steps = range(12)
    make.LatestBookFactory(
        outcome=first,
        bids=[[f"{Decimal('.62') - Decimal('.01') * n}", str(400 + 310 * n)] for n in steps],
        asks=[[f"{Decimal('.63') + Decimal('.01') * n}", str(250 + 420 * n)] for n in steps],
    )


def _price(minutes_ago: int) -> Decimal:
    wave = math.sin(minutes_ago / 340) * 0.06 + math.sin(minutes_ago / 47) * 0.012
    return Decimal(round(0.625 + wave, 3)).quantize(Decimal(".001"))


def _candle(outcome: object, seconds: int, start: object, ago: int) -> Candle:
    mid = _price(ago)
    return Candle(
        outcome=outcome,
        seconds=seconds,
        start=start,
        source="trade",
        close=mid,
        bid_close=mid - Decimal(".008"),
        ask_close=mid + Decimal(".008"),
        volume=Decimal(40 + (ago * 37) % 180),
        received_at=clock.now(),
    )


def _terms(market: Market) -> None:
    now = clock.now()
    make.MarketRevisionFactory(
        market=market,
        field="rules",
        old="The market resolves by the statement published at 14:00 ET on 9 December.",
        new="The market resolves by the statement published at 14:00 ET on 16 December 2026.",
        received_at=now - timedelta(days=2),
    )
    make.MarketRevisionFactory(
        market=market, field="rules", old="", new=HOSTILE, received_at=now - timedelta(days=3)
    )
    make.FeeScheduleFactory(venue=market.venue)
    make.FeeScheduleFactory(
        venue=market.venue,
        scope="series",
        scope_ref="KXFED",
        values={"taker": "0.035", "maker": "0"},
        effective_from=now - timedelta(days=4),
    )
    make.FeeScheduleFactory(venue=market.venue, effective_from=now + timedelta(days=9))
    market.facts = {"strike": "hold", "source": "Federal Reserve", "odd": HOSTILE}
    market.save(update_fields=["facts"])


def _collecting() -> None:
    """Runs, minutes of processes, incidents of every tier, a breaker that is open."""
    now = clock.now()
    for venue, lag in (("kalshi", 0.7), ("polymarket", 2.1), ("predictit", 41.0)):
        held = make.VenueFactory(slug=venue)
        for ago in range(40, 0, -1):
            is_bad = venue == "polymarket" and ago in (7, 8, 21)
            started = now - timedelta(seconds=15 * ago)
            make.CollectionRunFactory(
                venue=held,
                job="quotes",
                started_at=started,
                finished_at=started + timedelta(seconds=1),
                is_complete=not is_bad,
                refused=2 if ago == 30 else 0,
                errors=["GET /book: 429 Too Many Requests"] if is_bad else [],
                lag_s=lag,
            )
        make.CollectionRunFactory(venue=held, started_at=now - timedelta(minutes=4), lag_s=lag)
        for component in ("worker-ingest@desk:4711", "stream@desk:4712"):
            ComponentHealth.objects.create(
                component=component,
                venue=held,
                minute=now.replace(second=0, microsecond=0),
                figures={"requests": 31, "retries": 1, "limited": 0, "p50_ms": 50, "p95_ms": 200},
            )
    for component, age in (("beat", 0), ("queue trade", 0), ("worker-match@desk:4713", 9)):
        at = now - timedelta(minutes=age)
        ComponentHealth.objects.create(
            component=component,
            minute=at.replace(second=0, microsecond=0),
            received_at=at,
            figures={"state": "up", "pid": 4711},
        )
    for tier, text in (
        ("critical", "Polymarket prices have not moved for 20 minutes"),
        ("important", "A needed field is missing: outcomePrices"),
        ("routine", HOSTILE),
        ("quiet", "A field never seen before: sports_market_type"),
    ):
        make.IncidentFactory(tier=tier, text=text, venue_id="polymarket", sample=HOSTILE)
    BreakerState.objects.create(
        venue_id="polymarket", state="half_open", reason="3 failures in a minute", cooldown_s=30
    )
