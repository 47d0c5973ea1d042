"""Rows of channels, events and deliveries."""

from alerts.models.channels import Channel, Disabled, Kind
from alerts.models.deliveries import Attempt, Delivery, DeliveryState, Notice, Outcome
from alerts.models.events import Event, Severity

__all__ = [
    "Attempt",
    "Channel",
    "Delivery",
    "DeliveryState",
    "Disabled",
    "Event",
    "Kind",
    "Notice",
    "Outcome",
    "Severity",
]
