"""The operator's view of rules, channels, reports, events, deliveries: no address, no secret, no change."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from alerts.channels.services import change_channel
from alerts.deliveries.again import retry
from alerts.models import Attempt, Channel, Delivery, Event, Report, Rule, RuleState
from alerts.rules.words import metric_name
from core.problems import Problem
from organizations.admin import OrganizationFilter, ReadOnlyAdmin, ReadOnlyInline, register_events
from organizations.admin.showing import Shown, linked, listed, number, pairs
from organizations.confirming import confirmed

# Django only puts an s to a name.
Delivery._meta.verbose_name_plural = "deliveries"


_THRESHOLDS = listed("thresholds", "thresholds")


def _metric() -> Shown:
    @admin.display(description="metric")
    def shown(row: Rule | Event) -> str:
        """Name it as the portal does."""
        return metric_name(row.metric)

    shown.__name__ = "metric"
    return shown


_METRIC = _metric()


@admin.register(Rule)
class RuleAdmin(ReadOnlyAdmin):
    """What organizations want to be told of."""

    list_display = (
        "name", linked("organization"), _METRIC, "condition", "scope_kind", "window", "severity", "enabled",
    )  # fmt: skip
    list_filter = (OrganizationFilter, "condition", "severity", "enabled", "scope_kind")
    list_select_related = ("organization",)
    search_fields = ("organization__slug__exact", "name__istartswith")
    search_help_text = "An organization's slug, or the beginning of a name."
    ordering = ("organization_id", "created_at", "id")
    fieldsets = (
        (None, {"fields": ("name", "organization", "code", "enabled", "severity")}),
        ("Condition", {"fields": (_METRIC, "condition", _THRESHOLDS, "window", "least_requests")}),
        ("Scope", {"fields": ("scope_kind", "credential", "value")}),
        ("Repeating", {"fields": (number("hysteresis", "hysteresis", "%"), "quiet_minutes", "revision")}),
        ("Made", {"fields": ("created_by", "created_at", "updated_at")}),
    )


@admin.register(RuleState)
class RuleStateAdmin(ReadOnlyAdmin):
    """How far rules have come."""

    list_display = (
        "told_of", linked("organization"), linked("rule"), number("level", "level"),
        number("value", "value", places=2), "since", "quiet_until",
    )  # fmt: skip
    list_filter = (OrganizationFilter,)
    list_select_related = ("organization", "rule")
    search_fields = ("organization__slug__exact", "subject__exact")
    search_help_text = "An organization's slug, or a whole subject."
    ordering = ("-id",)
    fieldsets = (
        (None, {"fields": ("organization", "rule", "told_of", "revision", "period_start")}),
        ("State", {"fields": ("level", number("value", "value"), "since", "episode")}),
        ("Quiet", {"fields": ("quiet_until", "quiet_level")}),
    )

    @admin.display(description="subject")
    def told_of(self, state: RuleState) -> str:
        """Name the part that the rule looked at."""
        return state.subject or "the organization"


@admin.register(Channel)
class ChannelAdmin(ReadOnlyAdmin):
    """Where organizations are told."""

    list_display = (
        "name", linked("organization"), "kind", "shown", "enabled", "failing_since", "delivered_at",
    )  # fmt: skip
    list_filter = (OrganizationFilter, "kind", "enabled", "disabled_because")
    list_select_related = ("organization",)
    search_fields = ("organization__slug__exact", "name__istartswith")
    search_help_text = "An organization's slug, or the beginning of a name."
    ordering = ("organization_id", "created_at", "id")
    fieldsets = (
        (None, {"fields": ("name", "organization", "kind", "shown")}),
        (
            "State",
            {"fields": ("enabled", "disabled_at", "disabled_because", "failing_since", "delivered_at")},
        ),
        ("Made", {"fields": ("created_by", "created_at", "confirmed_at", "old_secret_until")}),
    )
    actions = ("disable",)

    @admin.action(description="Disable", permissions=["disable"])
    @confirmed(
        "These channels are told nothing any more, and what is pending for them is cancelled.",
        done="Disabled",
    )
    def disable(self, request: HttpRequest, queryset: QuerySet[Channel]) -> list[Channel]:
        """Disable those of the chosen that are enabled."""
        enabled = list(queryset.filter(enabled=True))
        for channel in enabled:
            change_channel(organization_id=channel.organization_id, channel_id=channel.pk, enabled=False)
        return enabled

    def has_disable_permission(self, request: HttpRequest) -> bool:
        """Only those who may change channels."""
        return request.user.has_perm("alerts.change_channel")


@admin.register(Report)
class ReportAdmin(ReadOnlyAdmin):
    """What is sent each week or month."""

    list_display = ("name", linked("organization"), "cadence", "hour", "enabled", "last_period_end")
    list_filter = (OrganizationFilter, "cadence", "enabled")
    list_select_related = ("organization",)
    search_fields = ("organization__slug__exact", "name__istartswith")
    search_help_text = "An organization's slug, or the beginning of a name."
    ordering = ("organization_id", "created_at", "id")
    fieldsets = (
        (None, {"fields": ("name", "organization", "cadence", "hour", "enabled")}),
        ("Sent", {"fields": ("starts_at", "last_period_end")}),
        ("Made", {"fields": ("created_by", "created_at")}),
    )


@admin.register(Event)
class AlertEventAdmin(ReadOnlyAdmin):
    """What fired."""

    list_display = ("fired_at", linked("organization"), "severity", _METRIC, "message", "resolved_at")
    list_filter = (OrganizationFilter, "severity", ("resolved_at", admin.EmptyFieldListFilter))
    list_select_related = ("organization",)
    search_fields = ("organization__slug__exact",)
    search_help_text = "An organization's slug."
    latest = "fired_at"
    ordering = ("-fired_at", "-id")
    fieldsets = (
        (None, {"fields": ("message", "organization", "severity", "fired_at", "resolved_at")}),
        ("Rule", {"fields": ("rule_name", "rule_revision", _METRIC, pairs("scope", "scope"))}),
        ("Figures", {"fields": (number("value", "value"), number("threshold", "threshold"), "unit")}),
        ("Period", {"fields": ("period_start", "period_end")}),
        ("Advice", {"fields": ("recommendation",)}),
    )


class AttemptInline(ReadOnlyInline):
    """What was tried; what receivers answered is their organization's to read."""

    model = Attempt
    fields = ("number", "started_at", "outcome", "status", number("duration_ms", "duration", " ms"), "error")
    readonly_fields = fields


@admin.register(Delivery)
class DeliveryAdmin(ReadOnlyAdmin):
    """What was told to whom."""

    list_display = (
        "created_at", linked("organization"), "notice", "told", "state",
        number("attempt_count", "attempts"), "due_at", "reason",
    )  # fmt: skip
    list_filter = (OrganizationFilter, "state", "notice", "channel_kind")
    list_select_related = ("organization",)
    search_fields = ("organization__slug__exact",)
    search_help_text = "An organization's slug."
    latest = "created_at"
    few = {"state__exact": "pending"}
    ordering = ("-created_at", "-id")
    fieldsets = (
        (None, {"fields": ("organization", "notice", linked("event"), "told", linked("channel"))}),
        ("State", {"fields": ("state", "reason", "attempt_count", "due_at", "leased_until")}),
        ("Times", {"fields": ("created_at", "finished_at")}),
    )
    inlines = (AttemptInline,)
    actions = ("retry",)

    @admin.display(description="to")
    def told(self, delivery: Delivery) -> str:
        """Name who is told."""
        return f"{delivery.channel_name or delivery.recipient} ({delivery.get_channel_kind_display()})"

    @admin.action(description="Try again", permissions=["retry"])
    @confirmed(
        "What was given up is told again, at once; what was tried before stays in the log.",
        done="To be tried again",
    )
    def retry(self, request: HttpRequest, queryset: QuerySet[Delivery]) -> list[Delivery]:
        """Try those of the chosen again that were given up."""
        tried = []
        for delivery in queryset:
            try:
                retry(organization_id=delivery.organization_id, delivery_id=delivery.pk)
            except Problem as problem:
                self.message_user(request, f"{delivery}: {problem.detail}", messages.WARNING)
            else:
                tried.append(delivery)
        return tried

    def has_retry_permission(self, request: HttpRequest) -> bool:
        """Only those who may change deliveries."""
        return request.user.has_perm("alerts.change_delivery")


register_events(Channel, Report, Rule)
