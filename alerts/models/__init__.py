"""Rows of rules, channels, events, deliveries and reports."""

from alerts.models.channels import Channel, Disabled, Kind
from alerts.models.deliveries import Attempt, Delivery, DeliveryState, Notice, Outcome
from alerts.models.events import Event
from alerts.models.reports import Cadence, Digest, MutedMember, Report, ReportRecipient
from alerts.models.rules import Condition, LimitNotice, Rule, RuleChannel, RuleState, ScopeKind, Span
from alerts.models.severity import Severity

__all__ = [
    "Attempt",
    "Cadence",
    "Channel",
    "Condition",
    "Delivery",
    "DeliveryState",
    "Digest",
    "Disabled",
    "Event",
    "Kind",
    "LimitNotice",
    "MutedMember",
    "Notice",
    "Outcome",
    "Report",
    "ReportRecipient",
    "Rule",
    "RuleChannel",
    "RuleState",
    "ScopeKind",
    "Severity",
    "Span",
]
