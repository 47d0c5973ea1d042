"""The operator's view of spend limits: how they stand, what happened to them, and what is held."""

from django.contrib import admin

from billing.models import Decision, Reservation, SpendLimit
from organizations.admin import EventAdmin, ReadOnlyAdmin


@admin.register(SpendLimit)
class SpendLimitAdmin(ReadOnlyAdmin):
    """Limits, as upkeep left them."""

    list_display = (
        "organization", "credential", "state", "limit_nanos", "spent_nanos", "reserved_nanos", "window_kind",
        "enforcement", "paused_at",
    )  # fmt: skip
    list_filter = ("state", "enforcement", "window_kind")
    list_select_related = ("organization", "credential")
    search_fields = ("organization__slug__exact",)


@admin.register(Decision)
class DecisionAdmin(ReadOnlyAdmin):
    """What happened to limits, newest first."""

    list_display = (
        "decided_at",
        "organization",
        "credential",
        "kind",
        "threshold",
        "spent_nanos",
        "limit_nanos",
    )
    list_filter = ("kind",)
    list_select_related = ("organization", "credential")
    search_fields = ("organization__slug__exact",)
    ordering = ("-pk",)


@admin.register(Reservation)
class ReservationAdmin(ReadOnlyAdmin):
    """What is held for calls, newest first."""

    list_display = (
        "created_at", "organization", "credential", "state", "amount_nanos", "settled_nanos", "expires_at",
    )  # fmt: skip
    list_filter = ("state",)
    list_select_related = ("organization", "credential")
    search_fields = ("organization__slug__exact",)
    ordering = ("-created_at", "-id")


admin.site.register(SpendLimit.pgh_event_model, EventAdmin)  # type: ignore[attr-defined]
