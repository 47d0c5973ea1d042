"""Writing what is due: the digest of a period and its deliveries, in one transaction, once."""

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import structlog
from django.db import IntegrityError, OperationalError

from alerts.deliveries import writing as deliveries
from alerts.models import Delivery, Digest, Notice, Report, ReportRecipient
from alerts.reports.figures import figures
from alerts.reports.recipients import active
from alerts.reports.schedule import Due, last_due
from alerts.reports.snapshots import for_member, of_report
from core import clock
from core.periods import zone
from core.workers import tell
from organizations import queries as organizations
from organizations.tenancy import Actor, system_scope, tenant_scope

TASK: Final = "alerts.tasks.write_reports"
TURN_SECONDS: Final = 20.0
"""After so long a worker begins no other report: it has other tasks, and another worker may go on."""
_ACTOR: Final = Actor(kind="system", job="write reports")
_SERIALIZATION: Final = "40001"

log: Final = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A report that is due."""

    report_id: UUID
    organization_id: int
    due: Due


def write_due() -> int:
    """Write the reports that are due, and return how many those were.

    Of periods that were missed only the last is made up for.
    Concurrency: any number of workers may do so at once; each report is written by one of them.
    """
    until, written = time.monotonic() + TURN_SECONDS, 0
    for waiting in list(_waiting(clock.now())):
        if time.monotonic() >= until:
            tell(TASK, expires=TURN_SECONDS)
            break
        written += _is_written(waiting)
    return written


def write(waiting: Waiting) -> bool:
    """Write one report of one period; False when that was done already, or is no longer to be done.

    Concurrency: who comes second passes it over while the first is at it, and finds it done afterwards.
    """
    with tenant_scope(waiting.organization_id, actor=_ACTOR, snapshot=True):
        now, due = clock.now(), waiting.due
        held = Report.objects.select_for_update(skip_locked=True, no_key=True).filter(
            pk=waiting.report_id, enabled=True, cadence=due.cadence
        )
        report = held.first()
        same = Digest.objects.filter(
            report_id=waiting.report_id, cadence=due.cadence, first_day=due.first_day
        )
        if report is None or same.exists():
            return False
        recipients = list(active(report))
        if recipients:
            _write(report, due, recipients, now)
        report.last_period_end = due.end_day
        report.save(update_fields=["last_period_end"])
    return bool(recipients)


def _write(report: Report, due: Due, recipients: Iterable[ReportRecipient], now: datetime) -> None:
    digest = Digest.objects.create(
        organization_id=report.organization_id,
        report=report,
        cadence=due.cadence,
        first_day=due.first_day,
        period_start=due.period.start,
        period_end=due.period.end,
        created_at=now,
    )
    organization = organizations.organization(report.organization_id)
    found = figures(organization, due, now)
    payload = of_report(report, organization, digest.pk, found, now)
    deliveries.write(_delivery(one, payload) for one in recipients)


def _delivery(recipient: ReportRecipient, payload: Mapping[str, Any]) -> Delivery:
    if recipient.channel is not None:
        return deliveries.to_channel(recipient.channel, Notice.REPORT, payload, subscription=recipient.pk)
    assert recipient.membership is not None  # noqa: S101 a constraint says so
    member = recipient.membership
    return deliveries.to_address(
        member.user.email,
        recipient.organization_id,
        Notice.REPORT,
        for_member(payload, member.role),
        subscription=recipient.pk,
    )


def _is_written(waiting: Waiting) -> bool:
    try:
        return write(waiting)
    except (IntegrityError, OperationalError) as error:
        if not _is_others(error):
            raise
        return False
    except Exception:
        # One organization's must not keep the others' back; it is due until it is written.
        log.exception("a report can't be written", report=str(waiting.report_id))
        return False


def _is_others(error: Exception) -> bool:
    """Tell whether somebody else wrote the same meanwhile."""
    return isinstance(error, IntegrityError) or getattr(error.__cause__, "sqlstate", "") == _SERIALIZATION


def _waiting(now: datetime) -> Iterator[Waiting]:
    with system_scope():
        found = list(
            Report.objects.filter(enabled=True)
            .order_by("?")
            .values_list(
                "pk",
                "organization_id",
                "cadence",
                "hour",
                "organization__timezone",
                "starts_at",
                "last_period_end",
            )
        )
    last: dict[tuple[str, int, str], Due] = {}
    for report_id, organization_id, cadence, hour, timezone, starts_at, told in found:
        terms = (cadence, hour, timezone)
        due = last.get(terms) or last.setdefault(terms, last_due(cadence, hour, zone(timezone), now))
        if due.at >= starts_at and (told is None or told < due.end_day):
            yield Waiting(report_id, organization_id, due)
