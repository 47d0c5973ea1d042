"""What the Usage page shows: figures with their changes, use over time, by hour, capability and key."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from core.periods import Granularity, Period, buckets
from organizations.tenancy import Caller
from portal import charts, measures, numbers, times, windows
from portal.figures import Card, card
from portal.filters import Filters
from portal.kinds import NOTHING, together
from portal.measures import Measure
from portal.plots import Plot
from portal.reading.asking import Asker, bucket_label, question_address, wall
from portal.reading.breakdowns import Breakdown, breakdown
from portal.reading.days import AVERAGE_DAYS, MONTH_DAYS, Daily, Growth, averaged
from portal.reading.hours import Hour, Hours
from portal.reading.views import MAIN, VIEWS, View, columns_of, headed
from portal.tables import Cell, Column, Sorting, Table, exact_cell
from usage.queries.buckets import Buckets
from usage.queries.facets import Facet
from usage.queries.rollups import Group

FIGURES: Final = (
    *MAIN,
    measures.PROMPT,
    measures.COMPLETION,
    measures.SUCCESS_RATE,
    measures.LATENCY,
)
WORK: Final = (
    measures.CONVERSATIONS,
    measures.MESSAGES,
    measures.PAGES,
    measures.PROCESSOR_RUNS,
    measures.DOCUMENTS,
    measures.EXECUTIONS,
    measures.FAILED_EXECUTIONS,
    measures.QUOTA,
    measures.CREDITS,
)
COLUMNS: Final = (
    measures.REQUESTS,
    measures.ERRORS,
    measures.PROMPT,
    measures.COMPLETION,
    measures.TOKENS,
    measures.COST,
    measures.LATENCY,
)
"""What the table of use over time tells in every view; a view of something else tells that too."""
FAILED: Final = (measures.SUCCESS_RATE, measures.FAILED_EXECUTIONS)
"""What is read of failures: such figures lead to the requests that failed."""
_OF_FAILURES: Final = {"status": "error"}
EVERY: Final = tuple(dict.fromkeys((*FIGURES, *COLUMNS, *WORK, measures.UNPRICED)))
To = Callable[..., str]


@dataclass(frozen=True, slots=True)
class UsagePage:
    """Everything on the page."""

    cards: list[Card]
    against: str | None
    over_time: Plot
    growth: list[Growth]
    work: list[Card]
    ratio: str | None
    views: list[str]
    hours: Plot
    hour: Hour | None
    capabilities: Breakdown
    keys: Breakdown
    api: str


def read(
    caller: Caller,
    filters: Filters,
    now: datetime,
    *,
    view: str,
    shape: str,
    at: tuple[int, int] | None,
    sort: Sorting,
    to: To,
    here: To,
) -> UsagePage:
    """Read the page; ``here`` makes addresses of this page as it is filtered.

    ``at`` are the weekday and hour whose every occurrence is told, if any.

    Tenancy: call in the tenant's scope.
    """
    asker = Asker(caller, filters)
    current = asker.total(EVERY, filters.period) or NOTHING
    before = asker.total(EVERY, filters.before)
    seen, whole = VIEWS[view], VIEWS[view].whole
    daily = Daily.of(asker, (whole, measures.UNPRICED), now)
    drawn = _Drawn.of(asker, now)
    hours = Hours.of(asker, whole, to, here, told=at is not None)
    sparks = drawn.groups[:-1] if drawn.ends_now else drawn.groups

    def figure(one: Measure) -> Card:
        url = to("logs", **filters.parameters, **(_OF_FAILURES if one in FAILED else {}))
        more = {"is_main": one in MAIN, "url": url, "note": one.lacks(current)}
        return card(one, current, before, sparks, caller.currency, **more)

    return UsagePage(
        cards=[figure(one) for one in FIGURES],
        against=None if filters.before is None else times.days(filters.before, filters.zone),
        over_time=_over_time(drawn, daily, seen, shape, caller, to),
        growth=[
            one
            for days in (AVERAGE_DAYS, MONTH_DAYS)
            if (one := daily.growth(whole, days, caller.currency, here))
        ],
        work=[figure(one) for one in WORK],
        ratio=_ratio(current),
        views=[
            name
            for name, one in VIEWS.items()
            if name == view or not one.is_rare or one.whole.number(current)
        ],
        hours=hours.plot(seen.label),
        hour=None if at is None else hours.told(*at),
        capabilities=breakdown(asker, Facet.CAPABILITY, whole, sort, to, here),
        keys=breakdown(asker, Facet.CLIENT, whole, sort, to, here),
        api=question_address(filters, EVERY, "total"),
    )


@dataclass(frozen=True, slots=True)
class _Drawn:
    """The buckets of the bar's days, with what adds up in each."""

    filters: Filters
    granularity: Granularity
    starts: list[Period]
    groups: list[Group]
    now: datetime

    @classmethod
    def of(cls, asker: Asker, now: datetime) -> _Drawn:
        filters = asker.filters
        whole = buckets(filters.period, filters.granularity, filters.zone)
        series = Buckets.over(filters.period, filters.granularity, filters.zone)
        return cls(filters, filters.granularity, whole, asker.series(EVERY, filters.period, series), now)

    @property
    def ends_now(self) -> bool:
        """Whether the last bucket isn't over."""
        return bool(self.starts) and self.now < self.starts[-1].end


def _over_time(drawn: _Drawn, daily: Daily, view: View, shape: str, caller: Caller, to: To) -> Plot:
    shown, whole = view.drawn, view.whole
    points = [_bucket(drawn, place, shown, caller, to) for place in range(len(drawn.starts))]
    is_daily = drawn.granularity is Granularity.DAY
    average = daily.averages(whole, [period.start for period in drawn.starts]) if is_daily else []
    unit = f" in {caller.currency}" if whole.is_money else " in ms" if whole is measures.LATENCY else ""
    title = f"{view.label} per {drawn.granularity.value}{unit}"
    return Plot(
        id="over-time",
        title=title,
        summary=_summary(drawn, whole, points),
        specification=charts.series(
            points,
            [charts.Series(one.label, tuple(_height(one, group) for group in drawn.groups)) for one in shown],
            shape=shape,
            granularity=drawn.granularity,
            average=average,
        ),
        table=_time_table(drawn, title, view, average, caller, to),
        api=question_address(drawn.filters, _asked_of(whole), drawn.granularity.value),
        size="tall",
        is_empty=not any(group.sums.get("requests") for group in drawn.groups),
        note="The dashed line is the 7-day average." if average else "",
    )


def _asked_of(whole: Measure) -> tuple[Measure, ...]:
    return (*columns_of(COLUMNS, whole), measures.UNPRICED)


def _bucket(drawn: _Drawn, place: int, shown: Iterable[Measure], caller: Caller, to: To) -> charts.Bucket:
    period, group, filters = drawn.starts[place], drawn.groups[place], drawn.filters
    return charts.Bucket(
        start=wall(period.start, filters),
        end=wall(period.end, filters),
        label=bucket_label(period.start, drawn.granularity, filters),
        exact=tuple(one.with_unit(group, caller.currency) for one in shown),
        partial=drawn.now < period.end,
        url=_records_of(period, filters, to, **(_OF_FAILURES if measures.ERRORS in shown else {})),
    )


def _height(measure: Measure, group: Group) -> float | None:
    """Return what is drawn of a bucket; nothing where there is no value."""
    return None if measure.number(group) is None else measure.drawn(group)


def _records_of(period: Period, filters: Filters, to: To, **also: str) -> str:
    """Return where the records of a bucket are listed."""
    return windows.bucket(to, period, filters.zone, **filters.what, **also)


def _summary(drawn: _Drawn, measure: Measure, points: list[charts.Bucket]) -> str:
    """Say in words what the chart shows at a glance."""
    if not points:
        return f"{measure.label}: no data."
    values = [measure.drawn(group) for group in drawn.groups]
    most = values.index(max(values))
    if not values[most]:
        lacks = measure.lacks(together(drawn.groups))
        return f"{measure.label}: {lacks or 'no data in this period'}."
    return f"{measure.label}: highest {measure.exact(drawn.groups[most])}, {points[most].label}."


def _time_table(
    drawn: _Drawn, title: str, view: View, average: Sequence[float | None], caller: Caller, to: To
) -> Table:
    filters, whole, rows = drawn.filters, view.whole, []
    told = columns_of(COLUMNS, whole)
    for place in reversed(range(len(drawn.starts))):
        period, group = drawn.starts[place], drawn.groups[place]
        name = bucket_label(period.start, drawn.granularity, filters)
        first = Cell(name, value=wall(period.start, filters)[:-1], url=_records_of(period, filters, to))
        failed = _records_of(period, filters, to, **_OF_FAILURES) if group.sums.get("errors") else ""
        row = [
            first,
            *(
                exact_cell(one, group, url=failed if one is measures.ERRORS else "", note=one.lacks(group))
                for one in told
            ),
        ]
        rows.append([*row, averaged(whole, average[place])] if average else row)
    columns = [Column("Time"), *(Column(headed(one, caller), is_number=True) for one in told)]
    if average:
        unit = f", {caller.currency}" if whole.is_money else ""
        columns.append(Column(f"{view.label}, 7-day average{unit}", is_number=True))
    return Table("over-time-table", f"{title}, newest first", columns, rows, file="usage-over-time")


def _ratio(current: Group) -> str | None:
    conversations = current.meters.get("conversations")
    messages = current.meters.get("messages")
    if not conversations or not messages:
        return None
    return numbers.exact((messages / conversations).quantize(Decimal("0.01")))
