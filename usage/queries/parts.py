"""Cutting a window into what each source answers. No database."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Final
from zoneinfo import ZoneInfo

from core.periods import Granularity, Period, floor, next_bucket

QUARTER_HOUR: Final = timedelta(minutes=15)
_EPOCH: Final = datetime(2000, 1, 1, tzinfo=UTC)


class Source(Enum):
    """Where a part of a window is added up from, coarsest first."""

    DAYS = "days"
    QUARTERS = "quarters"
    RECORDS = "records"


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of a window and the source that answers it."""

    source: Source
    start: datetime
    end: datetime


def cut(period: Period, inner_starts: Iterable[datetime], tz: ZoneInfo, *, quarters: bool) -> list[Part]:
    """Return the parts of a window, in order: whole days, quarter-hours around them, records at the edges.

    ``inner_starts`` are where buckets begin within the window; what they would cut through isn't used.
    ``quarters`` says whether the quarter cube has what is asked for.
    """
    starts = list(inner_starts)
    quarters = quarters and all(floor_quarter(start) == start for start in starts)
    if all(floor(start, Granularity.DAY, tz) == start for start in starts):
        return _around_days(period, tz, quarters)
    return _around_quarters(period.start, period.end) if quarters else _records(period.start, period.end)


def floor_quarter(moment: datetime) -> datetime:
    """Return the start of the quarter-hour that holds the moment."""
    return moment - (moment - _EPOCH) % QUARTER_HOUR


def ceil_quarter(moment: datetime) -> datetime:
    """Return the first start of a quarter-hour that isn't before the moment."""
    return -((-(moment - _EPOCH)) // QUARTER_HOUR) * QUARTER_HOUR + _EPOCH


def _around_days(period: Period, tz: ZoneInfo, quarters: bool) -> list[Part]:
    first = floor(period.start, Granularity.DAY, tz)
    if first < period.start:
        first = next_bucket(period.start, Granularity.DAY, tz)
    last = floor(period.end, Granularity.DAY, tz)
    edge = _around_quarters if quarters else _records
    if first >= last:
        return edge(period.start, period.end)
    return [*edge(period.start, first), Part(Source.DAYS, first, last), *edge(last, period.end)]


def _around_quarters(start: datetime, end: datetime) -> list[Part]:
    first, last = ceil_quarter(start), floor_quarter(end)
    if first >= last:
        return _records(start, end)
    return [*_records(start, first), Part(Source.QUARTERS, first, last), *_records(last, end)]


def _records(start: datetime, end: datetime) -> list[Part]:
    return [Part(Source.RECORDS, start, end)] if start < end else []
