"""What the pages of the operator's admin have in common: their inputs, their bounds, and what none may do."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.contrib.admin.views.main import ORDER_VAR, ChangeList
from django.contrib.admin.widgets import RelatedFieldWidgetWrapper
from django.db import models
from django.db.models import Model, QuerySet
from django.forms import BaseInlineFormSet
from django.http import HttpRequest, HttpResponse

from organizations.admin.widgets import Chooser, DayInput, MomentInput, TimeInput
from organizations.bounded import BoundedPaginator


class Inputs(admin.options.BaseModelAdmin):  # type: ignore[type-arg]
    """Forms with the browser's own inputs for moments, and rows of other tables found by typing."""

    formfield_overrides = {
        models.DateTimeField: {"form_class": forms.DateTimeField, "widget": MomentInput},
        models.DateField: {"widget": DayInput},
        models.TimeField: {"widget": TimeInput},
    }
    bounds: ClassVar[dict[str, tuple[int, int | None]]] = {}
    """The least and the most of a number, which an input says better than a constraint of the table."""

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Name the zone of moments, and leave out what would open other forms in windows of their own."""
        if db_field.name in self.bounds:
            kwargs["min_value"], kwargs["max_value"] = self.bounds[db_field.name]
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is not None:
            if isinstance(field.widget, RelatedFieldWidgetWrapper):
                field.widget = field.widget.widget
            if isinstance(db_field, models.DateTimeField):
                field.label = f"{field.label} (UTC)"
        return field

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Ask for rows of large tables by typing."""
        if db_field.name in self.get_autocomplete_fields(request):
            kwargs["widget"] = Chooser(db_field, self.admin_site, using=kwargs.get("using"))
        return super().formfield_for_foreignkey(db_field, request, **kwargs)


class OperatorAdmin(Inputs, admin.ModelAdmin):  # type: ignore[type-arg]
    """A model in the operator's admin: nothing is counted beside what is listed."""

    list_per_page = 50
    show_facets = admin.ShowFacets.NEVER
    show_full_result_count = False


class OrderedChangeList(ChangeList):
    """A list in the one order that its table has an index for."""

    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Any]) -> list[Any]:
        """Return the model admin's order, whatever the address asks for."""
        self.params.pop(ORDER_VAR, None)
        return list(super().get_ordering(request, queryset))


class ReadOnlyAdmin(OperatorAdmin):
    """Shows rows, and lets nobody change them; quick however many there are."""

    paginator = BoundedPaginator
    sortable_by: ClassVar[tuple[str, ...]] = ()
    latest: ClassVar[str] = ""
    """What of everybody is listed; see `organizations.admin.filters.OrganizationFilter`."""
    spans: ClassVar[tuple[timedelta, ...]] = (timedelta(days=7),)
    few: ClassVar[dict[str, str]] = {}
    """Lookups, with their values, that leave few of everybody's rows: all of these are listed."""

    @property
    def obeys(self) -> tuple[str, ...]:
        """The permissions that decide something here: the actions ask for the one to change."""
        return ("view", "change") if self.actions else ("view",)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        """Return the list that is never sorted anew."""
        return OrderedChangeList

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Lead to the history of those rows alone that an action here can add to."""
        context = {**(extra_context or {}), "has_history": bool(self.actions)}
        return super().change_view(request, object_id, form_url, context)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Rows come from the product's own work."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Rows are shown as they are."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Rows stay."""
        return False


class ReadOnlyInline(admin.TabularInline):  # type: ignore[type-arg]
    """Shows what belongs to a row, and lets nobody change it."""

    template = "admin/edit_inline/rows.html"
    can_delete = False
    extra = 0

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Rows come from the product's own work."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Rows are shown as they are."""
        return False


class LabelledFormSet(BaseInlineFormSet):  # type: ignore[type-arg]
    """Rows of a table whose inputs say themselves what they are, since its head labels none."""

    def add_fields(self, form: Any, index: int | None) -> None:
        """Name each input."""
        super().add_fields(form, index)
        for name, field in form.fields.items():
            label = "Delete" if name == "DELETE" else field.label
            field.widget.attrs["aria-label"] = str(label or name)
