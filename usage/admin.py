"""The operator's view of records and exports: read only, and quick however many records there are."""

from typing import Any
from uuid import UUID

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.urls import reverse

from core import clock
from organizations.admin import ReadOnlyAdmin
from organizations.models import Organization
from usage.models import Export, Record
from usage.partitions import WEEK
from usage.queries.records import find_record, occurrence


class OrganizationFilter(admin.SimpleListFilter):
    """One organization's records; without it only the last week's are listed."""

    title = "organization"
    parameter_name = "organization"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Return the organizations by name."""
        return [
            (str(pk), name) for pk, name in Organization.objects.order_by("name").values_list("pk", "name")
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Record]) -> QuerySet[Record]:
        """Return the records to list."""
        value = self.value()
        if value is None:
            return queryset.filter(occurred_at__gte=clock.now() - WEEK)
        return queryset.filter(organization_id=value) if value.isdecimal() else queryset.none()


class RecordChangeList(ChangeList):
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

    list_display = ("occurred_at", "record_id", "organization", "type", "model", "succeeded", "total_tokens")
    list_filter = (OrganizationFilter,)
    list_select_related = ("organization",)
    ordering = ("-occurred_at", "-key")
    list_per_page = 50
    search_fields = ("record_id",)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        """Return the list whose links are found quickly."""
        return RecordChangeList

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Record], search_term: str
    ) -> tuple[QuerySet[Record], bool]:
        """Find a record by its id, as its organization's own calls do: by its key, in one partition."""
        if not search_term:
            return queryset, False
        owner = request.GET.get(OrganizationFilter.parameter_name, "")
        found = find_record(int(owner), search_term) if owner.isdecimal() else None
        if found is None:
            return queryset.none(), False
        moment, key = found.position
        return queryset.filter(organization_id=owner, occurred_at=moment, key=key), False

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


@admin.register(Export)
class ExportAdmin(ReadOnlyAdmin):
    """Exports, and how far they have come."""

    list_display = (
        "created_at",
        "organization",
        "dataset",
        "format",
        "state",
        "attempts",
        "rows_done",
        "rows_total",
    )
    list_filter = ("state", "dataset", "format", "organization")
    list_select_related = ("organization",)
    ordering = ("-created_at", "-id")
