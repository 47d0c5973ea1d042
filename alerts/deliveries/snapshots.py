"""What is told, as it is when it is written: webhooks get it so, and everything else is made of it. Pure."""

from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from alerts.models import Channel, Disabled, Event, Notice
from core.moments import format_moment
from organizations.models import Organization

TYPES: Final = {Notice.FIRED: "alert.fired", Notice.RESOLVED: "alert.resolved"}
_BECAUSE: Final = {
    Disabled.GONE: "Its receiver answered 410 Gone.",
    Disabled.FAILING: "Deliveries to it failed for days.",
    Disabled.UNSUBSCRIBED: "Its recipient unsubscribed.",
}
_AFTER_UNSUBSCRIBED: Final = (
    "Tell them another way, or ask for a confirmation: with it, its receiver agrees to be told again."
)
_AFTER_DISABLED: Final = (
    "Pending deliveries were cancelled. Fix the receiver, send a test, and enable the channel again."
)


def of_event(event: Event, notice: Notice, organization: Organization) -> dict[str, Any]:
    """Return the message that tells of an event."""
    told_at = event.resolved_at if notice == Notice.RESOLVED and event.resolved_at else event.fired_at
    return _message(TYPES[notice], told_at, {**figures(event), "organization": _named(organization)})


def of_test(channel: Channel, organization: Organization, now: datetime) -> dict[str, Any]:
    """Return the message that tests a channel."""
    data = {
        "organization": _named(organization),
        "channel": _channel(channel),
        "severity": "info",
        "message": f"The channel {channel.name} works.",
        "recommendation": "No action needed: this is a test.",
    }
    return _message("alert.test", now, data)


def of_confirmation(channel: Channel, organization: Organization, now: datetime) -> dict[str, Any]:
    """Return the message that asks the owner of an address whether they want to be told."""
    data = {
        "organization": _named(organization),
        "channel": _channel(channel),
        "severity": "info",
        "message": f"{organization.name} wants to send its alerts and reports to this address.",
        "recommendation": "If you did not expect this, leave it: nothing else comes without your consent.",
    }
    return _message("channel.confirmation", now, data)


def of_disabled(channel: Channel, organization: Organization, now: datetime) -> dict[str, Any]:
    """Return the message that tells of a channel that was disabled."""
    because = _BECAUSE[Disabled(channel.disabled_because)]
    data = {
        "organization": _named(organization),
        "channel": _channel(channel),
        "severity": "warning",
        "message": f"{channel.name} no longer receives alerts. {because}",
        "recommendation": _AFTER_UNSUBSCRIBED
        if channel.disabled_because == Disabled.UNSUBSCRIBED
        else _AFTER_DISABLED,
    }
    return _message("channel.disabled", now, data)


def figures(event: Event) -> dict[str, Any]:
    """Return an event as the API and the webhooks show it."""
    period = None
    if event.period_start is not None and event.period_end is not None:
        period = {"from": format_moment(event.period_start), "to": format_moment(event.period_end)}
    return {
        "id": str(event.pk),
        "rule": None if event.rule_id is None else str(event.rule_id),
        "ruleName": event.rule_name,
        "severity": str(event.severity),
        "metric": event.metric,
        "scope": event.scope,
        "unit": event.unit,
        "threshold": amount(event.threshold),
        "value": amount(event.value),
        "period": period,
        "message": event.message,
        "recommendation": event.recommendation,
        "firedAt": format_moment(event.fired_at),
        "resolvedAt": None if event.resolved_at is None else format_moment(event.resolved_at),
    }


def amount(value: Decimal | None) -> str | None:
    """Return a figure as a plain decimal string without needless zeros."""
    if value is None:
        return None
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _message(kind: str, at: datetime, data: dict[str, Any]) -> dict[str, Any]:
    return {"type": kind, "timestamp": format_moment(at), "data": data}


def _named(organization: Organization) -> dict[str, str]:
    return {"slug": organization.slug, "name": organization.name, "timezone": organization.timezone}


def _channel(channel: Channel) -> dict[str, str]:
    return {"id": str(channel.pk), "kind": channel.kind, "name": channel.name}
