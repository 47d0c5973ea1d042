"""The figures of the Usage page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from portal import measures, numbers, sparkline
from tests.contracts.figures import charts
from tests.contracts.figures.asking import Api, Row, before_of, called, chosen_of, moment
from tests.contracts.figures.claims import (
    Claims,
    Is,
    Moved,
    kind_of,
    numbers_in,
)
from tests.contracts.figures.reading import Page
from tests.usage.factories import NOW

WEEKDAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
DAYS: Final = ("requests", "tokens", "cost")
LABELS: Final = {
    one.name: f"{one.label}, EUR" if one.is_money else one.label
    for one in vars(measures).values()
    if isinstance(one, measures.Measure)
}
FIGURES: Final = (*DAYS, "promptTokens", "completionTokens", "successRate", "latency.average")
AVERAGED: Final = frozenset({"successRate", "latency.average"})
"""What does not add up, and is drawn from its lowest."""

WORK: Final = (
    "conversations", "messages", "pages", "processorRuns", "documents", "executions", "failedExecutions",
)  # fmt: skip


def cells(row: Row, metrics: Sequence[str]) -> dict[str, Is]:
    """Claim the columns of a row by their names."""
    return {LABELS[metric]: Is(kind_of(metric), row[metric]) for metric in metrics}


def line(values: Sequence[Any], *, from_zero: bool = True) -> str:
    """Return the small line beside a figure."""
    return sparkline.path([float(value) for value in values], from_zero=from_zero)


def usage(page: Page, api: Api, chosen: Mapping[str, str]) -> Claims:
    """Claim the Usage page, by the window and the filters that it names."""
    claims, asked, view = Claims(), chosen_of(page), chosen.get("view", "requests")
    before = before_of(api, asked, month=chosen.get("range") == "month")
    metrics = (*FIGURES, "errors", *WORK)
    row, earlier = api.total(asked, metrics), api.total(before, metrics)
    buckets = api.rows(asked, (*metrics, "tokens"), granularity_of(api, asked))
    for metric in (*FIGURES, *WORK):
        name = metric.replace(".", "-")
        kind = kind_of(metric)
        claims.card(name, kind, row[metric], Moved(kind, row[metric], earlier[metric]))
        drawn = [one[metric] or 0 for one in (buckets[:-1] if is_under_way(asked) else buckets)]
        claims.says(f"card {name} line", line(drawn, from_zero=metric not in AVERAGED))
    _over_time(claims, api, buckets, asked, view)
    _growth(claims, api, asked, view)
    for facet in ("capability", "clientId"):
        columns = ("requests", "errorRate", "tokens", "cost")
        groups = ranked(api.rows(asked, columns, by=facet), view)[:12]
        claims.rows(f"by-{facet}", ((called(one[facet]), cells(one, columns)) for one in groups))
    _hours(claims, api, api.rows(asked, (view,), "hour"), view)
    if row["conversations"] and row["messages"]:
        ratio = (Decimal(row["messages"]) / Decimal(row["conversations"])).quantize(Decimal("0.01"))
        claims.tells("work p", numbers.exact(ratio))
    return claims


def is_under_way(asked: Mapping[str, str]) -> bool:
    """Tell whether the last bucket of a window isn't over."""
    return datetime.fromisoformat(asked["to"]) > NOW


def granularity_of(api: Api, asked: Mapping[str, str]) -> str:
    first, last = (api.local(asked[name]).date() for name in ("from", "to"))
    return "hour" if (last - first).days <= 2 else "day"


def _over_time(claims: Claims, api: Api, buckets: Sequence[Row], asked: Mapping[str, str], view: str) -> None:
    granularity = granularity_of(api, asked)
    unit = api.currency if view == "cost" else ""
    shown = ("promptTokens", "completionTokens") if view == "tokens" else (view,)
    columns = ("requests", "errors", "promptTokens", "completionTokens", "tokens", "cost")
    if not sum(row["requests"] for row in buckets):
        return
    claims.rows(
        "over-time-table", ((api.wall(row["timestamp"]), cells(row, columns)) for row in reversed(buckets))
    )
    charts.series(claims, "over-time", [[row[one] for row in buckets] for one in shown], view, unit)
    values = [float(row[view]) for row in buckets]
    most = values.index(max(values))
    if max(values):
        claims.tells("over-time drawn", charts.exact(view, buckets[most][view]))
    if granularity == "day":
        _average(claims, api, asked, view)


def _average(claims: Claims, api: Api, asked: Mapping[str, str], view: str) -> None:
    values, first = with_week_before(api, asked, view)
    drawn = charts.averages(values, first, ends_now=is_under_way(asked))
    found = [value for value in drawn if value is not None]
    if found:
        claims.drawn["over-time average value"] = found
        claims.tells("over-time p", 7)


def with_week_before(api: Api, asked: Mapping[str, str], metric: str) -> tuple[list[Any], int]:
    """Return a value for each day, and for six days before the first; and where the first is."""
    start = api.local(asked["from"])
    first = datetime.combine(start.date() - timedelta(days=6), datetime.min.time(), api.zone)
    rows = api.rows({**asked, "from": moment(first)}, (metric,), "day")
    return [row[metric] for row in rows], 6


def _growth(claims: Claims, api: Api, asked: Mapping[str, str], view: str) -> None:
    today = datetime.combine(NOW.astimezone(api.zone).date(), datetime.min.time(), api.zone)
    for label, days in (("Week over week", 7), ("Month over month (30 days)", 30)):
        starts = [today.date() - timedelta(days=number * days) for number in range(3)]
        edges = [datetime.combine(day, today.time(), api.zone) for day in starts]
        end, middle, start = map(moment, edges)
        now = api.total({**asked, "from": middle, "to": end}, (view,))[view]
        before = api.total({**asked, "from": start, "to": middle}, (view,))[view]
        change = numbers.change(Decimal(now), Decimal(before))
        short = kind_of(view).short(now)
        moved = numbers_in(change.text)
        claims.tells(f"over-time / {label}", short, *moved, title=[charts.exact(view, now)])


def _hours(claims: Claims, api: Api, rows: Sequence[Row], view: str) -> None:
    found: dict[tuple[int, int], Decimal] = {}
    for row in rows:
        local = api.local(row["timestamp"])
        key = (local.weekday(), local.hour)
        found[key] = found.get(key, Decimal(0)) + Decimal(row[view])
    unit = api.currency if view == "cost" else ""
    if not any(found.values()):
        return
    nothing = Decimal(0)
    order = [(weekday, hour) for weekday in range(7) for hour in range(24)]
    values = [found.get(key, nothing) for key in order]
    for (weekday, hour), value in zip(order, values, strict=True):
        claims.is_(f"hours-table / {hour:02}:00 / {WEEKDAYS[weekday]}", kind_of(view), value)
    claims.drawn["hours cells value"] = values
    claims.drawn["hours cells exact"] = [charts.exact(view, value, unit) for value in values]
    claims.tells("hours drawn", charts.exact(view, max(values)))


def ranked(rows: Sequence[Row], measure: str) -> list[Row]:
    """Return the rows with the most of a measure first."""
    return sorted(rows, key=lambda row: -float(row[measure] or 0))
