"""What the Overview shows: the figures of the billing period, and the last 90 days. It only reads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final

from core.periods import Period, billing_period, local_date, zone
from organizations.tenancy import Caller
from portal import charts, costs, headroom, numbers, recent, sparkline, times, tops
from portal.headroom import Headroom
from portal.kinds import KINDS, NOTHING, REQUESTS, Kind, together
from portal.measures import NONE, Measure, is_unpriced
from portal.numbers import Change, Number
from portal.plots import Plot
from portal.reading.views import MAIN, headed
from portal.recent import Recent
from portal.tables import Cell, Column, Table, exact_cell
from usage import reading
from usage.queries.records import RecordQuery, StoredRecord, find_records
from usage.queries.rollups import Group
from usage.queries.totals import Subject, Totals, daily, totals

DAYS: Final = 90
SPARK_DAYS: Final = 30
MEASURES: Final = {measure.name: measure for measure in MAIN}
_MINUTE: Final = timedelta(minutes=1)

DayOf = tuple[datetime, Group]
To = Callable[..., str]


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of the period with its change; ``unit`` is the currency of an amount that is known."""

    kind: Kind
    short: str
    exact: str
    unit: str
    change: Change | None
    before: str | None
    spark: str
    note: str = ""
    url: str = ""

    @property
    def plain(self) -> str:
        """The exact figure as a machine reads it."""
        return self.exact.replace(",", "")


@dataclass(frozen=True, slots=True)
class Windows:
    """The billing period, and as much of the one before as has passed of this one.

    ``before`` is None when the history begins later.
    """

    current: Period
    before: Period | None


@dataclass(frozen=True, slots=True)
class Overview:
    """Everything on the page; ``latest`` is the newest record when the last days have none.

    ``is_new`` tells that of the last days only today has any; ``counted`` is what the chart counts.
    ``headroom`` is None for those who may not know of limits.
    """

    period: str
    against: str | None
    updated: str
    figures: list[Figure]
    headroom: Headroom | None
    chart: Plot
    counted: str
    tops: list[Table]
    recent: Recent
    is_quiet: bool
    is_new: bool
    latest: str | None


def windows(caller: Caller, now: datetime) -> Windows:
    """Return the billing period so far, and the same stretch of the one before."""
    tz = zone(caller.timezone)
    since = reading.history_of(caller, now)
    current = billing_period(now, tz)
    before = billing_period(current.start - _MINUTE, tz)
    passed = max((now - current.start) // _MINUTE * _MINUTE, _MINUTE)
    stretch = Period(before.start, min(before.start + passed, before.end))
    cut_off = Period(max(current.start, since), max(current.end, since))
    return Windows(cut_off, stretch if before.start >= since else None)


def read(caller: Caller, now: datetime, *, measure: str, shape: str, to: To) -> Overview:
    """Read the page's figures; ``to`` makes addresses of pages in the organization.

    Tenancy: call in the tenant's scope.
    """
    tz = zone(caller.timezone)
    subject = Subject(caller.organization_id, caller.rollup_timezone)
    window = windows(caller, now)
    current = totals(subject, window.current, now)
    before = None if window.before is None else totals(subject, window.before, now)
    days = _days(subject, caller, now)
    is_quiet = not any(group.sums for _, group in days)
    latest = _latest(caller, now) if is_quiet else None
    said = costs.note(subject, caller, current, now)
    return Overview(
        period=times.days(window.current, tz),
        against=None if window.before is None else _against(window.before, caller),
        updated=times.clock(now, tz),
        figures=[
            _figure(
                kind,
                current,
                before,
                days,
                url=_made_of(kind, to),
                **({"unit": caller.currency, "note": said} if kind.is_money else {}),
            )
            for kind in KINDS
        ],
        headroom=headroom.read(caller, now, to),
        chart=_chart(MEASURES[measure], shape, days, caller, to),
        counted=MEASURES[measure].label.lower(),
        tops=tops.read(caller, window.current, MEASURES[measure], to),
        recent=recent.read(caller, to),
        is_quiet=is_quiet,
        is_new=[place for place, (_, group) in enumerate(days) if group.sums] == [len(days) - 1],
        latest=None if latest is None else times.minute(latest.occurred_at, tz),
    )


def _days(subject: Subject, caller: Caller, now: datetime) -> list[DayOf]:
    since = reading.history_of(caller, now)
    found = daily(subject, DAYS, now, caller.timezone, since=since)
    return [(start, group or NOTHING) for start, group in found if start >= since]


def _latest(caller: Caller, now: datetime) -> StoredRecord | None:
    since = reading.history_of(caller, now)
    window = reading.all_history(since, now)
    found = find_records(RecordQuery(window.start, window.end, take=1))
    return found[0] if found else None


def _against(before: Period, caller: Caller) -> str:
    tz = zone(caller.timezone)
    end = before.end.astimezone(tz)
    is_whole_days = end.time() == time.min
    return times.days(before, tz) if is_whole_days else f"{times.days(before, tz)}, {end:%H:%M}"


def _made_of(kind: Kind, to: To) -> str:
    """Return where a figure's parts are shown."""
    view = {"tpm": "tokens", "rpm": ""}.get(kind.name, "" if kind is REQUESTS else kind.name)
    return to("usage", range="month", view=view)


def _figure(
    kind: Kind,
    current: Totals,
    before: Totals | None,
    days: list[DayOf],
    *,
    url: str,
    unit: str = "",
    note: str = "",
) -> Figure:
    value = _number(kind, current)
    earlier = None if before is None else _number(kind, before)
    return Figure(
        kind=kind,
        short=NONE if value is None else kind.writer.short(value),
        exact=_exact(kind, value),
        unit="" if value is None else unit,
        change=None if value is None or earlier is None else numbers.change(value, earlier),
        before=None if before is None else _exact(kind, earlier),
        spark=sparkline.path([kind.drawn(group) for _, group in days[-SPARK_DAYS - 1 : -1]]),
        note=note,
        url=url,
    )


def _number(kind: Kind, sums: Totals) -> Number | None:
    """Return a figure of a period; None of an amount that has nothing priced in it."""
    is_unknown = kind.is_money and is_unpriced(sums.cost_nanos, sums.unpriced)
    return None if is_unknown else kind.of(sums)


def _exact(kind: Kind, value: Number | None) -> str:
    return NONE if value is None else kind.writer.exact(value)


def _chart(measure: Measure, shape: str, days: list[DayOf], caller: Caller, to: To) -> Plot:
    tz = zone(caller.timezone)
    unit = f" in {caller.currency}" if measure.is_money else ""
    dates = [local_date(start, tz) for start, _ in days]
    drawn = [
        charts.Day(
            day=day.isoformat(),
            label=f"{day:%a} {times.day(day)}",
            value=measure.drawn(group),
            exact=measure.with_unit(group, caller.currency),
            partial=day == dates[-1],
            url=_records_of(day, to),
        )
        for day, (_, group) in zip(dates, days, strict=True)
    ]
    return Plot(
        id="daily",
        title=f"{measure.label} per day{unit}, last {len(days)} days",
        summary=_summary(measure, drawn, [group for _, group in days]),
        specification=charts.daily(drawn, shape=shape, title=measure.label),
        table=_table(dates, days, caller, to),
    )


def _table(dates: list[date], days: list[DayOf], caller: Caller, to: To) -> Table:
    rows = [
        [
            Cell(times.day(day), value=day.isoformat(), url=_records_of(day, to)),
            *(exact_cell(one, group, note=one.lacks(group)) for one in MAIN),
        ]
        for day, (_, group) in zip(dates, days, strict=True)
    ]
    return Table(
        "daily-table",
        f"By day in {times.zone_label(zone(caller.timezone), days[-1][0])}, newest first",
        [Column("Day"), *(Column(headed(one, caller), is_number=True) for one in MAIN)],
        rows[::-1],
        file="overview-daily",
    )


def _records_of(day: date, to: To) -> str:
    """Return where the records of a day are listed."""
    return to("logs", range="custom", from_=day.isoformat(), to=day.isoformat())


def _summary(measure: Measure, drawn: list[charts.Day], groups: list[Group]) -> str:
    """Say in words what the chart shows at a glance."""
    highest = max(drawn, key=lambda one: one.value)
    if not highest.value:
        lacks = measure.lacks(together(groups))
        return f"{measure.label}: {lacks or f'no data in the last {len(drawn)} days'}."
    today = drawn[-1].exact if measure.number(groups[-1]) is not None else measure.lacks(groups[-1])
    return f"{measure.label}: at most {highest.exact}, on {highest.label}; {today} today so far."
