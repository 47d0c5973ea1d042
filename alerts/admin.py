"""The operator's view of rules, channels, reports, events, deliveries: no address, no secret, no change."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from alerts.channels.services import change_channel
from alerts.deliveries.again import retry
from alerts.models import Attempt, Channel, Delivery, Event, Report, Rule, RuleState
from core.problems import Problem
from organizations.admin import EventAdmin, ReadOnlyAdmin, ReadOnlyInline
from organizations.confirming import confirmed

# Django only puts an s to a name.
Delivery._meta.verbose_name_plural = "deliveries"


@admin.register(Rule)
class RuleAdmin(ReadOnlyAdmin):
    """What organizations want to be told of."""

    list_display = (
        "organization",
        "name",
        "metric",
        "condition",
        "scope_kind",
        "window",
        "severity",
        "enabled",
        "revision",
    )
    list_filter = ("condition", "enabled", "code", "scope_kind")
    list_select_related = ("organization",)
    search_fields = ("organization__slug", "name", "metric")
    ordering = ("organization", "created_at", "pk")
    show_full_result_count = False


@admin.register(RuleState)
class RuleStateAdmin(ReadOnlyAdmin):
    """How far rules have come."""

    list_display = ("organization", "rule", "subject", "level", "value", "since", "quiet_until")
    list_filter = ("level",)
    list_select_related = ("organization", "rule")
    search_fields = ("organization__slug", "subject")
    ordering = ("-since",)
    show_full_result_count = False


@admin.register(Channel)
class ChannelAdmin(ReadOnlyAdmin):
    """Where organizations are told."""

    list_display = ("organization", "kind", "name", "shown", "enabled", "failing_since", "delivered_at")
    list_filter = ("kind", "enabled", "disabled_because")
    list_select_related = ("organization",)
    search_fields = ("organization__slug__exact", "name__istartswith")
    exclude = ("target", "secret", "old_secret")
    actions = ("disable",)

    @admin.action(description="Disable", permissions=["disable"])
    @confirmed("These channels are told nothing any more, and what is pending for them is cancelled.")
    def disable(self, request: HttpRequest, queryset: QuerySet[Channel]) -> None:
        """Disable those of the chosen that are enabled."""
        enabled = list(queryset.filter(enabled=True))
        for channel in enabled:
            change_channel(organization_id=channel.organization_id, channel_id=channel.pk, enabled=False)
        self.message_user(request, f"Disabled: {len(enabled)}.", messages.SUCCESS)

    def has_disable_permission(self, request: HttpRequest) -> bool:
        """Only those who may change channels."""
        return request.user.has_perm("alerts.change_channel")


@admin.register(Report)
class ReportAdmin(ReadOnlyAdmin):
    """What is sent each week or month."""

    list_display = ("organization", "name", "cadence", "hour", "enabled", "last_period_end")
    list_filter = ("cadence", "enabled")
    list_select_related = ("organization",)
    search_fields = ("organization__slug__exact", "name__istartswith")


@admin.register(Event)
class AlertEventAdmin(ReadOnlyAdmin):
    """What fired."""

    list_display = ("fired_at", "organization", "severity", "metric", "message", "resolved_at")
    list_filter = ("severity", "metric", ("resolved_at", admin.EmptyFieldListFilter))
    list_select_related = ("organization",)
    search_fields = ("organization__slug__exact",)
    ordering = ("-fired_at",)


class AttemptInline(ReadOnlyInline):
    """What was tried; what receivers answered is their organization's to read."""

    model = Attempt
    fields = ("number", "started_at", "outcome", "status", "duration_ms", "error")


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
    search_fields = ("organization__slug__exact",)
    ordering = ("-created_at",)
    inlines = (AttemptInline,)
    actions = ("retry",)

    @admin.action(description="Try again", permissions=["retry"])
    @confirmed("What was given up is told again, at once; what was tried before stays in the log.")
    def retry(self, request: HttpRequest, queryset: QuerySet[Delivery]) -> None:
        """Try those of the chosen again that were given up."""
        tried = 0
        for delivery in queryset:
            try:
                retry(organization_id=delivery.organization_id, delivery_id=delivery.pk)
            except Problem as problem:
                self.message_user(request, f"{delivery}: {problem.detail}", messages.WARNING)
            else:
                tried += 1
        self.message_user(request, f"To be tried again: {tried}.", messages.SUCCESS)

    def has_retry_permission(self, request: HttpRequest) -> bool:
        """Only those who may change deliveries."""
        return request.user.has_perm("alerts.change_delivery")


admin.site.register(Channel.pgh_event_model, EventAdmin)  # type: ignore[attr-defined]
admin.site.register(Report.pgh_event_model, EventAdmin)  # type: ignore[attr-defined]
admin.site.register(Rule.pgh_event_model, EventAdmin)  # type: ignore[attr-defined]
