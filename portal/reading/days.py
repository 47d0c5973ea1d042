"""Whole days up to yesterday: what moving averages and growth are taken of."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

from core.periods import Granularity, Period, local_date
from portal import numbers
from portal.kinds import MONEY, together
from portal.measures import NONE, Measure
from portal.numbers import Change
from portal.reading.asking import Asker
from portal.tables import Cell
from usage import reading
from usage.queries.buckets import Buckets
from usage.queries.rollups import Group

AVERAGE_DAYS: Final = 7
MONTH_DAYS: Final = 30
_DAY: Final = timedelta(days=1)
_PLACES: Final = 2
"""How exactly the average of a count is told."""


@dataclass(frozen=True, slots=True)
class Growth:
    """The last whole days against as many before them; ``url`` leads to all of those, day by day.

    ``unit`` is the currency of an amount.
    """

    label: str
    short: str
    exact: str
    unit: str
    change: Change
    url: str


@dataclass(frozen=True, slots=True)
class Daily:
    """Days that are over, more than the bar's: those of the last two months, and a week before the bar's."""

    starts: list[datetime]
    groups: list[Group]
    zone: ZoneInfo

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
        return cls(starts[:kept], groups[:kept], filters.zone)

    def reaches(self, days: int) -> bool:
        """Tell whether twice as many whole days are known."""
        return len(self.groups) >= 2 * days

    def growth(self, measure: Measure, days: int, currency: str, here: Callable[..., str]) -> Growth | None:
        """Return the last days against as many before; None where they aren't known or have no value.

        ``here`` makes addresses of the page with other days.
        """
        if not self.reaches(days):
            return None
        now, before = (self._value(measure, *edges) for edges in ((-days, None), (-2 * days, -days)))
        if now is None or before is None:
            return None
        return Growth(
            label="Week over week" if days == AVERAGE_DAYS else "Month over month (30 days)",
            short=measure.writer.short(now),
            exact=measure.writer.exact(now),
            unit=currency if measure.is_money else "",
            change=numbers.change(Decimal(str(now)), Decimal(str(before))),
            url=here(range="custom", from_=self._day(-2 * days), to=self._day(-1), weekday="", hour=""),
        )

    def average(self, measure: Measure, day: datetime) -> float | None:
        """Return the average of a day and the six before it; None where they aren't all known and over."""
        try:
            place = self.starts.index(day)
        except ValueError:
            return None
        if place < AVERAGE_DAYS - 1:
            return None
        total = together(self.groups[place - AVERAGE_DAYS + 1 : place + 1])
        if measure.number(total) is None:
            return None
        return measure.drawn(total) / (AVERAGE_DAYS if measure.metric.adds_up else 1)

    def averages(self, measure: Measure, days: Sequence[datetime]) -> list[float | None]:
        """Return the average of each day; nothing where none is known."""
        found = [self.average(measure, day) for day in days]
        return found if any(value is not None for value in found) else []

    def _day(self, place: int) -> str:
        return local_date(self.starts[place], self.zone).isoformat()

    def _value(self, measure: Measure, first: int, last: int | None) -> Any:
        return measure.number(together(self.groups[first:last]))


def averaged(measure: Measure, value: float | None) -> Cell:
    """Return the cell of an average."""
    if value is None:
        return Cell(NONE, is_number=True)
    if measure.writer is MONEY:
        nanos = round(value * 10**9)
        return Cell(numbers.short_money(nanos), value=f"{Decimal(nanos).scaleb(-9):f}", is_number=True)
    if not measure.metric.adds_up:
        return Cell(measure.writer.exact(value), value=str(value), is_number=True)
    rounded = Decimal(str(round(value, _PLACES)))
    return Cell(numbers.exact(rounded), value=f"{rounded:f}", is_number=True)
