"""The admin of the ground floor: fast on tables of millions, read-only where rows are history."""

from typing import Any, cast

from django.contrib import admin
from django.contrib.auth.models import User
from django.core.paginator import Paginator
from django.db import connection
from django.db.models import Model, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils.functional import cached_property

from markets.models import (
    BookSnapshot,
    BreakerState,
    Candle,
    CategoryMap,
    CollectionRun,
    ComponentHealth,
    Event,
    FeeSchedule,
    Gap,
    Incident,
    JobRun,
    LatestBook,
    LatestQuote,
    Market,
    MarketRevision,
    Outcome,
    Quote,
    Scope,
    TradePrint,
    Venue,
)


class EstimatingPaginator(Paginator):
    """Pages of a huge table without counting it: the planner's estimate when nothing filters.

    A filtered list is counted up to a cap, which is as far as anyone pages.
    """

    CAP = 10_000

    @cached_property
    def count(self) -> int:
        """Rows, or an estimate of them; never less than what a first page shows."""
        rows = cast("QuerySet[Model]", self.object_list)
        counted = rows.order_by()[: self.CAP].count()
        if counted < self.CAP or rows.query.where:
            return counted
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT sum(greatest(c.reltuples, 0)) FROM pg_class c WHERE c.oid IN "
                "(SELECT relid FROM pg_partition_tree(%s::regclass) WHERE isleaf "
                "UNION SELECT %s::regclass)",
                [rows.model._meta.db_table] * 2,
            )
            return max(counted, int(cursor.fetchone()[0] or 0))


class HugeAdmin(admin.ModelAdmin):
    """For tables that grow by the million."""

    paginator = EstimatingPaginator
    show_full_result_count = False
    list_per_page = 50
    list_max_show_all = 0


class HistoryAdmin(HugeAdmin):
    """Rows that are written once: to be read, by nobody to be changed."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


@admin.register(Venue)
class VenueAdmin(admin.ModelAdmin):
    list_display = ("label", "slug", "is_enabled", "is_up", "is_trading", "status_at")
    list_filter = ("is_enabled",)
    fields = ("label", "is_enabled", "site", "note")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False  # rows follow the registry of connectors

    def has_delete_permission(self, request: HttpRequest, obj: Venue | None = None) -> bool:
        return False


@admin.register(CategoryMap)
class CategoryMapAdmin(admin.ModelAdmin):
    list_display = ("venue_category", "venue", "category")
    list_filter = ("venue", "category")
    list_select_related = ("venue",)
    search_fields = ("venue_category",)


@admin.register(Scope)
class ScopeAdmin(admin.ModelAdmin):
    list_display = ("value", "action", "dimension", "preset", "is_enabled", "author", "created_at")
    list_filter = ("action", "dimension", "is_enabled")
    list_select_related = ("author",)
    search_fields = ("value", "note")
    readonly_fields = ("author", "created_at")

    def save_model(self, request: HttpRequest, obj: Scope, form: ModelForm, change: bool) -> None:
        """The author of a line is who made it; the log keeps who changed it."""
        if not change:
            obj.author = cast(User, request.user)
        super().save_model(request, obj, form, change)


@admin.register(FeeSchedule)
class FeeScheduleAdmin(HugeAdmin):
    list_display = ("venue", "scope", "scope_ref", "formula", "values", "effective_from", "source")
    list_filter = ("venue", "scope", "source")
    list_select_related = ("venue",)
    search_fields = ("scope_ref",)
    readonly_fields = ("source", "received_at")

    def save_model(
        self, request: HttpRequest, obj: FeeSchedule, form: ModelForm, change: bool
    ) -> None:
        """What a person typed is not what the venue said."""
        obj.source = "admin"
        super().save_model(request, obj, form, change)

    def has_delete_permission(self, request: HttpRequest, obj: FeeSchedule | None = None) -> bool:
        return False  # a newer row supersedes; the old one explains old fees


@admin.register(Event)
class EventAdmin(HistoryAdmin):
    list_display = ("key", "title", "venue", "category", "close_time")
    list_filter = ("venue", "category")
    list_select_related = ("venue",)
    search_fields = ("key__startswith",)


@admin.register(Market)
class MarketAdmin(HistoryAdmin):
    list_display = ("key", "title", "venue", "category", "status", "is_tracked", "close_time")
    list_filter = ("venue", "status", "category", "is_tracked")
    list_select_related = ("venue",)
    search_fields = ("search",)
    search_help_text = "Words of the title, or an id"
    exclude = ("search",)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Market], search_term: str
    ) -> tuple[QuerySet[Market], bool]:
        """Full text: a LIKE would read the whole table."""
        found = Market.objects.matching(search_term).values("pk")
        return (queryset.filter(pk__in=found) if search_term else queryset), False


@admin.register(Outcome)
class OutcomeAdmin(HistoryAdmin):
    list_display = ("market", "index", "label", "token")
    list_select_related = ("market",)
    search_fields = ("market__key__exact",)
    ordering = ("-id",)


@admin.register(MarketRevision)
class MarketRevisionAdmin(HistoryAdmin):
    list_display = ("market", "field", "received_at")
    list_filter = ("field",)
    list_select_related = ("market",)
    search_fields = ("market__key__exact",)
    ordering = ("-id",)


class OutcomeFactAdmin(HistoryAdmin):
    """Facts of one outcome, found by their market's id."""

    list_select_related = ("outcome__market",)
    search_fields = ("outcome__market__key__exact",)

    @admin.display(description="market")
    def market(self, row: Any) -> str:
        """The canonical id."""
        return str(row.outcome.market)


@admin.register(LatestQuote)
class LatestQuoteAdmin(OutcomeFactAdmin):
    list_display = ("market", "bid", "ask", "volume_24h", "is_tradable", "flags", "checked_at")
    ordering = ("-pk",)


@admin.register(LatestBook)
class LatestBookAdmin(OutcomeFactAdmin):
    list_display = ("market", "flags", "received_at")
    ordering = ("-pk",)


@admin.register(Candle)
class CandleAdmin(OutcomeFactAdmin):
    list_display = ("market", "seconds", "start", "source", "close", "volume")
    ordering = ("-id",)


@admin.register(TradePrint)
class TradePrintAdmin(OutcomeFactAdmin):
    list_display = ("market", "price", "size", "taker_side", "traded_at")
    ordering = ("-id",)


class PartitionedAdmin(HistoryAdmin):
    """A table cut by day and indexed by outcome alone: it is searched, never browsed."""

    search_fields = ("outcome_id__exact",)
    search_help_text = "The number of an outcome; nothing is listed without one"
    ordering = ("-received_at",)
    list_display_links = None

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Rows of one outcome: everything else would read whole days."""
        is_number = search_term.isascii() and search_term.isdigit() and len(search_term) < 19
        return (queryset.filter(outcome_id=search_term) if is_number else queryset.none()), False

    def get_object(self, *args: Any, **kwargs: Any) -> None:
        """No row has a page: `id` is no key of these tables."""


@admin.register(Quote)
class QuoteAdmin(PartitionedAdmin):
    list_display = ("outcome_id", "bid", "ask", "last", "flags", "received_at")


@admin.register(BookSnapshot)
class BookSnapshotAdmin(PartitionedAdmin):
    list_display = ("outcome_id", "flags", "received_at")


@admin.register(CollectionRun)
class CollectionRunAdmin(HistoryAdmin):
    list_display = ("started_at", "venue", "job", "seconds", "pages", "refused", "is_complete")
    list_filter = ("venue", "job", "is_complete")
    list_select_related = ("venue",)


@admin.register(ComponentHealth)
class ComponentHealthAdmin(HistoryAdmin):
    list_display = ("minute", "component", "venue", "figures")
    list_filter = ("venue",)
    list_select_related = ("venue",)
    search_fields = ("component__startswith",)


@admin.register(Incident)
class IncidentAdmin(HistoryAdmin):
    """Read here; acknowledged and resolved on the page Data health, which keeps who did."""

    list_display = ("last_seen", "tier", "kind", "venue", "text", "count", "resolved_at")
    list_filter = ("tier", "venue", "kind")
    list_select_related = ("venue",)


@admin.register(Gap)
class GapAdmin(HistoryAdmin):
    list_display = ("venue", "job", "started_at", "ended_at", "reason", "repaired_at")
    list_filter = ("venue", "job")
    list_select_related = ("venue",)


@admin.register(BreakerState)
class BreakerStateAdmin(HistoryAdmin):
    list_display = ("venue", "domain", "state", "reason", "retry_at", "changed_at")
    list_select_related = ("venue",)


@admin.register(JobRun)
class JobRunAdmin(HistoryAdmin):
    list_display = ("job", "app_day", "claimed_at", "finished_at", "outcome")
    ordering = ("-id",)
