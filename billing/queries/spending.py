"""What was spent by quarter-hour, from the totals of usage."""

from datetime import datetime

from billing.forecast import Spent
from core.periods import Granularity, Period, zone
from organizations.models import Organization
from usage.queries.buckets import Buckets
from usage.queries.facets import Facet
from usage.queries.rollups import RollupQuery, add_up
from usage.reading import LATEST

COST = "cost_nanos"


def spent_by_quarter(organization: Organization, credential_id: int | None, period: Period) -> list[Spent]:
    """Return the quarter-hours of a period that cost anything, in order.

    Shape: the period begins and ends on quarter-hours.
    Tenancy: call in the tenant's scope.
    """
    series = Buckets.over(period, Granularity.QUARTER_HOUR, zone("UTC"))
    found = add_up(_query(organization, credential_id, period, series))
    return [Spent(series.start(group.bucket), cost) for group in found if (cost := group.sums[COST])]


def spent_since(organization: Organization, credential_id: int | None, start: datetime, now: datetime) -> int:
    """Return what everything since a moment cost, also what is dated a little ahead.

    Units: nanos.
    Tenancy: call in the tenant's scope.
    """
    found = add_up(_query(organization, credential_id, Period(start, now + LATEST), None))
    return found[0].sums[COST] if found else 0


def _query(
    organization: Organization, credential_id: int | None, period: Period, series: Buckets | None
) -> RollupQuery:
    return RollupQuery(
        organization_id=organization.pk,
        rollup_timezone=organization.rollup_timezone,
        period=period,
        buckets=series,
        sums=("requests", COST),
        filters={} if credential_id is None else {Facet.CLIENT: credential_id},
    )
