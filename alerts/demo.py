"""The demo's alerts: its past looked at as it would have been, and what was told then."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Final

from alerts.channels.services import create_channel
from alerts.models import Attempt, Channel, Delivery, DeliveryState, Event, Kind, Outcome
from alerts.rules.evaluate import evaluate, evaluate_hourly
from core import clock
from organizations.models import Membership
from organizations.tenancy import tenant_scope
from usage.demo.load import Demo

_HOUR: Final = timedelta(hours=1)
_USUALLY: Final = 6 * _HOUR
_CLOSELY: Final = timedelta(minutes=20)
_LOOKED_BACK: Final = timedelta(days=24)
_SENT_MS: Final = 412
_SMTP_OK: Final = 250


def live_through(demo: Demo) -> None:
    """Look at the rules from weeks ago until now, closely during the incident; nothing when that was done."""
    organization_id = demo.organization.pk
    with tenant_scope(organization_id):
        if Event.objects.filter(organization_id=organization_id).exists():
            return
        _tell_the_owner(organization_id)
    with _quietly():
        for moment in _moments(demo):
            _look(organization_id, moment)


def look_now(demo: Demo) -> None:
    """Look at the rules at the demo's present, whose limits have been set."""
    with _quietly():
        _look(demo.organization.pk, demo.calendar.now)


@contextmanager
def _quietly() -> Iterator[None]:
    """Say nothing of what was found weeks ago."""
    evaluating = logging.getLogger("alerts.rules.evaluate")
    level = evaluating.level
    evaluating.setLevel(logging.WARNING)
    try:
        yield
    finally:
        evaluating.setLevel(level)


def _moments(demo: Demo) -> Iterator[datetime]:
    calendar = demo.calendar
    moment = max(calendar.start, calendar.now - _LOOKED_BACK)
    while moment < calendar.now:
        yield moment
        near = calendar.incident.start - _USUALLY <= moment < calendar.incident.end + 2 * _HOUR
        moment += _CLOSELY if near else _USUALLY


def _look(organization_id: int, moment: datetime) -> None:
    with clock.standing_at(moment):
        evaluate(moment, organizations=[organization_id])
        evaluate_hourly(moment, organizations=[organization_id])
        _note_sent(organization_id)


def _tell_the_owner(organization_id: int) -> None:
    owner = Membership.objects.filter(organization_id=organization_id).select_related("user").first()
    if owner is None or Channel.objects.filter(organization_id=organization_id).exists():
        return
    create_channel(
        organization_id=organization_id, kind=Kind.EMAIL, name="Operations", address=owner.user.email
    )


def _note_sent(organization_id: int) -> None:
    """Count what is to be told as told at once: nobody is waiting for mail about what is made up."""
    now = clock.now()
    with tenant_scope(organization_id):
        pending = Delivery.objects.filter(organization_id=organization_id, state=DeliveryState.PENDING)
        keys = list(pending.values_list("pk", flat=True))
        Attempt.objects.bulk_create(
            Attempt(
                organization_id=organization_id,
                delivery_id=key,
                number=1,
                started_at=now,
                outcome=Outcome.DELIVERED,
                status=_SMTP_OK,
                duration_ms=_SENT_MS,
            )
            for key in keys
        )
        pending.filter(pk__in=keys).update(
            state=DeliveryState.DELIVERED, attempt_count=1, due_at=None, leased_until=None, finished_at=now
        )
