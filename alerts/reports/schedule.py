"""When a report is due, and of which days it is. No database, no clock."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from alerts.models import Cadence
from core.periods import Period, day_bounds, local_date

_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Due:
    """A week or month that is over, and the moment at which its report is to be sent.

    ``end_day`` is the day after its last, on which that is.
    """

    cadence: str
    first_day: date
    end_day: date
    at: datetime
    zone: ZoneInfo

    @property
    def period(self) -> Period:
        """What the report is of."""
        return _between(self.first_day, self.end_day, self.zone)

    @property
    def before(self) -> Period:
        """The week or month before, which it is compared with."""
        return _between(first_before(self.first_day, self.cadence), self.first_day, self.zone)

    @property
    def following(self) -> Period:
        """The week or month after it, which is foreseen."""
        return _between(self.end_day, first_after(self.end_day, self.cadence), self.zone)


def last_due(cadence: str, hour: int, tz: ZoneInfo, now: datetime) -> Due:
    """Return the last report whose moment has come."""
    return next(due for due in _backwards(cadence, hour, tz, now) if due.at <= now)


def next_due(cadence: str, hour: int, tz: ZoneInfo, now: datetime) -> Due:
    """Return the first report whose moment is still to come."""
    found = last_due(cadence, hour, tz, now)
    return _due(cadence, first_after(found.end_day, cadence), hour, tz)


def first_before(first_day: date, cadence: str) -> date:
    """Return the first day of the week or month before the one that begins with a day."""
    if cadence == Cadence.WEEKLY:
        return first_day - 7 * _DAY
    return (first_day - _DAY).replace(day=1)


def first_after(first_day: date, cadence: str) -> date:
    """Return the first day of the week or month after the one that begins with a day."""
    if cadence == Cadence.WEEKLY:
        return first_day + 7 * _DAY
    return (first_day + 31 * _DAY).replace(day=1)


def _backwards(cadence: str, hour: int, tz: ZoneInfo, now: datetime) -> Iterator[Due]:
    today = local_date(now, tz)
    start = today - timedelta(days=today.weekday()) if cadence == Cadence.WEEKLY else today.replace(day=1)
    end_day = start
    while True:
        yield _due(cadence, end_day, hour, tz)
        end_day = first_before(end_day, cadence)


def _due(cadence: str, end_day: date, hour: int, tz: ZoneInfo) -> Due:
    return Due(cadence, first_before(end_day, cadence), end_day, _at(end_day, hour, tz), tz)


def _at(day: date, hour: int, tz: ZoneInfo) -> datetime:
    """Return when the clock first shows an hour; what it skips comes with the jump.

    A day that the zone skipped as a whole is over when it would have begun.
    """
    moment = datetime.combine(day, time(hour), tz).astimezone(UTC)
    return max(moment, day_bounds(day, tz).start)


def _between(first_day: date, end_day: date, tz: ZoneInfo) -> Period:
    return Period(day_bounds(first_day, tz).start, day_bounds(end_day, tz).start)
