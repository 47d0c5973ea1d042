"""The demo's alerts: its past looked at as it would have been, what was told then, and whom."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any, Final
from uuid import UUID

from alerts.channels.services import change_channel, create_channel
from alerts.deliveries.record import record
from alerts.models import Attempt, Channel, Delivery, DeliveryState, Event, Kind, Report, Severity
from alerts.reports.schedule import last_due
from alerts.reports.services import create_report
from alerts.reports.writing import Waiting, write
from alerts.rules.evaluate import evaluate, evaluate_hourly
from alerts.senders import Job, Result
from core import clock
from core.periods import zone
from organizations.tenancy import tenant_scope
from usage.demo.load import Demo, acting, owner_of

_SEED: Final = 20_260_116
_HOUR: Final = timedelta(hours=1)
_USUALLY: Final = 5 * _HOUR
_CLOSELY: Final = timedelta(minutes=12)
_LOOKED_BACK: Final = timedelta(days=24)
_HOOK: Final = "https://hooks.acme.example/headroom"
_HOOKED_FOR: Final = timedelta(days=17)
_REPORTED_AT: Final = 8
_CADENCE: Final = "weekly"
_BUSY_FOR: Final = 2
"""Attempts in which the webhook's receiver answers 503, while it is told of the first critical event."""


@dataclass(frozen=True, slots=True)
class Told:
    """Where the demo's organization is told: until when its webhook is, and what is scheduled."""

    webhook: UUID
    ends_at: datetime
    report: UUID


def begin(demo: Demo) -> Told | None:
    """Make the channels and the report of weeks ago; None when that was done before, or nobody is there."""
    organization_id, owner = demo.organization.pk, owner_of(demo.organization)
    start = _start(demo)
    if owner is None:
        return None
    with clock.standing_at(start), tenant_scope(organization_id, actor=acting(owner)):
        if Channel.objects.filter(organization_id=organization_id).exists():
            return None
        made: dict[str, Any] = {"organization_id": organization_id, "created_by_id": owner.pk}
        create_channel(kind=Kind.EMAIL, name="Operations", address=owner.email, **made)
        hook = create_channel(kind=Kind.WEBHOOK, name="On-call webhook", url=_HOOK, **made)
        report = create_report(
            name="Weekly usage", cadence=_CADENCE, hour=_REPORTED_AT, members=[owner.email], **made
        )
    return Told(hook.channel.pk, start + _HOOKED_FOR, report.pk)


def moments(demo: Demo) -> Iterator[datetime]:
    """Yield when the rules are looked at: some times a day, and closely during the incident."""
    calendar, random = demo.calendar, Random(_SEED)
    moment = _start(demo)
    while moment < calendar.now:
        yield moment
        near = calendar.incident.start - _USUALLY <= moment < calendar.incident.end + 2 * _HOUR
        moment += (_CLOSELY if near else _USUALLY) * random.uniform(0.5, 1.4)


def look(demo: Demo, moment: datetime, told: Told | None) -> None:
    """Look at the rules as it would have been at a moment, and tell what they say."""
    organization_id = demo.organization.pk
    with _quietly(), clock.standing_at(moment):
        evaluate(moment, organizations=[organization_id])
        evaluate_hourly(moment, organizations=[organization_id])
        if told is not None:
            _report(demo, told.report)
            _end_webhook(demo, told)
    _send(organization_id, moment)


def latest(demo: Demo) -> datetime | None:
    """Return when something was told last; until then the past was looked at, should that be interrupted."""
    with tenant_scope(demo.organization.pk):
        found = Event.objects.filter(organization_id=demo.organization.pk).order_by("-fired_at")
        return found.values_list("fired_at", flat=True).first()


def _start(demo: Demo) -> datetime:
    return max(demo.calendar.start, demo.calendar.now - _LOOKED_BACK)


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


def _report(demo: Demo, report_id: UUID) -> None:
    """Write the report that is due by now, once."""
    organization_id, now = demo.organization.pk, clock.now()
    due = last_due(_CADENCE, _REPORTED_AT, zone(demo.organization.timezone), now)
    with tenant_scope(organization_id):
        found = Report.objects.filter(organization_id=organization_id, pk=report_id).first()
    is_written = found is None or found.last_period_end == due.end_day
    if found is not None and not is_written and due.at >= found.starts_at:
        write(Waiting(report_id, organization_id, due))


def _end_webhook(demo: Demo, told: Told) -> None:
    """Have the webhook switched off when its time has come, since what is told now would go nowhere."""
    organization_id, owner = demo.organization.pk, owner_of(demo.organization)
    with tenant_scope(organization_id, actor=acting(owner)):
        is_on = Channel.objects.filter(pk=told.webhook, enabled=True).exists()
        if is_on and clock.now() >= told.ends_at:
            change_channel(organization_id=organization_id, channel_id=told.webhook, enabled=False)


def _send(organization_id: int, moment: datetime) -> None:
    """Attempt what is to be told, each when it is due, with the answers of receivers that are made up."""
    while True:
        with tenant_scope(organization_id):
            pending = Delivery.objects.filter(organization_id=organization_id, state=DeliveryState.PENDING)
            found = pending.select_related("event", "channel").order_by("due_at", "pk").first()
        if found is None:
            return
        with clock.standing_at(max(moment, found.due_at or moment)):
            _attempt(found)


def _attempt(delivery: Delivery) -> None:
    number, now = delivery.attempt_count + 1, clock.now()
    random = Random(f"{_SEED} {delivery.created_at} {delivery.channel_kind} {number}")
    with tenant_scope(delivery.organization_id):
        Delivery.objects.filter(pk=delivery.pk).update(attempt_count=number)
        Attempt.objects.create(
            organization_id=delivery.organization_id, delivery=delivery, number=number, started_at=now
        )
        result = _answer(delivery, number)
    job = Job(
        delivery_id=delivery.pk,
        organization_id=delivery.organization_id,
        number=number,
        notice=delivery.notice,
        kind=delivery.channel_kind,
        channel_id=delivery.channel_id,
        subscription=delivery.subscription,
        target="",
        secrets=(),
        payload=delivery.payload,
        chart=None,
        at=now,
    )
    record(job, result, duration_ms=round(random.lognormvariate(5.6, 0.5)))


def _answer(delivery: Delivery, number: int) -> Result:
    """Return what a receiver answered: the webhook's is too busy at first, while the incident is on."""
    if delivery.channel_kind != Kind.WEBHOOK:
        return Result(delivered=True, status=250)
    if number > _BUSY_FOR or not _is_first_critical(delivery):
        return Result(delivered=True, status=200, response='{"ok":true}')
    error = "The receiver answered 503."
    return Result(delivered=False, status=503, response="Service Unavailable", error=error)


def _is_first_critical(delivery: Delivery) -> bool:
    if delivery.event is None or delivery.event.severity != Severity.CRITICAL:
        return False
    before = Delivery.objects.filter(
        channel=delivery.channel,
        event__severity=Severity.CRITICAL,
        created_at__lt=delivery.created_at,
    )
    return not before.exists()
