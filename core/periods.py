"""Half-open periods and the buckets that local calendars cut them into.

A bucket boundary is a real instant. Minutes, quarter-hours and hours are whole in local time and
also end where the zone's offset changes, so the hour that a clock shows twice is two buckets and
none overlap. A day begins at the first instant whose local date is at least its own: midnight,
or whatever follows a midnight that the clock skipped. A day that a zone skipped has no bucket.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_DAY: Final = timedelta(days=1)
_SECOND: Final = timedelta(seconds=1)
_A_MIDNIGHT: Final = datetime.combine(date.min, time.min)


class Granularity(StrEnum):
    """The sizes of buckets, smallest first."""

    MINUTE = "minute"
    QUARTER_HOUR = "quarter_hour"
    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"


_SIZES: Final = {
    Granularity.MINUTE: timedelta(minutes=1),
    Granularity.QUARTER_HOUR: timedelta(minutes=15),
    Granularity.HOUR: timedelta(hours=1),
}


@dataclass(frozen=True, slots=True)
class Period:
    """A half-open window of time, ``[start, end)``.

    Units: aware datetimes in UTC.
    Raises: ValueError when a bound is naive or the end comes before the start.
    """

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        if self.start.tzinfo is None or self.end.tzinfo is None:
            raise ValueError("a period's bounds must be aware")
        if self.end < self.start:
            raise ValueError("a period can't end before it starts")

    def __contains__(self, moment: datetime) -> bool:
        return self.start <= moment < self.end

    @property
    def duration(self) -> timedelta:
        """How much time passes in the period."""
        return self.end - self.start


@lru_cache(maxsize=1024)
def zone(name: str) -> ZoneInfo:
    """Return the IANA time zone of that name.

    Raises: ValueError naming what is not a zone.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"{name[:80]!r} is not an IANA time zone, such as Europe/Berlin") from error


def floor(moment: datetime, granularity: Granularity, tz: ZoneInfo) -> datetime:
    """Return the start of the bucket that holds the moment.

    Units: an aware datetime in UTC.
    """
    size = _SIZES.get(granularity)
    if size is not None:
        return _floor_clock(moment, size, tz)
    return _first_instant(_first_day(local_date(moment, tz), granularity), tz)


def next_bucket(moment: datetime, granularity: Granularity, tz: ZoneInfo) -> datetime:
    """Return the start of the first bucket after the one that holds the moment.

    Units: an aware datetime in UTC.
    """
    size = _SIZES.get(granularity)
    if size is not None:
        return _next_clock(moment, size, tz)
    following = _next_first_day(_first_day(local_date(moment, tz), granularity), granularity)
    start = _first_instant(following, tz)
    while start <= moment:
        following = _next_first_day(following, granularity)
        start = _first_instant(following, tz)
    return start


def buckets(period: Period, granularity: Granularity, tz: ZoneInfo) -> list[Period]:
    """Return the whole buckets that touch the period, in order and without a gap.

    The first may begin before the period and the last may end after it.
    """
    return list(_walk(period, granularity, tz))


def day_bounds(day: date, tz: ZoneInfo) -> Period:
    """Return the instants of a local day; a day that the zone skipped is empty."""
    return Period(_first_instant(day, tz), _first_instant(day + _DAY, tz))


def local_date(moment: datetime, tz: ZoneInfo) -> date:
    """Return the local day that the moment falls into, the same as `day_bounds` has it."""
    day = moment.astimezone(tz).date()
    # A clock set back over midnight shows the old date again; the new day has begun all the same.
    if moment >= _first_instant(day + _DAY, tz):
        return day + _DAY
    return day


def billing_period(moment: datetime, tz: ZoneInfo) -> Period:
    """Return the local calendar month that holds the moment."""
    return Period(
        floor(moment, Granularity.MONTH, tz),
        next_bucket(moment, Granularity.MONTH, tz),
    )


def _walk(period: Period, granularity: Granularity, tz: ZoneInfo) -> Iterator[Period]:
    if period.start == period.end:
        return
    start = floor(period.start, granularity, tz)
    while start < period.end:
        end = next_bucket(start, granularity, tz)
        yield Period(start, end)
        start = end


def _floor_clock(moment: datetime, size: timedelta, tz: ZoneInfo) -> datetime:
    moment = moment.astimezone(UTC)
    start = moment - _wall_time(moment, tz) % size
    changed = _offset_change(start, moment, tz)
    return start if changed is None else changed


def _next_clock(moment: datetime, size: timedelta, tz: ZoneInfo) -> datetime:
    moment = moment.astimezone(UTC)
    end = moment + size - _wall_time(moment, tz) % size
    changed = _offset_change(moment, end, tz)
    return end if changed is None else changed


def _wall(moment: datetime, tz: ZoneInfo) -> datetime:
    return moment.astimezone(tz).replace(tzinfo=None)


def _wall_time(moment: datetime, tz: ZoneInfo) -> timedelta:
    """Return how much has passed since a midnight, by the clock on the wall."""
    return _wall(moment, tz) - _A_MIDNIGHT


def _offset_change(before: datetime, after: datetime, tz: ZoneInfo) -> datetime | None:
    """Return the first instant in ``(before, after]`` with the later offset, if it differs."""
    offset = after.astimezone(tz).utcoffset()
    if before.astimezone(tz).utcoffset() == offset:
        return None
    # Offsets change on whole seconds.
    low, high = before.replace(microsecond=0), after.replace(microsecond=0)
    while high - low > _SECOND:
        middle = low + timedelta(seconds=(high - low) // _SECOND // 2)
        if middle.astimezone(tz).utcoffset() == offset:
            high = middle
        else:
            low = middle
    return high


@lru_cache(maxsize=8192)
def _first_instant(day: date, tz: ZoneInfo) -> datetime:
    midnight = datetime.combine(day, time.min)
    instant = midnight.replace(tzinfo=tz).astimezone(UTC)
    if _wall(instant, tz) == midnight:
        return instant
    return _after_skipped_midnight(day, instant, tz)


def _after_skipped_midnight(day: date, near: datetime, tz: ZoneInfo) -> datetime:
    """Return the instant of the jump that skipped the day's midnight."""
    low, high = near - 2 * _DAY, near + 2 * _DAY
    while high - low > _SECOND:
        middle = low + timedelta(seconds=(high - low) // _SECOND // 2)
        if middle.astimezone(tz).date() >= day:
            high = middle
        else:
            low = middle
    return high


def _first_day(day: date, granularity: Granularity) -> date:
    if granularity is Granularity.WEEK:
        return day - timedelta(days=day.weekday())
    if granularity is Granularity.MONTH:
        return day.replace(day=1)
    return day


def _next_first_day(first: date, granularity: Granularity) -> date:
    if granularity is Granularity.WEEK:
        return first + timedelta(days=7)
    if granularity is Granularity.MONTH:
        return (first + timedelta(days=31)).replace(day=1)
    return first + _DAY
