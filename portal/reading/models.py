"""What the Models page shows: trends, shares, and a leaderboard with what each model gives for its cost."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from core.periods import Period, buckets
from organizations.tenancy import Caller
from portal import charts, measures, numbers, windows
from portal.filters import Filters
from portal.measures import Measure
from portal.plots import Plot
from portal.reading.asking import UNNAMED, Asker, bucket_label, question_address, saying, wall
from portal.reading.ranking import Standing, standings
from portal.tables import Cell, Column, Sorting, Table, cell, paged, ranked, sortable
from usage.queries.facets import Facet
from usage.queries.rollups import Group

VIEWS: Final = {"requests": measures.REQUESTS, "tokens": measures.TOKENS, "cost": measures.COST}
COLUMNS: Final = (
    measures.REQUESTS,
    measures.ERROR_RATE,
    measures.LATENCY,
    measures.TOKENS,
    measures.COST,
    measures.PER_MILLION_TOKENS,
)
NAME: Final = "model"
SORTS: Final = (NAME, *(measure.name for measure in COLUMNS))

To = Callable[..., str]


@dataclass(frozen=True, slots=True)
class ModelsPage:
    """Everything on the page."""

    trends: Plot
    shares: Plot
    leaderboard: Table
    api: str


def read(
    caller: Caller, filters: Filters, now: datetime, *, view: str, sort: Sorting, to: To, here: To
) -> ModelsPage:
    """Read the page; ``here`` makes addresses of this page as it is filtered.

    Tenancy: call in the tenant's scope.
    """
    asker, measure = Asker(caller, filters), VIEWS[view]
    whole = buckets(filters.period, filters.granularity, filters.zone)
    totals = asker.by(Facet.MODEL, (*COLUMNS, measures.UNPRICED))
    found = standings(asker, Facet.MODEL, totals, tuple(VIEWS.values()), measure)
    return ModelsPage(
        trends=_trends(asker, found, whole, now, measure, to),
        shares=_shares(asker, found, measure, to),
        leaderboard=_leaderboard(asker, totals, sort, to, here),
        api=question_address(filters, COLUMNS, "total", Facet.MODEL),
    )


def _unit(measure: Measure, asker: Asker) -> str:
    return f" {asker.caller.currency}" if measure.is_money else ""


def _trends(
    asker: Asker, leading: list[Standing], whole: list[Period], now: datetime, measure: Measure, to: To
) -> Plot:
    filters, unit = asker.filters, _unit(measure, asker)

    def records(period: Period, **also: str) -> str:
        return windows.bucket(to, period, filters.zone, **{**filters.what, **also})

    points = [
        charts.Bucket(
            start=wall(period.start, filters),
            end=wall(period.end, filters),
            label=bucket_label(period.start, filters.granularity, filters),
            exact=tuple(f"{measure.exact(one.points[place])}{unit}" for one in leading),
            partial=now < period.end,
            url=records(period),
        )
        for place, period in enumerate(whole)
    ]
    lines = [charts.Series(one.name, tuple(map(measure.drawn, one.points))) for one in leading]
    columns = [
        Column("Time"),
        *(Column(f"{one.name}{unit and ','}{unit}", is_number=True) for one in leading),
    ]
    rows = [
        [
            Cell(point.label, value=point.start[:-1], url=point.url),
            *(
                _exact(
                    measure,
                    one.points[place],
                    url=records(whole[place], **one.filter) if one.filter else "",
                )
                for one in leading
            ),
        ]
        for place, point in enumerate(points)
    ]
    title = f"{measure.label} over time"
    first = f"Highest: {leading[0].name}." if leading else "No data in this period."
    return Plot(
        id="trends",
        title=title,
        summary=first,
        specification=charts.series(points, lines, shape="lines", granularity=filters.granularity),
        table=Table("trends-table", f"{title}, newest first", columns, rows[::-1], file="model-trends"),
        api=question_address(filters, tuple(VIEWS.values()), filters.granularity.value, Facet.MODEL),
        size="tall",
        is_empty=not leading,
    )


def _shares(asker: Asker, leading: list[Standing], measure: Measure, to: To) -> Plot:
    whole = sum(measure.drawn(one.total) for one in leading)
    slices, rows = [], []
    for one in leading:
        share = measure.drawn(one.total) / whole if whole else 0.0
        exact, percent = measure.with_unit(one.total, asker.caller.currency), f"{share:.1%}"
        url = to("logs", **{**asker.filters.parameters, **one.filter}) if one.filter else ""
        slices.append(charts.Slice(one.name, measure.drawn(one.total), exact, percent, url))
        rows.append(
            [
                Cell(one.name, url=url),
                _exact(measure, one.total, url=url),
                Cell(percent, value=f"{share:.6f}", is_number=True),
            ]
        )
    unit = _unit(measure, asker)
    head = f"{measure.label}{unit and ','}{unit}"
    columns = [Column("Model"), Column(head, is_number=True), Column("Share", is_number=True)]
    said = ", ".join(f"{one.name} {one.share}" for one in slices[:3])
    return Plot(
        id="shares",
        title=f"Share of {measure.label.lower()}",
        summary=f"{said}." if said else "No data in this period.",
        specification=charts.donut(slices, title=measure.label),
        table=Table(
            "shares-table", f"Models by share of {measure.label.lower()}", columns, rows, file="model-shares"
        ),
        api=question_address(asker.filters, tuple(VIEWS.values()), "total", Facet.MODEL),
        size="ring",
        is_empty=not whole,
    )


def _exact(measure: Measure, group: Group, *, url: str) -> Cell:
    exact = measure.exact(group)
    return Cell(exact, value=exact.replace(",", ""), url=url, is_number=True)


def _leaderboard(asker: Asker, totals: Sequence[Group], sort: Sorting, to: To, here: To) -> Table:
    ranks = {group.values[0]: rank for rank, group in enumerate(totals, start=1)}
    shown, pages = paged(_sorted(totals, sort), sort, here)
    currency = asker.caller.currency
    rows = [
        [
            _named(str(group.values[0]), asker.filters, to),
            Cell(numbers.exact(ranks[group.values[0]]), is_number=True),
            *(cell(measure, group, currency, note=measure.lacks(group)) for measure in COLUMNS),
        ]
        for group in shown
    ]
    columns = [
        sortable("Model", NAME, sort, here, rising=True),
        Column("Rank", is_number=True, meaning="by requests"),
        *(
            sortable(
                f"{measure.label}, {currency}" if measure.is_money else measure.label,
                measure.name,
                sort,
                here,
            )
            for measure in COLUMNS
        ),
    ]
    return Table(
        "leaderboard",
        "Ranked by requests",
        columns,
        rows,
        pages=pages,
        file="models",
        stacks=True,
    )


def _sorted(totals: Sequence[Group], sort: Sorting) -> list[Group]:
    if sort.by == NAME:
        return sorted(totals, key=lambda group: str(group.values[0]).lower(), reverse=sort.descending)
    measure = next(measure for measure in COLUMNS if measure.name == sort.by)
    return ranked(totals, measure.number, descending=sort.descending)


def _named(name: str, filters: Filters, to: To) -> Cell:
    if not name:
        return Cell(UNNAMED, url=to("logs", **filters.parameters, **saying("model", "")))
    return Cell(name, value=name, url=to("usage", **{**filters.parameters, "model": name}))
