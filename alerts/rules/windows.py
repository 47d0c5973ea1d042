"""The windows that rules look at. No database, no clock."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final

from alerts.models.rules import Span
from core.periods import Granularity, Period, floor, next_bucket, zone

MINUTE: Final = timedelta(minutes=1)
QUARTER: Final = timedelta(minutes=15)
SEEN_WITHIN: Final = timedelta(days=7)
"""How long before a window something was seen that is missed in it; at least as long as the window."""
LENGTHS: Final = {
    Span.MINUTE: MINUTE,
    Span.MINUTES_5: 5 * MINUTE,
    Span.MINUTES_15: QUARTER,
    Span.HOUR: timedelta(hours=1),
    Span.HOURS_6: timedelta(hours=6),
    Span.HOURS_24: timedelta(hours=24),
    Span.DAYS_7: timedelta(days=7),
    Span.DAYS_30: timedelta(days=30),
}
_CALENDAR: Final = {Span.DAY: Granularity.DAY, Span.WEEK: Granularity.WEEK, Span.MONTH: Granularity.MONTH}


@dataclass(frozen=True, slots=True)
class Look:
    """What is looked at: a window, and ``before`` it the one to compare with.

    ``period`` is the calendar's period that the window has begun, None for one that goes back from now.
    """

    window: Period
    before: Period
    period: Period | None = None


@lru_cache(maxsize=4096)
def look(span: str, now: datetime, timezone: str, step: timedelta, *, whole: bool) -> Look:
    """Return what is looked at.

    ``step`` is the size of what is added up. A window goes back from the moment that the last of them began,
    and has the one that is under way as well, so that it is never shorter than its name says; ``whole`` ones
    end with the last that is over, to be compared with as many before it.
    """
    begun = _floor(now, step)
    end = begun if whole else begun + step
    if span in _CALENDAR:
        return _since(Span(span), now, end, timezone)
    length = max(LENGTHS[Span(span)], step)
    window = Period(begun - length, end)
    return Look(window, Period(window.start - length, window.start))


def seen_before(window: Period) -> Period:
    """Return the time in which whatever is missed in a window was seen."""
    return Period(window.start - max(window.duration, SEEN_WITHIN), window.start)


def _since(span: Span, now: datetime, end: datetime, timezone: str) -> Look:
    tz = zone(timezone)
    granularity = _CALENDAR[span]
    period = Period(floor(now, granularity, tz), next_bucket(now, granularity, tz))
    window = Period(period.start, max(period.start, min(end, period.end)))
    first = floor(period.start - MINUTE, granularity, tz)
    # As much of the one before as has passed of this one.
    before = Period(first, min(first + window.duration, period.start))
    return Look(window, before, period)


def _floor(moment: datetime, step: timedelta) -> datetime:
    return datetime.fromtimestamp(
        moment.timestamp() // step.total_seconds() * step.total_seconds(), moment.tzinfo
    )
