"""What the heat map shows: use by the hours of the weekdays."""

from __future__ import annotations

from core.periods import Granularity
from portal import charts
from portal.charts.heat import WEEKDAYS
from portal.kinds import NOTHING, together
from portal.measures import Measure
from portal.plots import Plot
from portal.reading.asking import Asker, question_address
from portal.tables import Cell, Column, Table, exact_cell
from usage.queries.buckets import Buckets
from usage.queries.rollups import Group


def by_hour(asker: Asker, measure: Measure, name: str) -> Plot:
    """Read a measure by weekday and hour in the organization's zone; ``name`` is what the page calls it.

    Tenancy: call in the tenant's scope.
    """
    filters = asker.filters
    series = Buckets.over(filters.period, Granularity.HOUR, filters.zone)
    found: dict[tuple[int, int], list[Group]] = {}
    for place, group in enumerate(asker.series((measure,), filters.period, series)):
        local = series.start(place).astimezone(filters.zone)
        found.setdefault((local.weekday(), local.hour), []).append(group)
    cells = {key: together(groups) for key, groups in found.items()}
    currency = asker.caller.currency
    drawn = {key: (measure.drawn(group), measure.with_unit(group, currency)) for key, group in cells.items()}
    is_empty = not any(value for value, _ in drawn.values())
    return Plot(
        id="hours",
        title=f"{name} by weekday and hour",
        summary=_busiest(drawn, is_empty=is_empty),
        specification=charts.heat(drawn, title=measure.label, nothing=measure.with_unit(NOTHING, currency)),
        table=_table(cells, measure),
        api=question_address(filters, (measure,), "hour"),
        is_empty=is_empty,
    )


def _busiest(drawn: dict[tuple[int, int], tuple[float, str]], *, is_empty: bool) -> str:
    if is_empty:
        return "No data in this period."
    weekday, hour = max(drawn, key=lambda key: drawn[key][0])
    return f"Highest on {WEEKDAYS[weekday]} at {hour:02}:00: {drawn[weekday, hour][1]}."


def _table(cells: dict[tuple[int, int], Group], measure: Measure) -> Table:
    rows = [
        [
            Cell(f"{hour:02}:00"),
            *(exact_cell(measure, cells.get((weekday, hour), NOTHING)) for weekday in range(7)),
        ]
        for hour in range(24)
    ]
    columns = [Column("Hour"), *(Column(WEEKDAYS[day], is_number=True) for day in range(7))]
    return Table("hours-table", f"{measure.label}, by hour and weekday", columns, rows, file="usage-by-hour")
