"""What spending will come to: who foresees it is named in the settings (``BILLING_FORECAST``).

It takes more than adding up to know, and that is done in a room further right.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils.module_loading import import_string

from usage.queries.totals import Subject

CONFIDENCE = 0.8
"""How likely the truth lies between the bounds of an estimate."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A sum that isn't known yet.

    Units: nanos.
    """

    expected_nanos: int
    low_nanos: int
    high_nanos: int


@dataclass(frozen=True, slots=True)
class CostOutlook:
    """What the current billing period and the 30 days after today will cost; None where nothing is known.

    ``method`` is how that was found out, ``learned_days`` from how many days.
    """

    method: str
    learned_days: int
    billing_period: Estimate | None = None
    next_30_days: Estimate | None = None


Foreseer = Callable[[Subject, datetime, ZoneInfo, datetime], CostOutlook]


def cost_outlook(subject: Subject, now: datetime, tz: ZoneInfo, since: datetime) -> CostOutlook:
    """Return what the current month of the zone and the days after today will cost.

    ``since`` is where the history begins.
    Tenancy: call in the tenant's scope.
    """
    foreseer: Foreseer = import_string(settings.BILLING_FORECAST)
    return foreseer(subject, now, tz, since)
