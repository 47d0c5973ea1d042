"""What spending will come to, as billing asks for it."""

from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from alerts.forecasts.foresee import Ask, foresee
from alerts.forecasts.outlook import Interval
from billing.outlook import CostOutlook, Estimate
from core.periods import Period, billing_period
from usage.queries.metrics import METRICS
from usage.queries.totals import Subject

DAYS: Final = 30


def outlook(subject: Subject, now: datetime, tz: ZoneInfo, since: datetime) -> CostOutlook:
    """Return what the current month of the zone and the days after today will cost.

    Tenancy: call in the tenant's scope.
    """
    month = billing_period(now, tz)
    # As everywhere, what lies before the history counts as nothing.
    period = Period(max(month.start, since), month.end)
    (found,) = foresee(Ask(subject, (METRICS["cost"],), period, DAYS, tz, since), now)
    return CostOutlook(
        method=found.method.value,
        learned_days=found.history.days,
        billing_period=_estimate(found.period, round(found.actual)),
        next_30_days=_estimate(found.following, 0),
    )


def _estimate(interval: Interval | None, spent_nanos: int) -> Estimate | None:
    if interval is None:
        return None
    expected, low, high = (round(value) for value in (interval.expected, interval.low, interval.high))
    return Estimate(spent_nanos + expected, spent_nanos + low, spent_nanos + high)
