"""What the Usage page shows: figures with their changes, use over time, by hour, capability and key."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from core.periods import Granularity, Period, buckets
from organizations.models import Credential
from organizations.tenancy import Caller
from portal import charts, measures, numbers, times, windows
from portal.figures import Card, card
from portal.filters import Filters
from portal.kinds import NOTHING
from portal.measures import Measure
from portal.plots import Plot
from portal.reading.asking import UNNAMED, Asker, bucket_label, question_address, wall
from portal.reading.days import AVERAGE_DAYS, MONTH_DAYS, Daily, Growth
from portal.reading.hours import by_hour
from portal.tables import Cell, Column, Table, cell, exact_cell
from usage.queries.buckets import Buckets
from usage.queries.facets import Facet
from usage.queries.rollups import Group

VIEWS: Final = {
    "requests": (measures.REQUESTS,),
    "tokens": (measures.PROMPT, measures.COMPLETION),
    "cost": (measures.COST,),
}
VIEW_NAMES: Final = {"requests": "Requests", "tokens": "Tokens", "cost": "Cost"}
_WHOLE: Final = {"requests": measures.REQUESTS, "tokens": measures.TOKENS, "cost": measures.COST}
MAIN: Final = (measures.REQUESTS, measures.TOKENS, measures.COST)
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
)
COLUMNS: Final = (
    measures.REQUESTS,
    measures.ERRORS,
    measures.PROMPT,
    measures.COMPLETION,
    measures.TOKENS,
    measures.COST,
)
FAILED: Final = (measures.SUCCESS_RATE, measures.FAILED_EXECUTIONS)
"""What is read of failures: such figures lead to the requests that failed."""
EVERY: Final = tuple(dict.fromkeys((*FIGURES, *COLUMNS, *WORK)))
BREAKDOWN: Final = (measures.REQUESTS, measures.ERROR_RATE, measures.TOKENS, measures.COST)
TOP: Final = 12

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
    hours: Plot
    capabilities: Table
    keys: Table
    api: str


def read(caller: Caller, filters: Filters, now: datetime, *, view: str, shape: str, to: To) -> UsagePage:
    """Read the page; ``to`` makes addresses of pages in the organization.

    Tenancy: call in the tenant's scope.
    """
    asker = Asker(caller, filters)
    current = asker.total(EVERY, filters.period) or NOTHING
    before = asker.total(EVERY, filters.before)
    daily = Daily.of(asker, MAIN, now)
    drawn = _Drawn.of(asker, now)
    whole = _WHOLE[view]
    sparks = drawn.groups[:-1] if drawn.ends_now else drawn.groups

    def figure(one: Measure) -> Card:
        url = to("logs", **filters.parameters, **({"status": "error"} if one in FAILED else {}))
        return card(one, current, before, sparks, caller.currency, is_main=one in MAIN, url=url)

    return UsagePage(
        cards=[figure(one) for one in FIGURES],
        against=None if filters.before is None else times.days(filters.before, filters.zone),
        over_time=_over_time(drawn, daily, view, shape, caller, to),
        growth=[daily.growth(whole, days) for days in (AVERAGE_DAYS, MONTH_DAYS) if daily.reaches(days)],
        work=[figure(one) for one in WORK],
        ratio=_ratio(current),
        hours=by_hour(asker, whole, VIEW_NAMES[view]),
        capabilities=_breakdown(asker, Facet.CAPABILITY, whole, to),
        keys=_by_key(asker, whole, to),
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


def _over_time(drawn: _Drawn, daily: Daily, view: str, shape: str, caller: Caller, to: To) -> Plot:
    shown, whole = VIEWS[view], _WHOLE[view]
    points = [_bucket(drawn, place, shown, caller, to) for place in range(len(drawn.starts))]
    is_daily = drawn.granularity is Granularity.DAY
    average = [daily.average(whole, period.start) for period in drawn.starts] if is_daily else []
    unit = f" in {caller.currency}" if whole.is_money else ""
    title = f"{VIEW_NAMES[view]} per {drawn.granularity.value}{unit}"
    return Plot(
        id="over-time",
        title=title,
        summary=_summary(drawn, whole, points),
        specification=charts.series(
            points,
            [charts.Series(one.label, tuple(map(one.drawn, drawn.groups))) for one in shown],
            shape=shape,
            granularity=drawn.granularity,
            average=average if any(value is not None for value in average) else (),
        ),
        table=_time_table(drawn, title, caller, to),
        api=question_address(drawn.filters, COLUMNS, drawn.granularity.value),
        size="tall",
        is_empty=not any(group.sums.get("requests") for group in drawn.groups),
        note="The dashed line is the 7-day average." if average else "",
    )


def _bucket(drawn: _Drawn, place: int, shown: Iterable[Measure], caller: Caller, to: To) -> charts.Bucket:
    period, group, filters = drawn.starts[place], drawn.groups[place], drawn.filters
    return charts.Bucket(
        start=wall(period.start, filters),
        end=wall(period.end, filters),
        label=bucket_label(period.start, drawn.granularity, filters),
        exact=tuple(one.with_unit(group, caller.currency) for one in shown),
        partial=drawn.now < period.end,
        url=_records_of(period, filters, to),
    )


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
        return f"{measure.label}: no data in this period."
    return f"{measure.label}: highest {measure.exact(drawn.groups[most])}, {points[most].label}."


def _time_table(drawn: _Drawn, title: str, caller: Caller, to: To) -> Table:
    rows = []
    for period, group in zip(reversed(drawn.starts), reversed(drawn.groups), strict=True):
        name = bucket_label(period.start, drawn.granularity, drawn.filters)
        first = Cell(
            name, value=wall(period.start, drawn.filters)[:-1], url=_records_of(period, drawn.filters, to)
        )
        rows.append([first, *(exact_cell(one, group) for one in COLUMNS)])
    columns = [Column("Time"), *(Column(_headed(one, caller), is_number=True) for one in COLUMNS)]
    return Table("over-time-table", f"{title}, newest first", columns, rows, file="usage-over-time")


def _headed(measure: Measure, caller: Caller) -> str:
    return f"{measure.label}, {caller.currency}" if measure.is_money else measure.label


def _ratio(current: Group) -> str | None:
    conversations = current.meters.get("conversations")
    messages = current.meters.get("messages")
    if not conversations or not messages:
        return None
    return numbers.exact((messages / conversations).quantize(Decimal("0.01")))


def _breakdown(asker: Asker, facet: Facet, by: Measure, to: To) -> Table:
    found = asker.by(facet, (*BREAKDOWN, by))
    filters = asker.filters

    def first(group: Group) -> Cell:
        name = str(group.values[0])
        if not name:
            return Cell(UNNAMED)
        return Cell(name, value=name, url=to("usage", **{**filters.parameters, facet.value: name}))

    return _table(asker, found, by, first, facet.value, "Capability", "capabilities")


def _by_key(asker: Asker, by: Measure, to: To) -> Table:
    found = asker.by(Facet.CLIENT, (*BREAKDOWN, by))
    keys: dict[int, Credential] = {key.pk: key for key in Credential.objects.all()}
    filters = asker.filters

    def first(group: Group) -> Cell:
        key = keys[group.values[0]]
        url = to("usage", **{**filters.parameters, "clientId": key.client_id})
        return Cell(key.name, value=key.client_id, note=key.client_id, url=url)

    return _table(asker, found, by, first, "clientId", "API key", "keys")


def _table(
    asker: Asker,
    found: list[Group],
    by: Measure,
    first: Callable[[Group], Cell],
    facet: str,
    heading: str,
    file: str,
) -> Table:
    ranked = sorted(found, key=lambda group: -by.drawn(group))
    most = max((by.drawn(group) for group in ranked), default=0.0)
    currency = asker.caller.currency
    rows: list[list[Cell]] = []
    for group in ranked[:TOP]:
        cells = [cell(one, group, currency, share=_share(one, by, group, most)) for one in BREAKDOWN]
        rows.append([first(group), *cells])
    hidden = len(ranked) - TOP
    caption = f"{heading} by {by.label.lower()}, highest first" + (
        f"; top {TOP} of {len(ranked)}" if hidden > 0 else ""
    )
    columns = [Column(heading), *(Column(_headed(one, asker.caller), is_number=True) for one in BREAKDOWN)]
    return Table(f"by-{facet}", caption, columns, rows, file=f"usage-by-{file}", stacks=True)


def _share(one: Measure, by: Measure, group: Group, most: float) -> str:
    """Return how long the bar of a row is, in hundredths of the longest."""
    return f"{by.drawn(group) / most * 100:.1f}" if one is by and most else ""
