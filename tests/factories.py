"""Rows for tests of stages and pages: small, valid, and true to what ingest would write."""

from datetime import timedelta
from decimal import Decimal

import factory
from factory.django import DjangoModelFactory

from arbsite import clock
from markets.models import (
    Candle,
    CollectionRun,
    Event,
    FeeSchedule,
    Incident,
    LatestBook,
    LatestQuote,
    Market,
    MarketRevision,
    Outcome,
    Scope,
    Venue,
)
from markets.quotes import canonical


class VenueFactory(DjangoModelFactory):
    class Meta:
        model = Venue
        django_get_or_create = ("slug",)

    slug = "kalshi"
    label = factory.LazyAttribute(lambda venue: venue.slug.capitalize())


class EventFactory(DjangoModelFactory):
    class Meta:
        model = Event

    venue = factory.SubFactory(VenueFactory)
    ref = factory.Sequence(lambda n: f"KXEVENT-{n}")
    key = factory.LazyAttribute(lambda event: canonical(event.venue.slug, event.ref))
    title = "Who wins the cup?"
    category = "sports"
    content_hash = "0" * 32
    received_at = factory.LazyFunction(clock.now)


class MarketFactory(DjangoModelFactory):
    class Meta:
        model = Market

    venue = factory.SubFactory(VenueFactory)
    event = factory.SubFactory(EventFactory, venue=factory.SelfAttribute("..venue"))
    ref = factory.Sequence(lambda n: f"KXEVENT-{n}-A")
    key = factory.LazyAttribute(lambda market: canonical(market.venue.slug, market.ref))
    title = factory.Sequence(lambda n: f"Will team {n} win the cup?")
    rules = (
        "If the team wins the final, the market resolves to Yes.\n\nOtherwise it resolves to No."
    )
    rules_hash = "1" * 32
    status = "open"
    venue_status = "active"
    price_ranges = [{"start": "0", "end": "1", "step": "0.01"}]
    size_step = Decimal("1")
    min_size = Decimal("1")
    open_time = factory.LazyFunction(lambda: clock.now() - timedelta(days=9))
    close_time = factory.LazyFunction(lambda: clock.now() + timedelta(days=3, hours=4))
    category = "sports"
    series = "KXCUP"
    url = "https://example.org/markets/cup"
    content_hash = "2" * 32
    received_at = factory.LazyFunction(clock.now)


class OutcomeFactory(DjangoModelFactory):
    class Meta:
        model = Outcome

    market = factory.SubFactory(MarketFactory)
    index = 0
    label = factory.LazyAttribute(lambda outcome: ("Yes", "No")[outcome.index])


class LatestQuoteFactory(DjangoModelFactory):
    class Meta:
        model = LatestQuote

    outcome = factory.SubFactory(OutcomeFactory)
    bid = Decimal("0.42")
    ask = Decimal("0.44")
    bid_size = Decimal("1200")
    ask_size = Decimal("350.5")
    last = Decimal("0.43")
    volume_24h = Decimal("48210")
    open_interest = Decimal("96000")
    is_tradable = True
    venue_ts = factory.LazyFunction(clock.now)
    received_at = factory.LazyFunction(clock.now)
    checked_at = factory.LazyFunction(clock.now)


class LatestBookFactory(DjangoModelFactory):
    class Meta:
        model = LatestBook

    outcome = factory.SubFactory(OutcomeFactory)
    bids = [["0.42", "1200"], ["0.41", "2500"], ["0.40", "800"], ["0.38", "4000"]]
    asks = [["0.44", "350.5"], ["0.45", "1800"], ["0.47", "2600"], ["0.50", "5200"]]
    venue_ts = factory.LazyFunction(clock.now)
    received_at = factory.LazyFunction(clock.now)


class CandleFactory(DjangoModelFactory):
    class Meta:
        model = Candle

    outcome = factory.SubFactory(OutcomeFactory)
    seconds = 3600
    start = factory.LazyFunction(clock.now)
    source = "venue"
    close = Decimal("0.43")
    bid_close = Decimal("0.42")
    ask_close = Decimal("0.44")
    volume = Decimal("900")
    received_at = factory.LazyFunction(clock.now)


class MarketRevisionFactory(DjangoModelFactory):
    class Meta:
        model = MarketRevision

    market = factory.SubFactory(MarketFactory)
    field = "rules"
    old = "Closes on Monday at noon."
    new = "Closes on Tuesday at noon."
    received_at = factory.LazyFunction(clock.now)


class FeeScheduleFactory(DjangoModelFactory):
    class Meta:
        model = FeeSchedule

    venue = factory.SubFactory(VenueFactory)
    scope = "venue"
    formula = "quadratic"
    values = {"taker": "0.07"}
    effective_from = factory.LazyFunction(lambda: clock.now() - timedelta(days=30))


class CollectionRunFactory(DjangoModelFactory):
    class Meta:
        model = CollectionRun

    venue = factory.SubFactory(VenueFactory)
    job = "markets"
    started_at = factory.LazyFunction(clock.now)
    finished_at = factory.LazyFunction(clock.now)
    seconds = 1.4
    pages = 3
    counts = {"markets": 120, "quotes": 118}
    is_complete = True
    lag_s = 0.8


class IncidentFactory(DjangoModelFactory):
    class Meta:
        model = Incident

    fingerprint = factory.Sequence(lambda n: f"{n:064d}")
    tier = "routine"
    kind = "drift"
    text = "A needed field is missing"


class ScopeFactory(DjangoModelFactory):
    class Meta:
        model = Scope

    action = "watch"
    dimension = "word"
    value = factory.Sequence(lambda n: f"word {n}")
