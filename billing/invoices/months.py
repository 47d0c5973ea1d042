"""Which period is to be invoiced next. No database, no clock."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from core.periods import Period, billing_period

_INSTANT: Final = timedelta(microseconds=1)
# A zone can be left for another that is ahead of it or behind it by more than a day.
_MOVED: Final = timedelta(hours=26)


def month_of(moment: datetime, tz: ZoneInfo, ended: datetime | None) -> Period:
    """Return the local month that holds the moment, joined to where the last invoiced period ended.

    Without that, a change of the zone would leave hours between two invoices, or have them on both.
    """
    month = billing_period(moment, tz)
    if ended is not None and abs(ended - month.start) <= _MOVED and ended < month.end:
        return Period(ended, month.end)
    return month


def due(now: datetime, tz: ZoneInfo, ended: datetime | None) -> Iterator[Period]:
    """Yield the periods that are over and not invoiced; the first time, only the month before this one."""
    current = billing_period(now, tz)
    # A day and more into the period, whose first hours may be another month's in the zone as it is now.
    moment = current.start - _INSTANT if ended is None else ended + _MOVED
    while moment < current.start:
        period = month_of(moment, tz, ended)
        if period.end > now:
            return
        yield period
        ended, moment = period.end, period.end + _MOVED
