"""Hourly series of an organization: of metrics, and of its credentials and models."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from alerts.anomalies.baseline import WEEK_HOURS
from core.periods import Granularity, Period, floor, zone
from usage.queries.buckets import Buckets
from usage.queries.facets import Facet
from usage.queries.metrics import Metric, sums_of
from usage.queries.rollups import Group, RollupQuery, add_up
from usage.queries.totals import Subject

HOUR: Final = timedelta(hours=1)
WEEKS: Final = 6
_UTC: Final = zone("UTC")
Series = list[float]


@dataclass(frozen=True, slots=True)
class Hours:
    """Hours of an organization, the one in question last.

    Shape: ``groups`` has one for each hour.
    """

    hour: datetime
    groups: tuple[Group, ...]

    def series(self, metric: Metric) -> Series:
        """Return what each hour brought of a metric."""
        return [float(metric.read(group) or 0) for group in self.groups]


def hour_before(moment: datetime) -> datetime:
    """Return the last hour that was over at a moment."""
    return floor(moment, Granularity.HOUR, _UTC) - HOUR


def hours(subject: Subject, metrics: Sequence[Metric], hour: datetime) -> Hours:
    """Return the hours of the last weeks up to one, in one statement for all metrics.

    Tenancy: call in the tenant's scope.
    """
    found = {group.bucket: group for group in add_up(_query(subject, metrics, hour))}
    return Hours(hour, tuple(found.get(place) or Group(place) for place in range(WEEKS * WEEK_HOURS + 1)))


def parts(subject: Subject, metric: Metric, hour: datetime, facet: Facet) -> Mapping[Any, Series]:
    """Return a metric's series by credential or by model, in one statement.

    Tenancy: call in the tenant's scope.
    """
    found: dict[Any, Series] = {}
    for group in add_up(_query(subject, [metric], hour, facet)):
        series = found.setdefault(group.values[0], [0.0] * (WEEKS * WEEK_HOURS + 1))
        series[group.bucket] = float(metric.read(group) or 0)
    return found


def _query(subject: Subject, metrics: Sequence[Metric], hour: datetime, *facets: Facet) -> RollupQuery:
    period = Period(hour - WEEKS * WEEK_HOURS * HOUR, hour + HOUR)
    return RollupQuery(
        organization_id=subject.organization_id,
        rollup_timezone=subject.rollup_timezone,
        period=period,
        buckets=Buckets.over(period, Granularity.HOUR, _UTC),
        sums=sums_of(metrics),
        group_by=facets,
        filters={} if subject.credential_id is None else {Facet.CLIENT: subject.credential_id},
    )
