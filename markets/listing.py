"""The list of markets: what was asked for → rows of one page, fast over 280,000 of them."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django import forms
from django.contrib.postgres.search import SearchQuery
from django.db.models import BooleanField, ExpressionWrapper, OuterRef, Q, Subquery
from django.http import QueryDict

from markets.freshness import age_s, is_stale
from markets.models import Category, LatestQuote, Market, MarketRank, Venue
from markets.models.rank import ORDERS, MarketRankQuerySet
from markets.quotes import Status

PAGE_SIZE = 50
#: Rows that can be paged to, and the highest count that is taken exactly: beyond it, refine.
REACH = 5_000
EXPORT_MAX = 10_000
_CHUNK = 500


class MarketFilter(forms.Form):
    """What a person may ask of the list; a value that makes no sense counts as not asked."""

    q = forms.CharField(required=False, max_length=200, strip=True)
    venue = forms.ModelChoiceField(Venue.objects.all(), required=False, empty_label="All venues")
    category = forms.ChoiceField(
        required=False, choices=[("", "All categories"), *Category.choices]
    )
    status = forms.ChoiceField(
        required=False,
        choices=[("live", "Live"), ("all", "Any status")]
        + [(status.value, status.value.capitalize()) for status in Status],
    )
    within = forms.TypedChoiceField(
        required=False,
        coerce=int,
        empty_value=None,
        choices=[
            ("", "Any time"),
            (1, "1 hour"),
            (24, "24 hours"),
            (168, "7 days"),
            (720, "30 days"),
        ],
    )
    tracked = forms.BooleanField(required=False)
    sort = forms.ChoiceField(required=False, choices=[(name, name) for name in ORDERS])

    def asked(self) -> dict[str, Any]:
        """The cleaned values; defaults for what was refused or left out."""
        self.is_valid()
        values = {name: self.cleaned_data.get(name) for name in self.fields}
        values["status"] = values["status"] or "live"
        values["sort"] = values["sort"] or "volume"
        return values

    def selection(self, now: datetime) -> "Selection":
        """Ranks of the markets asked for, in the order asked for."""
        asked = self.asked()
        status = "" if asked["status"] == "all" else str(asked["status"])
        ranks = MarketRank.objects.state(status).closing_within(asked["within"], now)
        if asked["venue"]:
            ranks = ranks.filter(venue=asked["venue"])
        if asked["category"]:
            ranks = ranks.filter(category=asked["category"])
        if asked["tracked"]:
            ranks = ranks.filter(is_tracked=True)
        chosen = holding(ranks, typed(str(asked["q"]))) if asked["q"] else Selection(ranks)
        return Selection(chosen.ranks.sorted_by(str(asked["sort"])), chosen.is_vast)

    def is_narrowed(self) -> bool:
        """Whether anything was asked beyond the list as it opens."""
        asked = self.asked()
        return asked["status"] != "live" or any(
            asked[name] for name in ("q", "venue", "category", "within", "tracked")
        )


def typed(words: str) -> SearchQuery:
    """All the words, the last one as far as it has been typed; quotes, OR and - as on the web."""
    head, _space, last = words.rpartition(" ")
    if not re.fullmatch(r"\w+", last) or re.search(r'["-]|\bor\b', words, re.IGNORECASE):
        return SearchQuery(words, config="simple", search_type="websearch")
    begun = SearchQuery(f"{last}:*", config="simple", search_type="raw")
    if not head.strip():
        return begun
    return SearchQuery(head, config="simple", search_type="websearch") & begun


@dataclass(frozen=True)
class Selection:
    """Ranks that were asked for. `is_vast`: probably beyond REACH, and too many to count."""

    ranks: MarketRankQuerySet
    is_vast: bool = False

    def count(self) -> int:
        """How many there are; REACH + 1 means more than can be paged to."""
        return REACH + 1 if self.is_vast else self.ranks.order_by()[: REACH + 1].count()


def holding(ranks: MarketRankQuerySet, words: SearchQuery) -> Selection:
    """Those ranks whose markets hold the words.

    The planner cannot guess how many markets a half-typed word fits, and guesses wrong by three
    orders of magnitude. So the smaller side is read first: the hits, or else the other filters.
    """
    hits = Market.objects.filter(search=words)
    few = list(hits.values_list("pk", flat=True)[: REACH + 1])
    if len(few) > REACH:
        few = list(ranks.values_list("market_id", flat=True)[: REACH + 1])
        if len(few) > REACH:
            return Selection(ranks.filter(_each_holds(words)), is_vast=True)
        few = list(hits.filter(pk__in=few).values_list("pk", flat=True))
    return Selection(ranks.filter(market_id__in=few))


def _each_holds(words: SearchQuery) -> Subquery:
    """Asked of each rank in turn: many fit, so a page is full after a few. A join would be planned
    from the other end, through every hit."""
    fits = ExpressionWrapper(Q(search=words), output_field=BooleanField())
    own = Market.objects.filter(pk=OuterRef("market_id")).annotate(fits=fits).values("fits")
    return Subquery(own, output_field=BooleanField())


@dataclass(frozen=True)
class MarketRow:
    """One market as lists show it. `quote` is None when the venue has given no price."""

    market: Market
    quote: LatestQuote | None
    mid: Decimal | None
    spread: Decimal | None
    age_s: float | None
    is_stale: bool

    @property
    def closes(self) -> datetime | None:
        """When it closes; where the venue does not say, when it is expected to end."""
        return self.market.close_time or self.market.expected_time

    @property
    def subline(self) -> str:
        """What tells it from its like: its subtitle, then its event, without repetition."""
        event = self.market.event.title if self.market.event else ""
        parts = [part for part in (self.market.subtitle, event) if part != self.market.title]
        return " · ".join(dict.fromkeys(part for part in parts if part))


@dataclass(frozen=True)
class MarketPage:
    """One page of the list. `count` is exact up to REACH; `is_more`: it goes on from there."""

    rows: list[MarketRow]
    number: int
    last: int
    count: int
    is_more: bool


def page_of(asked: MarketFilter, number: int, now: datetime) -> MarketPage:
    """Page `number` from 1; a number outside is brought inside."""
    selection = asked.selection(now)
    count = selection.count()
    last = max(1, -(-min(count, REACH) // PAGE_SIZE))
    number = min(max(number, 1), last)
    start = (number - 1) * PAGE_SIZE
    keys = list(selection.ranks.values_list("market_id", flat=True)[start : start + PAGE_SIZE])
    return MarketPage(rows_of(keys, now), number, last, min(count, REACH), count > REACH)


def page_number(query: QueryDict) -> int:
    """The page asked for; 1 when that is not a number."""
    text = query.get("page", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 1


def rows_of(keys: Sequence[int], now: datetime) -> list[MarketRow]:
    """Rows of these markets, in this order, with figures as they are now."""
    markets = Market.objects.select_related("venue", "event").defer(
        "rules", "facts", "search", "price_ranges", "event__facts", "event__sources", "event__tags"
    )
    by_key = markets.in_bulk(keys)
    quotes = LatestQuote.objects.filter(outcome__market__in=keys, outcome__index=0)
    quoted = {quote.outcome.market_id: quote for quote in quotes.select_related("outcome")}
    return [row_of(by_key[key], quoted.get(key), now) for key in keys if key in by_key]


def row_of(market: Market, quote: LatestQuote | None, now: datetime) -> MarketRow:
    """One row. A mid needs both sides: with one missing there is none."""
    if quote is None:
        return MarketRow(market, None, None, None, None, False)
    mid = spread = None
    if quote.bid is not None and quote.ask is not None:
        mid, spread = (quote.bid + quote.ask) / 2, quote.ask - quote.bid
    return MarketRow(market, quote, mid, spread, age_s(quote, now), is_stale(market, quote, now))


def export_rows(asked: MarketFilter, now: datetime) -> Iterator[MarketRow]:
    """The whole selection, at most EXPORT_MAX rows, read in chunks."""
    keys = list(asked.selection(now).ranks.values_list("market_id", flat=True)[:EXPORT_MAX])
    for start in range(0, len(keys), _CHUNK):
        yield from rows_of(keys[start : start + _CHUNK], now)
