"""Whole days up to yesterday: what moving averages and growth are taken of."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from core.periods import Granularity, Period, local_date
from portal import numbers
from portal.measures import Measure
from portal.numbers import Change
from portal.reading.asking import Asker
from usage import reading
from usage.queries.buckets import Buckets
from usage.queries.rollups import Group

AVERAGE_DAYS: Final = 7
MONTH_DAYS: Final = 30
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Growth:
    """The last whole days against as many before them."""

    label: str
    short: str
    exact: str
    change: Change


@dataclass(frozen=True, slots=True)
class Daily:
    """Days that are over, more than the bar's: those of the last two months, and a week before the bar's."""

    starts: list[datetime]
    groups: list[Group]

    @classmethod
    def of(cls, asker: Asker, measures: Iterable[Measure], now: datetime) -> Daily:
        """Read the days.

        Tenancy: call in the tenant's scope.
        """
        filters = asker.filters
        since = reading.history_of(asker.caller, now)
        back = now - (2 * MONTH_DAYS + 2) * _DAY
        start = max(min(filters.period.start - AVERAGE_DAYS * _DAY, back), since)
        period = Period(start, max(filters.period.end, now))
        series = Buckets.over(period, Granularity.DAY, filters.zone)
        groups = asker.series(measures, period, series)
        starts = [series.start(place) for place in range(series.count)]
        today = local_date(now, filters.zone)
        over = [place for place, day in enumerate(starts) if local_date(day, filters.zone) < today]
        kept = over[-1] + 1 if over else 0
        return cls(starts[:kept], groups[:kept])

    def reaches(self, days: int) -> bool:
        """Tell whether twice as many whole days are known."""
        return len(self.groups) >= 2 * days

    def growth(self, measure: Measure, days: int) -> Growth:
        """Return the last days against as many before."""
        now, before = self._sum(measure, -days, None), self._sum(measure, -2 * days, -days)
        return Growth(
            label="Week over week" if days == AVERAGE_DAYS else "Month over month (30 days)",
            short=measure.writer.short(now),
            exact=measure.writer.exact(now),
            change=numbers.change(now, before),
        )

    def average(self, measure: Measure, day: datetime) -> float | None:
        """Return the average of a day and the six before it; None where they aren't all known and over."""
        try:
            place = self.starts.index(day)
        except ValueError:
            return None
        if place < AVERAGE_DAYS - 1:
            return None
        days = self.groups[place - AVERAGE_DAYS + 1 : place + 1]
        return sum(measure.drawn(group) for group in days) / AVERAGE_DAYS

    def _sum(self, measure: Measure, first: int, last: int | None) -> int:
        return sum(int(measure.number(group)) for group in self.groups[first:last])
