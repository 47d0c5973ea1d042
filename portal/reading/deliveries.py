"""What the pages of alerts show of deliveries: what was told to whom, with every attempt."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from alerts.deliveries import queries
from alerts.deliveries.again import GIVEN_UP
from alerts.deliveries.queries import DeliveryQuery
from alerts.models import Attempt, Delivery, DeliveryState, Kind, Notice, Outcome
from core.paging import Position
from core.periods import zone
from organizations.tenancy import Caller
from portal import numbers, times

PAGE: Final = 25
TONES: Final = {
    DeliveryState.PENDING.value: "warn",
    DeliveryState.DELIVERED.value: "good",
    DeliveryState.FAILED.value: "bad",
    DeliveryState.CANCELLED.value: "",
}
_WHAT: Final = {
    Notice.FIRED: "Alert fired",
    Notice.RESOLVED: "Alert resolved",
    Notice.TEST: "Test",
    Notice.CHANNEL_DISABLED: "Channel disabled",
    Notice.REPORT: "Report",
    Notice.CONFIRMATION: "Address confirmation",
}
"""What a delivery tells of."""
_OUTCOMES: Final = {
    Outcome.UNDER_WAY.value: "warn",
    Outcome.DELIVERED.value: "good",
    Outcome.FAILED.value: "bad",
    Outcome.LOST.value: "warn",
}

To = Callable[..., str]


@dataclass(frozen=True, slots=True)
class Tried:
    """One attempt: when, what came of it, and what was answered."""

    number: int
    at: str
    outcome: str
    tone: str
    status: str
    took: str
    said: str


@dataclass(frozen=True, slots=True)
class Sent:
    """One delivery, and how it stands; ``url`` leads to it, ``event`` to what it tells of.

    ``again`` is where what was given up is sent once more.
    """

    id: str
    what: str
    message: str
    to: str
    kind: str
    state: str
    tone: str
    is_pending: bool
    written: str
    next: str
    reason: str
    url: str
    event: str
    channel: str
    again: str
    attempts: list[Tried]


@dataclass(frozen=True, slots=True)
class Log:
    """A page of deliveries; ``after`` is where the next one begins."""

    deliveries: list[Sent]
    after: Position | None


def read(caller: Caller, query: DeliveryQuery, to: To) -> Log:
    """Return a page of the log.

    Tenancy: call in the tenant's scope.
    """
    found = queries.deliveries(caller.organization_id, query)
    shown = found[:PAGE]
    return Log(
        [sent(one, caller, to) for one in shown],
        (shown[-1].created_at, shown[-1].pk) if len(found) > PAGE else None,
    )


def sent(found: Delivery, caller: Caller, to: To) -> Sent:
    """Return a delivery as pages show it; its attempts are at hand."""
    tz = zone(caller.timezone)
    return Sent(
        id=str(found.pk),
        what=_WHAT[Notice(found.notice)],
        message=str(found.payload.get("data", {}).get("message", "")),
        to=found.channel_name or found.recipient,
        kind=str(Kind(found.channel_kind).label),
        state=str(DeliveryState(found.state).label),
        tone=TONES[found.state],
        is_pending=found.state == DeliveryState.PENDING,
        written=times.second(found.created_at, tz),
        next="" if found.due_at is None else times.second(found.due_at, tz),
        reason=found.reason,
        url=to("delivery", str(found.pk)),
        event="" if found.event_id is None else to("alert", str(found.event_id)),
        channel="" if found.channel_id is None else to("channel", str(found.channel_id)),
        again=to("delivery-again", str(found.pk)) if found.state in GIVEN_UP else "",
        attempts=[_tried(one, caller) for one in found.attempts.all()],
    )


def _tried(one: Attempt, caller: Caller) -> Tried:
    return Tried(
        number=one.number,
        at=times.second(one.started_at, zone(caller.timezone)),
        outcome=str(Outcome(one.outcome).label),
        tone=_OUTCOMES[one.outcome],
        status="" if one.status is None else str(one.status),
        took="" if one.duration_ms is None else f"{numbers.exact(one.duration_ms)} ms",
        said=one.error or one.response,
    )
