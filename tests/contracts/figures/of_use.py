"""The figures of the Usage page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
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
    Tells,
    kind_of,
    numbers_in,
)
from tests.contracts.figures.reading import Page
from tests.usage.factories import NOW
from usage.quantities import average_ms

WEEKDAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
LATENCY: Final = "latency.average"
VIEWS: Final = {
    "requests": "Requests", "tokens": "Tokens", "cost": "Cost", "errors": "Errors", LATENCY: "Latency",
    "quota": "Quota", "credits": "Credits",
}  # fmt: skip
"""What the views of use are called, by their metrics."""
DAYS: Final = ("requests", "tokens", "cost")
LABELS: Final = {
    one.name: f"{one.label}, EUR" if one.is_money else one.label
    for one in vars(measures).values()
    if isinstance(one, measures.Measure)
}
FIGURES: Final = (*DAYS, "promptTokens", "completionTokens", "successRate", "latency.average")
AVERAGED: Final = frozenset({"successRate", "latency.average"})
"""What does not add up, and is drawn from its lowest."""
AMOUNTS: Final = ("cost", "costPerMillionTokens")

WORK: Final = (
    "conversations", "messages", "pages", "processorRuns", "documents", "executions", "failedExecutions",
    "quota", "credits",
)  # fmt: skip


def cells(row: Row, metrics: Sequence[str]) -> dict[str, Is]:
    """Claim the columns of a row by their names."""
    return {LABELS[metric]: Is(kind_of(metric), row[metric]) for metric in metrics}


def priced(row: Row) -> Row:
    """Return a row whose amounts are unknown, and not nothing, where no request of it has a price."""
    if not row["unpriced"] or Decimal(row["cost"]):
        return row
    return {**row, **{name: None for name in AMOUNTS if name in row}}


def lacking(row: Row) -> dict[str, Tells]:
    """Claim how many requests the cost of a row lacks, where it lacks any."""
    count = f"{row['unpriced']:,}"
    return {f"{LABELS['cost']} note": Tells((count,))} if row["unpriced"] else {}


def priced_cells(row: Row, metrics: Sequence[str]) -> dict[str, Is | Tells]:
    """Claim the columns of a row that has a cost among them, which says what it lacks."""
    return {**cells(priced(row), metrics), **lacking(row)}


def line(values: Sequence[Any], *, from_zero: bool = True) -> str:
    """Return the small line beside a figure."""
    return sparkline.path([float(value) for value in values], from_zero=from_zero)


def usage(page: Page, api: Api, chosen: Mapping[str, str]) -> Claims:
    """Claim the Usage page, by the window and the filters that it names."""
    claims, asked, view = Claims(), chosen_of(page), metric_of(chosen)
    before = before_of(api, asked, month=chosen.get("range") == "month")
    metrics = (*FIGURES, "errors", "unpriced", *WORK)
    row, earlier = priced(api.total(asked, metrics)), priced(api.total(before, metrics))
    buckets = api.rows(asked, (*metrics, "tokens"), granularity_of(api, asked))
    if row["unpriced"]:
        claims.tells("card cost note", f"{row['unpriced']:,}")
    for metric in (*FIGURES, *WORK):
        name = metric.replace(".", "-")
        kind = kind_of(metric)
        claims.card(name, kind, row[metric], Moved(kind, row[metric], earlier[metric]))
        drawn = [one[metric] or 0 for one in (buckets[:-1] if is_under_way(asked) else buckets)]
        claims.says(f"card {name} line", line(drawn, from_zero=metric not in AVERAGED))
    _over_time(claims, api, buckets, asked, view)
    _growth(claims, api, asked, view)
    for facet in ("capability", "clientId"):
        columns = tuple(dict.fromkeys(("requests", "errorRate", "tokens", "cost", view)))
        groups = ranked(api.rows(asked, (*columns, "unpriced"), by=facet), view)[:12]
        claims.rows(f"by-{facet}", ((called(one[facet]), priced_cells(one, columns)) for one in groups))
    told = told_of(("requests", "errors", "tokens", "cost"), view)
    hours = api.rows(asked, tuple(dict.fromkeys((*told, "cost", "unpriced"))), "hour")
    _hours(claims, api, hours, view)
    if "weekday" in chosen:
        _hour(claims, api, hours, told, chosen)
    if row["conversations"] and row["messages"]:
        ratio = (Decimal(row["messages"]) / Decimal(row["conversations"])).quantize(Decimal("0.01"))
        claims.tells("work p", numbers.exact(ratio))
    return claims


def told_of(columns: Sequence[str], view: str) -> tuple[str, ...]:
    """Return what a table tells in a view."""
    return tuple(dict.fromkeys((*columns, view)))


def metric_of(chosen: Mapping[str, str]) -> str:
    """Return the metric that a view of the page is about."""
    view = chosen.get("view", "requests")
    return {"latency": LATENCY}.get(view, view)


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
    columns = told_of(
        ("requests", "errors", "promptTokens", "completionTokens", "tokens", "cost", LATENCY), view
    )
    if not sum(row["requests"] for row in buckets):
        return
    average = _averages(api, asked, view) if granularity == "day" else [None] * len(buckets)
    head = f"{VIEWS[view]}, 7-day average{', EUR' if view == 'cost' else ''}"
    claims.rows(
        "over-time-table",
        (
            (
                api.wall(row["timestamp"]),
                {**priced_cells(row, columns), head: Is(kind_of(view), _told(one, view))},
            )
            for row, one in zip(reversed(buckets), reversed(average), strict=True)
        ),
    )
    drawn = [priced(row) for row in buckets]
    charts.series(claims, "over-time", [[row[one] for row in drawn] for one in shown], view, unit)
    values = [float(row[view] or 0) for row in buckets]
    most = values.index(max(values))
    if max(values):
        claims.tells("over-time drawn", charts.exact(view, buckets[most][view]))
    elif view == "cost" and (count := sum(row["unpriced"] for row in buckets)):
        claims.tells("over-time drawn", f"{count:,}")
    if found := [value for value in average if value is not None]:
        claims.drawn["over-time average value"] = found
        claims.tells("over-time p", 7)


def _averages(api: Api, asked: Mapping[str, str], view: str) -> list[float | None]:
    """Return the average of each day with the six before; that of a latency weighs days by their requests."""
    values, first = with_week_before(api, asked, view)
    found = charts.averages([value or 0 for value in values], first, ends_now=is_under_way(asked))
    if view == "cost":
        counts, _ = with_week_before(api, asked, "unpriced")
        sums = zip(_weeks(values, first), _weeks(counts, first), strict=True)
        lacks = [any(unpriced) and not any(map(Decimal, costs)) for costs, unpriced in sums]
        return [None if lack else one for one, lack in zip(found, lacks, strict=True)]
    if view != LATENCY:
        return found
    counts, _ = with_week_before(api, asked, "requests")
    days = [list(zip(values, counts, strict=True))[place - 6 : place + 1] for place in range(len(values))]
    return [None if one is None else mean_ms(day) for one, day in zip(found, days[first:], strict=True)]


def _weeks(values: Sequence[Any], first: int) -> list[Sequence[Any]]:
    """Return each day with the six before it, from a place on."""
    return [values[max(place - 6, 0) : place + 1] for place in range(first, len(values))]


def _told(average: float | None, view: str) -> Decimal | None:
    """Return an average as the table tells it."""
    if average is None:
        return None
    return Decimal(str(round(average, {"cost": 9, LATENCY: 3}.get(view, 2))))


def mean_ms(parts: Iterable[tuple[float | None, int]]) -> float | None:
    """Return the average of average latencies, each of so many requests; their sums are whole."""
    timed = [(value, count) for value, count in parts if value is not None]
    return average_ms(
        1000 * sum(round(value * count) for value, count in timed), sum(count for _, count in timed)
    )


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
        metrics = (view, "cost", "unpriced")
        now = priced(api.total({**asked, "from": middle, "to": end}, metrics))[view]
        before = priced(api.total({**asked, "from": start, "to": middle}, metrics))[view]
        if now is None or before is None:
            continue
        change = numbers.change(Decimal(str(now)), Decimal(str(before)))
        short = kind_of(view).short(now)
        moved = numbers_in(change.text)
        unit = api.currency if view == "cost" else ""
        claims.tells(f"over-time / {label}", short, *moved, title=[charts.exact(view, now, unit)])


def _hours(claims: Claims, api: Api, rows: Sequence[Row], view: str) -> None:
    cells_: dict[tuple[int, int], list[Row]] = {}
    for row in rows:
        local = api.local(row["timestamp"])
        cells_.setdefault((local.weekday(), local.hour), []).append(row)
    unit = api.currency if view == "cost" else ""
    found = {key: _together(of, view) for key, of in cells_.items()}
    if not any(found.values()):
        if view == "cost" and (count := sum(row["unpriced"] for row in rows)):
            claims.tells("hours p", f"{count:,}")
        return
    order = [(weekday, hour) for weekday in range(7) for hour in range(24)]
    values = [found.get(key, _together([], view)) for key in order]
    for (weekday, hour), value in zip(order, values, strict=True):
        claims.is_(f"hours-table / {hour:02}:00 / {WEEKDAYS[weekday]}", kind_of(view), value)
    claims.drawn["hours cells value"] = [value or 0 for value in values]
    claims.drawn["hours cells exact"] = [charts.exact(view, value, unit) for value in values]
    claims.tells("hours drawn", charts.exact(view, max(value for value in values if value is not None)))


def _hour(
    claims: Claims, api: Api, rows: Sequence[Row], told: Sequence[str], chosen: Mapping[str, str]
) -> None:
    """Claim every time that an hour of a weekday came."""
    wanted = ([name.lower() for name in WEEKDAYS].index(chosen["weekday"]), int(chosen["hour"]))
    moments = [api.local(row["timestamp"]) for row in rows]
    found = [row for row, local in zip(rows, moments, strict=True) if (local.weekday(), local.hour) == wanted]
    claims.rows(
        "hour-table", ((api.wall(row["timestamp"]), priced_cells(row, told)) for row in reversed(found))
    )


def _together(rows: Sequence[Row], view: str) -> Decimal | float | None:
    """Return what hours come to together."""
    if view == LATENCY:
        return mean_ms((row[view], row["requests"]) for row in rows)
    total = sum((Decimal(row[view]) for row in rows), Decimal(0))
    return None if view == "cost" and not total and any(row["unpriced"] for row in rows) else total


def ranked(rows: Sequence[Row], measure: str) -> list[Row]:
    """Return the rows with the most of a measure first."""
    return sorted(rows, key=lambda row: -float(row[measure] or 0))
