"""The buckets of a series: where each begins, without listing more than is needed. No database."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from core.periods import Granularity, Period, buckets, floor

MINUTE: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Buckets:
    """Where the buckets of a window begin.

    Shape: ``starts`` lists them, or is empty where they are ``count`` steps of a minute from ``first``. The
    first may begin before the window, the last may end after it.
    """

    first: datetime
    count: int
    starts: tuple[datetime, ...] = ()

    @classmethod
    def whole(cls, period: Period) -> "Buckets":
        """Return the one bucket of a total."""
        return cls(period.start, 1, (period.start,))

    @classmethod
    def over(cls, period: Period, granularity: Granularity, tz: ZoneInfo) -> "Buckets":
        """Return the buckets that touch a window."""
        if granularity is Granularity.MINUTE:
            # Zones are whole minutes from UTC, so a year of minutes needn't be written out.
            first = floor(period.start, granularity, tz)
            return cls(first, -((first - period.end) // MINUTE))
        starts = tuple(bucket.start for bucket in buckets(period, granularity, tz))
        return cls(starts[0], len(starts), starts) if starts else cls(period.start, 0)

    @property
    def by_minute(self) -> bool:
        """Whether the buckets are steps of a minute."""
        return not self.starts

    def start(self, index: int) -> datetime:
        """Return where a bucket begins."""
        return self.starts[index] if self.starts else self.first + index * MINUTE

    def inner(self, period: Period) -> Sequence[datetime]:
        """Return the listed starts that lie within a window."""
        return [start for start in self.starts if start > period.start]

    def sql(self, column: str) -> tuple[str, list[Any]]:
        """Return the expression of a moment's bucket, counted from 1, with its parameters."""
        if self.by_minute:
            return f"floor(extract(epoch FROM {column} - %s::timestamptz) / 60)::integer + 1", [self.first]
        return f"width_bucket({column}, %s::timestamptz[])", [list(self.starts)]
