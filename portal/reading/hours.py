"""What the heat map shows: use by the hours of the weekdays, and each time that one of them came."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from core.periods import Granularity, Period, buckets
from portal import charts, measures, windows
from portal.charts.heat import WEEKDAYS
from portal.kinds import NOTHING, together
from portal.measures import Measure
from portal.plots import Plot
from portal.reading.asking import Asker, bucket_label, question_address, wall
from portal.reading.views import columns_of, headed
from portal.tables import Cell, Column, Table, exact_cell
from usage.queries.buckets import Buckets
from usage.queries.rollups import Group

DAYS: Final = tuple(name.lower() for name in WEEKDAYS)
"""How addresses call the weekdays; Monday is the first."""
_WHOLE_NAMES: Final = ("Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays", "Sundays")
_TOLD: Final = (measures.REQUESTS, measures.ERRORS, measures.TOKENS, measures.COST)

To = Callable[..., str]


@dataclass(frozen=True, slots=True)
class Hour:
    """Every time that an hour of a weekday came; ``back`` leads to the page without it."""

    title: str
    table: Table
    api: str
    back: str


@dataclass(frozen=True, slots=True)
class Hours:
    """A measure by the hours of the bar's days; ``to`` and ``here`` make addresses."""

    asker: Asker
    measure: Measure
    found: dict[tuple[int, int], list[tuple[Period, Group]]]
    to: To
    here: To

    @classmethod
    def of(cls, asker: Asker, measure: Measure, to: To, here: To, *, told: bool) -> Hours:
        """Read the hours, by weekday and hour in the organization's zone; all of `_TOLD` where one is told.

        Tenancy: call in the tenant's scope.
        """
        filters = asker.filters
        columns = columns_of(_TOLD if told else _TOLD[:1], measure)
        periods = buckets(filters.period, Granularity.HOUR, filters.zone)
        starts = tuple(period.start for period in periods)
        series = Buckets(filters.period.start, len(starts), starts)
        groups = asker.series((*columns, measures.UNPRICED), filters.period, series)
        found: dict[tuple[int, int], list[tuple[Period, Group]]] = {}
        for period, group in zip(periods, groups, strict=True):
            local = period.start.astimezone(filters.zone)
            found.setdefault((local.weekday(), local.hour), []).append((period, group))
        return cls(asker, measure, found, to, here)

    def plot(self, name: str) -> Plot:
        """Return the map; ``name`` is what the page calls the measure."""
        cells = {key: together(group for _, group in times) for key, times in self.found.items()}
        currency, measure = self.asker.caller.currency, self.measure
        drawn = {
            key: (measure.drawn(group), measure.with_unit(group, currency), self._way(*key))
            for key, group in cells.items()
        }
        is_empty = not any(value for value, *_ in drawn.values())
        nothing = measure.with_unit(NOTHING, currency)
        return Plot(
            id="hours",
            title=f"{name} by weekday and hour",
            summary=_busiest(drawn, is_empty=is_empty),
            specification=charts.heat(drawn, title=measure.label, nothing=nothing),
            table=self._table(cells),
            api=question_address(self.asker.filters, (measure,), "hour"),
            is_empty=is_empty,
        )

    def told(self, weekday: int, hour: int) -> Hour:
        """Return every time that an hour of a weekday came, newest first."""
        asker, columns = self.asker, columns_of(_TOLD, self.measure)
        rows = [
            [
                Cell(
                    bucket_label(period.start, Granularity.HOUR, asker.filters),
                    value=wall(period.start, asker.filters)[:-1],
                    url=self._records(period, group),
                ),
                *(exact_cell(one, group, note=one.lacks(group)) for one in columns),
            ]
            for period, group in reversed(self.found.get((weekday, hour), []))
        ]
        title = f"{_WHOLE_NAMES[weekday]}, {hour:02}:00 to {(hour + 1) % 24:02}:00"
        heads = [Column("Time"), *(Column(headed(one, asker.caller), is_number=True) for one in columns)]
        return Hour(
            title,
            Table("hour-table", "Each of them, newest first", heads, rows, file="usage-hour", stacks=True),
            question_address(asker.filters, columns, Granularity.HOUR.value),
            self.here(weekday="", hour=""),
        )

    def _table(self, cells: dict[tuple[int, int], Group]) -> Table:
        rows = [
            [
                Cell(f"{hour:02}:00"),
                *(
                    exact_cell(
                        self.measure, cells.get((weekday, hour), NOTHING), url=self._way(weekday, hour)
                    )
                    for weekday in range(7)
                ),
            ]
            for hour in range(24)
        ]
        columns = [Column("Hour"), *(Column(WEEKDAYS[day], is_number=True) for day in range(7))]
        caption = f"{self.measure.label}, by hour and weekday"
        lacks = self.measure.lacks(together(cells.values()))
        nothing = f"{lacks or 'No data in this period'}."
        return Table("hours-table", caption, columns, rows, nothing, file="usage-by-hour")

    def _way(self, weekday: int, hour: int) -> str:
        """Return where the parts of a cell are: its only hour's records, or each hour it is made of."""
        used = [(period, group) for period, group in self.found.get((weekday, hour), []) if group.sums]
        if not used:
            return ""
        if len(used) == 1:
            return self._records(*used[0])
        return self.here(weekday=DAYS[weekday], hour=str(hour)) + "#hour"

    def _records(self, period: Period, group: Group) -> str:
        filters = self.asker.filters
        return windows.bucket(self.to, period, filters.zone, **filters.what) if group.sums else ""


def _busiest(drawn: dict[tuple[int, int], tuple[float, str, str]], *, is_empty: bool) -> str:
    if is_empty:
        return "No data in this period."
    weekday, hour = max(drawn, key=lambda key: drawn[key][0])
    return f"Highest on {WEEKDAYS[weekday]} at {hour:02}:00: {drawn[weekday, hour][1]}."
