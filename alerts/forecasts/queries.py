"""What forecasts are made from: days, hours of the last weeks, and what a period has come to so far."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from alerts.forecasts.history import LEARNED_DAYS, History
from alerts.forecasts.hours import Hour, share_ahead
from core.periods import Granularity, Period, day_bounds, local_date
from usage.queries.buckets import Buckets
from usage.queries.facets import Facet
from usage.queries.metrics import Metric, meters_of, sums_of
from usage.queries.rollups import Group, RollupQuery, add_up
from usage.queries.totals import Subject
from usage.reading import LATEST

HOURS_OF: Final = timedelta(days=28)
_HOUR: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a metric: its days, what today has brought so far, and how much of it is ahead.

    ``ahead`` is the share of a day's use, from 0 to 1.
    """

    history: History
    today: Group
    ahead: float


def today_of(now: datetime, tz: ZoneInfo) -> tuple[date, Period]:
    """Return the day of a zone that holds now, and its bounds."""
    day = local_date(now, tz)
    return day, day_bounds(day, tz)


def known(
    subject: Subject, metrics: Sequence[Metric], now: datetime, tz: ZoneInfo, since: datetime
) -> list[Known]:
    """Return what is known of each metric.

    ``since`` is where the history begins.
    Tenancy: call in the tenant's scope.
    Concurrency: two statements, however many metrics; call in a snapshot, so that they agree.
    """
    day, today = today_of(now, tz)
    first = max(day_bounds(day - timedelta(days=LEARNED_DAYS), tz).start, since)
    days = _days(subject, metrics, Period(min(first, today.start), today.end), tz)
    hours = _hours(subject, metrics, Period(max(first, today.start - HOURS_OF), today.start), tz)
    passed = (now.astimezone(tz).replace(tzinfo=None) - _wall(today.start, tz)) / _HOUR
    found = []
    for place, metric in enumerate(metrics):
        values = [float(metric.read(group) or 0) for group in days[:-1]]
        ahead = share_ahead(hours[place], day.weekday(), passed)
        found.append(Known(History.until(day, values), days[-1], ahead))
    return found


def actual(subject: Subject, metrics: Sequence[Metric], period: Period, now: datetime) -> Group:
    """Return what a period has come to so far, with what is dated a little ahead.

    Tenancy: call in the tenant's scope.
    """
    end = max(min(period.end, now + LATEST), period.start)
    groups = add_up(_query(subject, metrics, Period(period.start, end)))
    return groups[0] if groups else Group(0)


def _days(subject: Subject, metrics: Sequence[Metric], period: Period, tz: ZoneInfo) -> list[Group]:
    series = Buckets.over(period, Granularity.DAY, tz)
    found = {group.bucket: group for group in add_up(_query(subject, metrics, period, series))}
    return [found.get(place) or Group(place) for place in range(series.count)]


def _hours(subject: Subject, metrics: Sequence[Metric], period: Period, tz: ZoneInfo) -> list[list[Hour]]:
    if period.start >= period.end:
        return [[] for _ in metrics]
    series = Buckets.over(period, Granularity.HOUR, tz)
    found = [
        (series.start(group.bucket).astimezone(tz), group)
        for group in add_up(_query(subject, metrics, period, series))
    ]
    return [
        [Hour(start.weekday(), start.hour, float(metric.read(group) or 0)) for start, group in found]
        for metric in metrics
    ]


def _wall(moment: datetime, tz: ZoneInfo) -> datetime:
    """Return the midnight of the day that begins with a moment, by the clock on the wall."""
    return moment.astimezone(tz).replace(tzinfo=None, hour=0, minute=0, second=0, microsecond=0)


def _query(
    subject: Subject, metrics: Sequence[Metric], period: Period, series: Buckets | None = None
) -> RollupQuery:
    return RollupQuery(
        organization_id=subject.organization_id,
        rollup_timezone=subject.rollup_timezone,
        period=period,
        buckets=series,
        sums=sums_of(metrics),
        meters=meters_of(metrics) or False,
        filters={} if subject.credential_id is None else {Facet.CLIENT: subject.credential_id},
    )
