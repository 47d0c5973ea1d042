"""A limit, tried on what was spent."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from billing.forecast import Spent
from billing.queries.spending import spent_by_quarter
from billing.replay import Limit, Replay, lead, replay
from billing.windows import QUARTER, quarter_of
from core.periods import Period, zone
from organizations.models import Organization

REPLAYED: Final = timedelta(days=28)
MOST_REPLAYED: Final = timedelta(days=92)


@dataclass(frozen=True, slots=True)
class Trial:
    """What a limit would have done, and the spending that it was tried on, by quarter-hours."""

    replay: Replay
    spent: tuple[Spent, ...]


def up_to_now(now: datetime, length: timedelta = REPLAYED) -> Period:
    """Return the last days, with the present quarter-hour."""
    end = quarter_of(now) + QUARTER
    return Period(end - length, end)


def try_limit(organization_id: int, credential_id: int | None, period: Period, tried: Limit) -> Trial:
    """Return what a limit would have done to the spending of a period.

    Shape: the period begins and ends on quarter-hours.
    Tenancy: call in the tenant's scope.
    """
    organization = Organization.objects.get(pk=organization_id)
    tz = zone(organization.timezone)
    known = Period(lead(period, tried, tz), period.end)
    spent = spent_by_quarter(organization, credential_id, known)
    within = tuple(one for one in spent if one.quarter in period)
    return Trial(replay(spent, period, tried, tz), within)
