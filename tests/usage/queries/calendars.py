"""Where buckets begin, found by looking at the clock on the wall every quarter of an hour.

Nothing here but `zoneinfo`: a bucket begins wherever what the clock shows is another one than before.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, Final, overload
from zoneinfo import ZoneInfo

FIRST: Final = datetime(2010, 12, 1, tzinfo=UTC)
LAST: Final = datetime(2012, 8, 1, tzinfo=UTC)
TICK: Final = timedelta(minutes=15)
MINUTE: Final = timedelta(minutes=1)

ZONES: Final = ("UTC", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe", "Pacific/Apia")
GRANULARITIES: Final = ("minute", "hour", "day", "week", "month")

_SHOWN: Final[dict[str, Callable[[datetime], Any]]] = {
    # An hour that the clock shows twice is two, told apart by the offset.
    "hour": lambda wall: (wall.date(), wall.hour, wall.utcoffset()),
    "day": lambda wall: wall.date(),
    "week": lambda wall: wall.date() - timedelta(days=wall.weekday()),
    "month": lambda wall: (wall.year, wall.month),
}


class Minutes(Sequence[datetime]):
    """The minutes from one moment to another, without a list of them."""

    def __init__(self, first: datetime, end: datetime) -> None:
        self._first = first
        self._count = -((first - end) // MINUTE)

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, index: int) -> datetime: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[datetime]: ...
    def __getitem__(self, index: int | slice) -> datetime | Sequence[datetime]:
        if isinstance(index, slice):
            return [self._first + place * MINUTE for place in range(*index.indices(self._count))]
        if not -self._count <= index < self._count:
            raise IndexError(index)
        return self._first + (index % self._count) * MINUTE


@cache
def all_starts(zone: str, granularity: str) -> list[datetime]:
    """Return where the buckets of a zone begin between `FIRST` and `LAST`."""
    tz, shown = ZoneInfo(zone), _SHOWN[granularity]
    starts, before = [], None
    moment = FIRST
    while moment < LAST:
        seen = shown(moment.astimezone(tz))
        if seen != before:
            starts.append(moment)
            before = seen
        moment += TICK
    return starts


def bucket_starts(zone: str, granularity: str, start: datetime, end: datetime) -> Sequence[datetime]:
    """Return where the buckets that touch a window begin; "total" is one bucket."""
    if granularity == "total":
        return [start]
    if granularity == "minute":
        return Minutes(start.replace(second=0, microsecond=0), end)
    every = all_starts(zone, granularity)
    return every[bisect_right(every, start) - 1 : bisect_right(every, end - timedelta(microseconds=1))]


def next_start(zone: str, granularity: str, moment: datetime) -> datetime:
    """Return where the bucket after the one that holds a moment begins."""
    if granularity == "minute":
        return moment.replace(second=0, microsecond=0) + MINUTE
    every = all_starts(zone, granularity)
    return every[bisect_right(every, moment)]
