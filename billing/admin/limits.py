"""The operator's view of spend limits: how they stand, what happened to them, and what is held."""

from django.contrib import admin

from billing.models import Decision, Reservation, SpendLimit
from organizations.admin import OrganizationFilter, ReadOnlyAdmin, register_events
from organizations.admin.filters import BY_NUMBER
from organizations.admin.showing import linked, listed, money, number

_LIMIT = money("limit_nanos", "limit")
_SPENT = money("spent_nanos", "spent")
_HELD = money("reserved_nanos", "held")
_SPENT_SHORT = money("spent_nanos", "spent", cents=True)
_HELD_SHORT = money("reserved_nanos", "held", cents=True)
_WARNS = listed("warn_at", "warns at", "%")
_WARNED = listed("warned", "warned at", "%")
_SHARE = number("threshold", "share", "%")


@admin.register(SpendLimit)
class SpendLimitAdmin(ReadOnlyAdmin):
    """Limits, as upkeep left them."""

    list_display = (
        "limited", linked("organization"), "state", _LIMIT, _SPENT_SHORT, _HELD_SHORT, "window_kind",
        "enforcement", "paused_at",
    )  # fmt: skip
    list_filter = (OrganizationFilter, "state", "enforcement", "window_kind")
    list_select_related = ("organization", "credential")
    search_fields = ("organization__slug__exact",)
    search_help_text = "An organization's slug."
    ordering = ("-id",)
    fieldsets = (
        (None, {"fields": ("organization", "credential", _LIMIT, "enforcement", _WARNS)}),
        ("State", {"fields": ("state", "paused_at", _SPENT, _HELD, _WARNED)}),
        ("Window", {"fields": ("window_kind", "window_start", "window_end", "created_at")}),
    )  # fmt: skip

    @admin.display(description="limit of")
    def limited(self, limit: SpendLimit) -> str:
        """Name the key that it limits, or say that it limits all of them."""
        return limit.credential.name if limit.credential else "the organization"


@admin.register(Decision)
class DecisionAdmin(ReadOnlyAdmin):
    """What happened to limits, newest first."""

    list_display = (
        "decided_at", linked("organization"), linked("credential", "key"), "kind",
        _SHARE, _SPENT_SHORT, _LIMIT,
    )  # fmt: skip
    list_filter = (OrganizationFilter, "kind")
    list_select_related = ("organization", "credential")
    search_fields = ("organization__slug__exact",)
    search_help_text = "An organization's slug."
    latest = BY_NUMBER
    ordering = ("-pk",)
    fieldsets = (
        (None, {"fields": ("organization", "credential", "kind", "decided_at", _SHARE)}),
        ("Then", {"fields": (_LIMIT, _SPENT, _HELD, "enforcement")}),
        ("Window", {"fields": ("window_kind", "window_start", "window_end")}),
    )  # fmt: skip


@admin.register(Reservation)
class ReservationAdmin(ReadOnlyAdmin):
    """What is held for calls, newest first."""

    list_display = (
        "created_at", linked("organization"), linked("credential", "key"), "state",
        money("amount_nanos", "amount"), money("settled_nanos", "settled"), "expires_at",
    )  # fmt: skip
    list_filter = (OrganizationFilter, "state")
    list_select_related = ("organization", "credential")
    search_fields = ("organization__slug__exact",)
    search_help_text = "An organization's slug."
    latest = "created_at"
    few = {"state__exact": "held"}
    ordering = ("-created_at", "-id")
    fieldsets = (
        (None, {"fields": ("id", "organization", "credential", "state")}),
        ("Amounts", {"fields": (money("amount_nanos", "amount"), money("settled_nanos", "settled"))}),
        ("Times", {"fields": ("created_at", "expires_at", "ended_at")}),
    )


register_events(SpendLimit)

# Django capitalizes the first letter only.
Reservation._meta.get_field("id").verbose_name = "ID"
