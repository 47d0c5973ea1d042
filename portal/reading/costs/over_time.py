"""Costs over time: stacked by what caused them, with the average of seven days."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from core.periods import Granularity, Period, buckets
from portal import charts
from portal.filters import Filters
from portal.measures import COST, Measure
from portal.plots import Plot
from portal.reading.asking import Asker, bucket_label, question_address, wall
from portal.reading.costs.causes import DIMENSIONS, SAID
from portal.reading.costs.places import Places
from portal.reading.days import Daily, averaged
from portal.reading.ranking import Standing
from portal.tables import Cell, Column, Table
from usage.queries.rollups import Group


def over_time(
    asker: Asker,
    ranked: Sequence[Standing],
    daily: Daily,
    now: datetime,
    shape: str,
    by: str,
    places: Places,
) -> Plot:
    filters, currency = asker.filters, asker.caller.currency
    whole = buckets(filters.period, filters.granularity, filters.zone)
    totals = [_together(ranked, place) for place in range(len(whole))]
    is_daily = filters.granularity is Granularity.DAY
    average = daily.averages(COST, [period.start for period in whole]) if is_daily else []
    points = [
        charts.Bucket(
            start=wall(period.start, filters),
            end=wall(period.end, filters),
            label=f"{bucket_label(period.start, filters.granularity, filters)}, "
            f"{COST.exact(totals[place])} {currency}",
            exact=tuple(f"{COST.exact(one.points[place])} {currency}" for one in ranked),
            partial=now < period.end,
            url=places.bucket(period),
        )
        for place, period in enumerate(whole)
    ]
    title = f"Cost per {filters.granularity.value} by {SAID[by]}, in {currency}"
    return Plot(
        id="over-time",
        title=title,
        summary=_summary(totals, whole, filters, currency),
        specification=charts.series(
            points,
            [charts.Series(one.name, tuple(map(COST.drawn, one.points))) for one in ranked],
            shape=shape,
            granularity=filters.granularity,
            average=average,
        ),
        table=_time_table(title, ranked, totals, whole, average, places),
        api=question_address(filters, (COST,), filters.granularity.value, DIMENSIONS[by][0]),
        size="tall",
        is_empty=not ranked,
        note="The dashed line is the 7-day average." if average else "",
    )


def _together(ranked: Sequence[Standing], place: int) -> Group:
    return Group(0, sums={"cost_nanos": sum(one.points[place].sums.get("cost_nanos", 0) for one in ranked)})


def _summary(totals: Sequence[Group], whole: Sequence[Period], filters: Filters, currency: str) -> str:
    values = [COST.drawn(group) for group in totals]
    if not any(values):
        return "No costs in this period."
    most = values.index(max(values))
    when = bucket_label(whole[most].start, filters.granularity, filters)
    return f"Highest: {COST.exact(totals[most])} {currency}, {when}."


def _time_table(
    title: str,
    ranked: Sequence[Standing],
    totals: Sequence[Group],
    whole: Sequence[Period],
    average: Sequence[float | None],
    places: Places,
) -> Table:
    filters = places.filters
    rows = []
    for place in reversed(range(len(whole))):
        period = whole[place]
        name = bucket_label(period.start, filters.granularity, filters)
        first = Cell(name, value=wall(period.start, filters)[:-1], url=places.bucket(period))
        row = [first, exactly(COST, totals[place])]
        if average:
            row.append(averaged(COST, average[place]))
        rows.append([*row, *(_part(one, place, period, places) for one in ranked)])
    columns = [Column("Time"), Column("Total", is_number=True)]
    if average:
        columns.append(Column("7-day average", is_number=True))
    columns += [Column(one.name, is_number=True) for one in ranked]
    return Table("over-time-table", f"{title}, newest first", columns, rows, file="costs-over-time")


def _part(one: Standing, place: int, period: Period, places: Places) -> Cell:
    """Return the cell of what one cause came to in a bucket, which leads to its records."""
    url = places.bucket(period, **one.filter) if one.filter else ""
    return exactly(COST, one.points[place], url=url)


def exactly(measure: Measure, group: Group, *, url: str = "") -> Cell:
    """Return the cell of a value in full."""
    exact = measure.exact(group)
    return Cell(exact, value=exact.replace(",", ""), url=url, is_number=True)
