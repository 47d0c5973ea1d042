"""Rows of rules, channels, events and deliveries."""

from alerts.models.channels import Channel, Disabled, Kind
from alerts.models.deliveries import Attempt, Delivery, DeliveryState, Notice, Outcome
from alerts.models.events import Event
from alerts.models.rules import Condition, LimitNotice, Rule, RuleChannel, RuleState, ScopeKind, Span
from alerts.models.severity import Severity

__all__ = [
    "Attempt",
    "Channel",
    "Condition",
    "Delivery",
    "DeliveryState",
    "Disabled",
    "Event",
    "Kind",
    "LimitNotice",
    "Notice",
    "Outcome",
    "Rule",
    "RuleChannel",
    "RuleState",
    "ScopeKind",
    "Severity",
    "Span",
]
