"""Cutting a window into what each source answers. No database."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Final
from zoneinfo import ZoneInfo

from core.periods import Granularity, Period, floor, next_bucket

_EPOCH: Final = datetime(2000, 1, 1, tzinfo=UTC)


class Source(Enum):
    """Where a part of a window is added up from, coarsest first."""

    DAYS = "days"
    QUARTERS = "quarters"
    MINUTES = "minutes"
    RECORDS = "records"


_SIZES: Final = {Source.QUARTERS: timedelta(minutes=15), Source.MINUTES: timedelta(minutes=1)}


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of a window and the source that answers it."""

    source: Source
    start: datetime
    end: datetime


def cut(
    period: Period, inner_starts: Iterable[datetime], tz: ZoneInfo, sources: Collection[Source]
) -> list[Part]:
    """Return the parts of a window, in order: the coarsest source in the middle, finer ones around it.

    ``inner_starts`` are where buckets begin within the window: a source whose own buckets they would cut
    through isn't used. ``sources`` are the cubes that know what is asked for; records always do.
    """
    starts = list(inner_starts)
    usable = [source for source in Source if source in sources and _fits(source, starts, tz)]
    return _cut(period.start, period.end, usable, tz)


def floor_to(source: Source, moment: datetime, tz: ZoneInfo) -> datetime:
    """Return the start of the source's bucket that holds the moment."""
    if source is Source.DAYS:
        return floor(moment, Granularity.DAY, tz)
    return moment - (moment - _EPOCH) % _SIZES[source]


def _fits(source: Source, starts: list[datetime], tz: ZoneInfo) -> bool:
    return source is not Source.RECORDS and all(floor_to(source, start, tz) == start for start in starts)


def _ceil_to(source: Source, moment: datetime, tz: ZoneInfo) -> datetime:
    first = floor_to(source, moment, tz)
    if first == moment:
        return first
    return next_bucket(moment, Granularity.DAY, tz) if source is Source.DAYS else first + _SIZES[source]


def _cut(start: datetime, end: datetime, usable: list[Source], tz: ZoneInfo) -> list[Part]:
    if start >= end:
        return []
    if not usable:
        return [Part(Source.RECORDS, start, end)]
    source, *finer = usable
    first, last = _ceil_to(source, start, tz), floor_to(source, end, tz)
    if first >= last:
        return _cut(start, end, finer, tz)
    return [*_cut(start, first, finer, tz), Part(source, first, last), *_cut(last, end, finer, tz)]
