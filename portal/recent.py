"""The newest alerts, for the Overview."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from alerts.events.queries import EventQuery, events
from alerts.models import Event, Severity
from core.periods import zone
from organizations.tenancy import Caller
from portal import times

SHOWN: Final = 5
TONES: Final = {Severity.INFO.value: "", Severity.WARNING.value: "warn", Severity.CRITICAL.value: "bad"}

To = Callable[..., str]


@dataclass(frozen=True, slots=True)
class Notice:
    """One alert in short: ``state`` says since when it is over, or that it holds."""

    message: str
    url: str
    severity: str
    tone: str
    fired: str
    exact: str
    state: str
    is_open: bool


@dataclass(frozen=True, slots=True)
class Recent:
    """The newest alerts, and where all of them are."""

    notices: list[Notice]
    url: str


def read(caller: Caller, to: To) -> Recent:
    """Return the newest alerts.

    Tenancy: call in the tenant's scope.
    """
    found = events(caller.organization_id, EventQuery(take=SHOWN))
    return Recent([notice(event, caller, to) for event in found], to("alerts"))


def notice(event: Event, caller: Caller, to: To) -> Notice:
    """Return an event in short."""
    tz = zone(caller.timezone)
    over = event.resolved_at
    return Notice(
        message=event.message,
        url=to("alert", str(event.pk)),
        severity=str(Severity(event.severity).label),
        tone=TONES[event.severity],
        fired=times.minute(event.fired_at, tz),
        exact=event.fired_at.isoformat(),
        state="Open" if over is None else f"Resolved {times.minute(over, tz)}",
        is_open=over is None,
    )
