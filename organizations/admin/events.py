"""The operator's view of the audit trail: what each row became, when, and by whom."""

from __future__ import annotations

from typing import Any, Final

from django.contrib import admin
from django.db.models import BigIntegerField, DecimalField, Field, IntegerField, OuterRef, QuerySet, Subquery
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast
from django.http import HttpRequest

from organizations.admin.bases import ReadOnlyAdmin
from organizations.admin.filters import BY_NUMBER, OrganizationFilter
from organizations.admin.showing import linked, moment, money, number
from organizations.models import ACTIONS, User

_NANOS: Final = "_nanos"


class ActionFilter(admin.SimpleListFilter):
    """What was done to the rows."""

    title = "action"
    parameter_name = "action"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Return what can be done."""
        return list(ACTIONS.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Return the events of the action that is chosen."""
        value = self.value()
        return queryset.filter(pgh_label=value) if value else queryset


class EventAdmin(ReadOnlyAdmin):
    """The audit trail of one kind of row."""

    list_display = ("moment", "action", "subject", "actor")
    list_display_links = ("moment",)
    ordering = ("-pgh_id",)
    latest = BY_NUMBER

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return the events, each with the address of the person who made the change."""
        person = Cast(KeyTextTransform("userId", OuterRef("pgh_context")), BigIntegerField())
        address = User.objects.filter(pk=person).values("email")[:1]
        found: QuerySet[Any] = super().get_queryset(request).annotate(person=Subquery(address))
        return found.select_related("organization") if self._of_organizations else found

    def get_list_filter(self, request: HttpRequest) -> list[Any]:
        """Offer organizations where the rows are theirs."""
        return [OrganizationFilter, ActionFilter] if self._of_organizations else [ActionFilter]

    def get_list_display(self, request: HttpRequest) -> tuple[str, ...]:
        """Say whose row it is, where it is somebody's."""
        return (*self.list_display, *(("organization",) if self._of_organizations else ()))

    def get_fieldsets(self, request: HttpRequest, obj: Any | None = None) -> Any:
        """Show what happened, and what the row then was."""
        fields = [field for field in self.opts.concrete_fields if not field.name.startswith("pgh_")]
        shown = [_shown(field) for field in fields]
        happened = {"fields": ("moment", "action", "actor", linked("pgh_obj", "row"))}
        return [(None, happened), ("The row after this", {"fields": shown})]

    @property
    def _of_organizations(self) -> bool:
        return any(field.name == "organization" for field in self.opts.concrete_fields)

    @admin.display(description="when")
    def moment(self, event: Any) -> str:
        """Return when it was."""
        return moment(event.pgh_created_at)

    @admin.display(description="action")
    def action(self, event: Any) -> str:
        """Say what was done."""
        return ACTIONS.get(event.pgh_label, str(event.pgh_label))

    @admin.display(description="row")
    def subject(self, event: Any) -> str:
        """Say to what, as it was called then."""
        tracked: Any = type(event).pgh_tracked_model
        names = {field.attname for field in self.opts.concrete_fields}
        fields = [field for field in tracked._meta.concrete_fields if field.attname in names]
        return str(tracked(**{field.attname: getattr(event, field.attname) for field in fields}))

    @admin.display(description="by")
    def actor(self, event: Any) -> str:
        """Say who made the change."""
        context = event.pgh_context or {}
        kind = context.get("kind", "system")
        named = event.person or context.get("clientId") or context.get("job") or context.get("userId")
        return str(named) if event.person else " ".join(str(part) for part in (kind, named) if part)


def register_events(*models: Any) -> None:
    """Show the audit trails of these models."""
    for model in models:
        events = model.pgh_event_model
        events._meta.verbose_name = f"{model._meta.verbose_name} change"
        events._meta.verbose_name_plural = f"{model._meta.verbose_name} changes"
        # Django capitalizes the first letter only.
        events._meta.get_field("id").verbose_name = "ID"
        admin.site.register(events, EventAdmin)


def _shown(field: Field[Any, Any]) -> Any:
    if field.name.endswith(_NANOS):
        return money(field.name, field.name.removesuffix(_NANOS).replace("_", " "))
    if isinstance(field, IntegerField | DecimalField) and field.name != "id":
        return number(field.name, str(field.verbose_name))
    return field.name
