"""How reports are written."""

from datetime import datetime
from typing import Any

from alerts.models import Report
from alerts.reports.schedule import Due, last_due, next_due
from alerts.reports.serializers import ReportOutput
from core.periods import Period, zone


def coming(found: Report, timezone: str, now: datetime) -> Due | None:
    """Return what is sent next: what is due and not written yet, else what will be; None while disabled."""
    if not found.enabled:
        return None
    last = last_due(found.cadence, found.hour, zone(timezone), now)
    told = found.last_period_end
    if last.at >= found.starts_at and (told is None or told < last.end_day):
        return last
    return next_due(found.cadence, found.hour, zone(timezone), now)


def report(found: Report, timezone: str, now: datetime) -> dict[str, Any]:
    """Write a report with its recipients, as `alerts.reports.queries` reads them along."""
    following = coming(found, timezone, now)
    recipients = list(found.recipients.all())
    written: dict[str, Any] = ReportOutput(
        {
            "id": found.pk,
            "name": found.name,
            "cadence": found.cadence,
            "hour": found.hour,
            "timezone": timezone,
            "enabled": found.enabled,
            "members": [one for one in recipients if one.membership_id is not None],
            "channels": [one for one in recipients if one.channel_id is not None],
            "next_at": None if following is None else following.at,
            "next_period": None if following is None else _window(following.period),
            "created_at": found.created_at,
        }
    ).data
    return written


def _window(period: Period) -> dict[str, datetime]:
    return {"from": period.start, "to": period.end}
