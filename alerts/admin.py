"""The operator's view of channels, events and deliveries: never an address, a secret, or a change."""

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest

from alerts.models import Attempt, Channel, Delivery, Event
from organizations.admin import EventAdmin, ReadOnlyAdmin


@admin.register(Channel)
class ChannelAdmin(ReadOnlyAdmin):
    """Where organizations are told."""

    list_display = ("organization", "kind", "name", "shown", "enabled", "failing_since", "delivered_at")
    list_filter = ("kind", "enabled", "disabled_because")
    list_select_related = ("organization",)
    search_fields = ("organization__slug", "name")
    exclude = ("target", "secret", "old_secret")


@admin.register(Event)
class AlertEventAdmin(ReadOnlyAdmin):
    """What fired."""

    list_display = ("fired_at", "organization", "severity", "metric", "message", "resolved_at")
    list_filter = ("severity", "metric", ("resolved_at", admin.EmptyFieldListFilter))
    list_select_related = ("organization",)
    search_fields = ("organization__slug", "message")
    ordering = ("-fired_at",)
    show_full_result_count = False


class AttemptInline(admin.TabularInline):  # type: ignore[type-arg]
    """What was tried; what receivers answered is their organization's to read."""

    model = Attempt
    fields = ("number", "started_at", "outcome", "status", "duration_ms", "error")
    can_delete = False
    extra = 0

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Attempts are made by workers."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """An attempt stays."""
        return False


@admin.register(Delivery)
class DeliveryAdmin(ReadOnlyAdmin):
    """What was told to whom."""

    list_display = (
        "created_at",
        "organization",
        "notice",
        "channel_kind",
        "channel_name",
        "state",
        "attempt_count",
        "due_at",
        "reason",
    )
    list_filter = ("state", "notice", "channel_kind")
    list_select_related = ("organization",)
    search_fields = ("organization__slug", "channel_name")
    ordering = ("-created_at",)
    show_full_result_count = False
    inlines = (AttemptInline,)


admin.site.register(Channel.pgh_event_model, EventAdmin)  # type: ignore[attr-defined]
