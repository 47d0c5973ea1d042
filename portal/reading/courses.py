"""The chart of an event: how it went around the moment when it fired, and what it was held against."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from django.urls import reverse

from alerts.figures import MILLISECONDS, PERCENT, figure, is_currency
from alerts.models import Event, Span
from alerts.rules.courses import Basis, Course, Point, course
from alerts.rules.words import metric_name
from core.periods import zone
from organizations.tenancy import Caller
from portal import charts, times
from portal.measures import NONE
from portal.plots import Plot
from portal.tables import Cell, Column, Table
from usage import reading

_TITLES: Final = {
    Basis.USUAL: "{metric} per hour",
    Basis.SO_FAR: "{metric} so far",
    Basis.SPENT: "Spend within the limit's window",
}
_NOTES: Final = {
    Basis.JUDGED: "Each point covers {window} before it. The dashed line is the threshold.",
    Basis.CHANGE: (
        "Each point covers {window} before it. The dashed line is the threshold: {change} than in the same"
        " time before."
    ),
    Basis.TRAFFIC: "Each point covers {window} before it. The alert fires when there are no requests at all.",
    Basis.USUAL: (
        "Each point is one hour. The dashed line is where that hour becomes unusual, compared with the same"
        " hour of the weeks before."
    ),
    Basis.SO_FAR: (
        "Each point is the total so far. The alert fires when the forecast for the whole period reaches the"
        " threshold, the dashed line."
    ),
    Basis.SPENT: "The dashed line is the share of the limit that the alert is about.",
    Basis.USED: (
        "How much was granted at each past moment isn't kept, so the share used can't be drawn. Shown"
        " instead: {metric} used in the 24 hours before each point."
    ),
    Basis.REQUESTS: (
        "API calls are counted per minute for one day only, so past minutes can't be drawn. Shown instead:"
        " requests recorded in the hour before each point."
    ),
}
_WINDOWS: Final = {
    Span.DAY: "the day so far",
    Span.WEEK: "the week so far",
    Span.MONTH: "the month so far",
}
_KEPT: Final = "What was spent up to the alert. The dashed line is {share} of the limit."
_GONE: Final = "Usage from before {day} is no longer kept, so there is no chart."
_UNKNOWN: Final = "The rule has changed since this alert, and its earlier settings aren't known: no chart."


def chart(event: Event, caller: Caller, now: datetime) -> Plot | None:
    """Return the chart of an event: that which was kept with it, else one that is read anew.

    Tenancy: call in the tenant's scope.
    """
    if event.chart:
        return _kept(event, event.chart, caller)
    found = course(event, now, reading.history_of(caller, now))
    if found is None:
        return None
    metric, window = metric_name(found.rule.metric), _window(found)
    named = {"metric": metric, "window": window, "change": _change(event, found)}
    title = _TITLES.get(found.basis, "{metric} over {window}").format(**named | {"window": _over(found)})
    note = _NOTES[found.basis].format(**named | {"metric": metric.lower()})
    least = found.rule.least_requests
    if least and found.basis in (Basis.JUDGED, Basis.CHANGE):
        note = f"{note} Windows with fewer than {least} requests are not evaluated."
    return _plot(event, found.points, found.unit, title, note, caller)


def _in_unit(title: str, unit: str) -> str:
    """Name the unit of a chart's axis, where the title does not name what is counted."""
    if unit == PERCENT:
        return f"{title}, %"
    return f"{title}, {unit}" if unit == MILLISECONDS or is_currency(unit) else title


def why_not(event: Event, caller: Caller, now: datetime) -> str:
    """Say why an event has no chart; nothing where none is to be expected."""
    since = reading.history_of(caller, now)
    if event.fired_at < since:
        return _GONE.format(day=times.day(since.astimezone(zone(caller.timezone)).date()))
    return _UNKNOWN if event.rule_id is not None else ""


def _window(found: Course) -> str:
    span = Span(found.rule.window) if found.rule.window else Span.HOUR
    return _WINDOWS.get(span, f"the {str(span.label).removeprefix('1 ')}")


def _over(found: Course) -> str:
    span = Span(found.rule.window) if found.rule.window else Span.HOUR
    return _WINDOWS.get(span, str(span.label))


def _change(event: Event, found: Course) -> str:
    if event.threshold is None:
        return ""
    more = "more" if found.rule.condition == "rises" else "less"
    return f"{figure(event.threshold, event.unit)} {more}"


def _kept(event: Event, kept: dict[str, Any], caller: Caller) -> Plot:
    limit = kept.get("threshold")
    share = Decimal(100) if event.threshold is None or event.unit != PERCENT else event.threshold
    held = None if limit is None else Decimal(str(limit)) * share / 100
    points = [Point(datetime.fromisoformat(at), Decimal(str(value)), held) for at, value in kept["points"]]
    unit = str(kept.get("unit") or event.unit)
    return _plot(
        event, points, unit, _TITLES[Basis.SPENT], _KEPT.format(share=figure(share, PERCENT)), caller
    )


def _plot(event: Event, points: Sequence[Point], unit: str, title: str, note: str, caller: Caller) -> Plot:
    tz = zone(caller.timezone)
    levels = [
        charts.Level(
            at=times.wall(one.at, tz),
            label=times.minute(one.at, tz),
            value=None if one.value is None else float(one.value),
            exact=NONE if one.value is None else figure(one.value, unit),
            limit=None if one.threshold is None else float(one.threshold),
            held=NONE if one.threshold is None else figure(one.threshold, unit),
        )
        for one in points
    ]
    happened = [("Fired", event.fired_at)]
    if event.resolved_at is not None and points and event.resolved_at <= points[-1].at:
        happened.append(("Resolved", event.resolved_at))
    marks = [charts.Mark(times.wall(moment, tz), name) for name, moment in happened]
    return Plot(
        id="event",
        title=_in_unit(title, unit),
        summary=_summary(event, levels, caller),
        specification=charts.level(levels, marks),
        table=_table(title, levels, marks),
        api=reverse("alert-event", args=[event.pk]),
        is_empty=not levels,
        note=note,
    )


def _summary(event: Event, levels: Sequence[charts.Level], caller: Caller) -> str:
    known = [(one.value, one) for one in levels if one.value is not None]
    if not known:
        return "Nothing."
    tz = zone(caller.timezone)
    _, highest = max(known, key=lambda pair: pair[0])
    over = event.resolved_at
    told = f"Fired {times.minute(event.fired_at, tz)}"
    told += ", still open" if over is None else f", resolved {times.minute(over, tz)}"
    return f"At most {highest.exact}, {highest.label}. {told}."


def _table(title: str, levels: Sequence[charts.Level], marks: Sequence[charts.Mark]) -> Table:
    limited = any(one.limit is not None for one in levels)
    names = {one.at: one.name for one in marks}
    columns = [Column("When"), Column("Value", is_number=True)]
    if limited:
        columns.append(Column("Threshold", is_number=True))
    rows = []
    for one in levels:
        row = [Cell(one.label, value=one.at[:-1]), Cell(one.exact, is_number=True)]
        if limited:
            row.append(Cell(one.held, is_number=True))
        rows.append([*row, Cell(names.get(one.at, ""))])
    return Table(
        "event-table",
        f"{title}, oldest first",
        [*columns, Column("Event")],
        rows,
        empty="No usage was recorded around this alert.",
        file="alert",
    )
