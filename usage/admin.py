"""The operator's view of records, exports and imports: read only, and quick however many there are."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.module_loading import import_string

from core.written import exact
from organizations.admin import OrganizationFilter, ReadOnlyAdmin
from organizations.admin.bases import OrderedChangeList
from organizations.admin.filters import STEPS, chosen
from organizations.admin.showing import EMPTY, linked, money, number, pairs
from usage.models import Export, Import, Record
from usage.queries.records import find_record, occurrence


class RecordChangeList(OrderedChangeList):
    """A list whose links say whose record it is, since its key alone would have to be searched for."""

    def url_for_result(self, result: Model) -> str:
        """Return the address of one record."""
        place = f"{result.organization_id}-{result.key.hex}" if isinstance(result, Record) else ""
        return reverse(
            "admin:usage_record_change", args=(place,), current_app=self.model_admin.admin_site.name
        )


@admin.register(Record)
class RecordAdmin(ReadOnlyAdmin):
    """Usage records."""

    list_display = (
        "occurred_at", "record_id", linked("organization"), "type", "model", "succeeded",
        number("total_tokens", "tokens"), money("cost_nanos", "cost"),
    )  # fmt: skip
    list_filter = (OrganizationFilter,)
    list_select_related = ("organization",)
    latest = "occurred_at"
    spans = tuple(STEPS)
    ordering = ("-occurred_at", "-key")
    search_fields = ("record_id",)
    search_help_text = "A whole id, once an organization is chosen."
    fieldsets = (
        (None, {"fields": ("record_id", "organization", "credential", "occurred_at", "created_at")}),
        (
            "Call",
            {
                "fields": (
                    "type", number("count", "count"), "execution", "capability", "endpoint", "provider",
                    "model", "service_tier",
                )
            },
        ),
        ("Outcome", {"fields": ("succeeded", "status_code", "error_type", "latency")}),
        (
            "Quantities",
            {
                "fields": (
                    number("prompt_tokens", "prompt tokens"),
                    number("cached_prompt_tokens", "cached prompt tokens"),
                    number("cache_write_tokens", "cache write tokens"),
                    number("completion_tokens", "completion tokens"),
                    number("reasoning_tokens", "reasoning tokens"),
                    number("total_tokens", "total tokens"),
                    pairs("quantities", "quantities"),
                )
            },
        ),
        ("Cost", {"fields": (money("cost_nanos", "cost"), "price_id", "reservation_id")}),
        ("Belongs to", {"fields": (pairs("links", "links"), pairs("meta", "meta"))}),
    )  # fmt: skip

    @admin.display(description="latency")
    def latency(self, record: Record) -> str:
        """Write how long it took."""
        return EMPTY if record.latency_us is None else f"{exact(Decimal(record.latency_us) / 1000)} ms"

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[RecordChangeList]:
        """Return the list whose links are found quickly."""
        return RecordChangeList

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Record], search_term: str
    ) -> tuple[QuerySet[Record], bool]:
        """Find a record by its id, as its organization's own calls do: by its key, in one partition."""
        if not search_term:
            return queryset, False
        owner = chosen(request)
        if owner is None:
            self.message_user(
                request, "IDs are an organization's own: choose one to find its record.", messages.WARNING
            )
        found = None if owner is None else find_record(owner, search_term)
        if owner is None or found is None:
            return queryset.none(), False
        moment, key = found.position
        return queryset.filter(organization=owner, occurred_at=moment, key=key), False

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> Record | None:
        """Return the record of an address, by its organization and key."""
        organization, _, key = object_id.partition("-")
        try:
            place = int(organization), UUID(hex=key)
        except ValueError:
            return None
        moment = occurrence(*place)
        if moment is None:
            return None
        return Record.objects.filter(organization_id=place[0], occurred_at=moment, key=place[1]).first()


class DatasetFilter(admin.SimpleListFilter):
    """What is exported."""

    title = "dataset"
    parameter_name = "dataset"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Return the datasets that there are."""
        return [(one.name, one.name) for one in map(import_string, settings.EXPORT_DATASETS)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Export]) -> QuerySet[Export]:
        """Return the exports of the dataset that is chosen."""
        value = self.value()
        return queryset.filter(dataset=value) if value else queryset


@admin.register(Export)
class ExportAdmin(ReadOnlyAdmin):
    """Exports, and how far they have come."""

    list_display = (
        "created_at", linked("organization"), "dataset", "format", "state", number("rows_done", "rows"),
        number("bytes", "size", " bytes"), "finished_at",
    )  # fmt: skip
    list_filter = (OrganizationFilter, "state", DatasetFilter)
    list_select_related = ("organization",)
    search_fields = ("organization__slug__exact",)
    search_help_text = "An organization's slug."
    latest = "created_at"
    ordering = ("-created_at", "-id")
    fieldsets = (
        (None, {"fields": ("organization", "dataset", "format", "window_start", "window_end", "timezone")}),
        ("Asked for by", {"fields": ("requested_by", "credential", "created_at")}),
        (
            "Progress",
            {
                "fields": (
                    "state", "attempts", number("rows_done", "rows done"),
                    number("rows_total", "rows in all"), "started_at", "heartbeat_at", "finished_at", "error",
                )
            },
        ),
        ("File", {"fields": (number("bytes", "size", " bytes"), pairs("sums", "sums"), "expires_at")}),
    )  # fmt: skip


@admin.register(Import)
class ImportAdmin(ReadOnlyAdmin):
    """Imports of files, and what became of their lines."""

    list_display = (
        "created_at", linked("organization"), "name", number("size", "size", " bytes"), "state",
        number("accepted", "accepted"), number("duplicates", "duplicates"), number("rejected", "rejected"),
        "finished_at",
    )  # fmt: skip
    list_filter = (OrganizationFilter, "state")
    list_select_related = ("organization",)
    search_fields = ("organization__slug__exact",)
    search_help_text = "An organization's slug."
    latest = "created_at"
    ordering = ("-created_at", "-id")
    fieldsets = (
        (None, {"fields": ("organization", "name", number("size", "size", " bytes"), "timezone", "chosen")}),
        ("Asked for by", {"fields": ("requested_by", "credential", "created_at")}),
        (
            "Progress",
            {
                "fields": (
                    "state", "attempts", number("read", "read", " bytes"), "started_at", "heartbeat_at",
                    "finished_at", "error",
                )
            },
        ),
        (
            "Outcome",
            {
                "fields": (
                    number("accepted", "accepted"), number("duplicates", "duplicates"),
                    number("rejected", "rejected"), "first_at", "last_at", "expires_at",
                )
            },
        ),
    )  # fmt: skip


# Django capitalizes the first letter only.
Record._meta.get_field("record_id").verbose_name = "ID"
