"""A snapshot in words, for people. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from alerts.figures import figure
from alerts.senders import reports
from core.periods import zone

_TITLES: Final = {
    "alert.resolved": "Resolved: {message}",
    "alert.test": "Test: {message}",
    "channel.disabled": "Channel disabled: {message}",
    "channel.confirmation": "Please confirm: {message}",
}


@dataclass(frozen=True, slots=True)
class Words:
    """What a notification says: a title, the message, facts as name and value, what to do."""

    organization: str
    title: str
    message: str
    facts: tuple[tuple[str, str], ...]
    recommendation: str
    tone: str

    @property
    def text(self) -> str:
        """Everything but the title, as plain text."""
        facts = "\n".join(f"{name}: {value}" for name, value in self.facts)
        return "\n\n".join(part for part in (self.message, facts, self.recommendation) if part)


def words(payload: Mapping[str, Any]) -> Words:
    """Return what a snapshot says."""
    if payload["type"] in reports.TYPES:
        return _of_report(reports.told(payload))
    data = payload["data"]
    severity = data.get("severity", "info")
    title = _TITLES.get(payload["type"], f"{severity.title()}: {{message}}")
    return Words(
        organization=data["organization"]["name"],
        title=_on_one_line(title.format(message=data["message"])),
        message=data["message"],
        facts=tuple(_facts(data)),
        recommendation=data.get("recommendation", ""),
        tone="resolved" if payload["type"] == "alert.resolved" else severity,
    )


def _of_report(told: reports.Told) -> Words:
    return Words(
        organization=told.organization,
        title=_on_one_line(told.title),
        message=told.message,
        facts=tuple(reports.facts(told)),
        recommendation="",
        tone="info",
    )


def _facts(data: Mapping[str, Any]) -> list[tuple[str, str]]:
    named = data["organization"]["timezone"]
    unit = data.get("unit", "")
    facts = [
        ("Organization", data["organization"]["name"]),
        ("Applies to", _scope(data.get("scope"))),
        ("Value", _amount(data.get("value"), unit)),
        ("Threshold", _amount(data.get("threshold"), unit)),
        ("Period", _period(data.get("period"), named)),
        ("Fired", _moment(data.get("firedAt"), named)),
        ("Resolved", _moment(data.get("resolvedAt"), named)),
    ]
    return [(name, value) for name, value in facts if value]


def _scope(scope: Mapping[str, Any] | None) -> str:
    if not scope or scope.get("kind", "organization") == "organization":
        return ""
    return f"{scope['kind']} {scope.get('value', '')}".strip()


def _amount(value: str | None, unit: str) -> str:
    return "" if value is None else figure(Decimal(value), unit)


def _period(period: Mapping[str, str] | None, named: str) -> str:
    return "" if period is None else f"{_moment(period['from'], named)} – {_moment(period['to'], named)}"


def _moment(moment: str | None, named: str) -> str:
    if not moment:
        return ""
    local = datetime.fromisoformat(moment).astimezone(zone(named))
    return f"{local.day} {local:%b %Y, %H:%M %Z}"


def _on_one_line(text: str) -> str:
    return " ".join(text.split())
