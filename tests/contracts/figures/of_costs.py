"""The figures of the Costs page and of the forecast."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from portal import numbers, times
from tests.contracts.figures import charts
from tests.contracts.figures.asking import Api, Row, before_of, called, chosen_of, moment
from tests.contracts.figures.claims import MONEY, Claims, Is, Moved, Share, kind_of, nanos
from tests.contracts.figures.of_use import (
    cells,
    granularity_of,
    is_under_way,
    priced,
    with_week_before,
)
from tests.contracts.figures.reading import Page
from tests.contracts.figures.world import UNPRICED
from tests.usage.factories import NOW

_WINDOWS: Final = {
    "rolling": ("rolling7Days", "Last 7 days"),
    "month": ("monthToDate", "Month to date"),
    "period": ("billingPeriod", "Billing period"),
}
_LIKELY: Final = 80
"""How likely, in percent, what comes is between low and high."""

_COLUMNS: Final = ("cost", "requests", "tokens", "costPerMillionTokens", "unpriced")


def costs(page: Page, api: Api, chosen: Mapping[str, str]) -> Claims:
    """Claim the Costs page; its fixed windows are asked for with the filters by capability and model too."""
    claims, asked, by = Claims(), chosen_of(page), chosen.get("by", "model")
    before = before_of(api, asked, month=chosen.get("range") == "month")
    row, earlier = priced(api.total(asked, _COLUMNS)), priced(api.total(before, _COLUMNS))
    for metric in ("cost", "requests", "costPerMillionTokens", "unpriced"):
        kind = kind_of(metric)
        claims.card(metric, kind, row[metric], Moved(kind, row[metric], earlier[metric]))
    periods = api.get("/costs")["periods"]
    for name, (of_api, label) in _WINDOWS.items():
        amount = api.total({**asked, **periods[of_api]}, ("cost",))["cost"]
        claims.card(name, MONEY, amount)
        claims.is_(f"windows / {label} / Cost, EUR", MONEY, amount)
    claims.says("windows / Last 7 days", "Last 7 days")
    found = {facet: api.rows(asked, _COLUMNS, by=facet) for facet in ("model", "capability", "clientId")}
    _unpriced(claims, found["model"])
    _repriced(claims, api)
    _over_time(claims, api, asked, found[by], by)
    whole = sum((Decimal(one["cost"]) for one in found[by]), Decimal(0))
    claims.rows(
        "causes",
        ((called(one[by]), _of_cause(one, _COLUMNS, whole)) for one in found[by]),
    )
    for facet in found.keys() - {by}:
        dearest = sorted(found[facet], key=lambda one: -Decimal(one["cost"]))[:6]
        claims.rows(
            f"by-{facet}",
            ((called(one[facet]), _of_cause(one, ("cost",), whole)) for one in dearest),
        )
    return claims


def _of_cause(one: Row, metrics: Sequence[str], whole: Decimal) -> dict[str, Is | Share]:
    """Claim a row of causes; where no request has a price, its amounts are unknown and not shown."""
    known = priced(one)
    shown: dict[str, Is | Share] = {**cells(known, metrics)}
    is_shared = whole and known["cost"] is not None
    return {**shown, "Share": Share(Decimal(one["cost"]) / whole)} if is_shared else shown


def _unpriced(claims: Claims, models: Sequence[Row]) -> None:
    found = [one for one in models if one["unpriced"]]
    if found:
        claims.tells("unpriced-title h2", numbers.exact(sum(one["unpriced"] for one in found)))
    claims.rows("unpriced", ((called(one["model"]), _of_unpriced(one)) for one in found))


def repricing(page: Page, api: Api, chosen: Mapping[str, str]) -> Claims:
    """Claim what the last repricing came to."""
    claims = Claims()
    _repriced(claims, api)
    return claims


def _repriced(claims: Claims, api: Api) -> None:
    """Claim it by the use of the model that it priced, and by what still has no price."""
    ever = {"from": moment(NOW - timedelta(days=89)), "to": moment(NOW + timedelta(days=1))}
    own = api.total({**ever, "model": UNPRICED}, ("requests", "unpriced", "cost"))
    left = api.total(ever, ("unpriced",))["unpriced"]
    amount = numbers.exact_money(nanos(own["cost"]))
    claims.tells("repricing-last p", own["requests"] - own["unpriced"], amount, left)


def _of_unpriced(one: Row) -> dict[str, Is]:
    return {"Unpriced": Is(kind_of("unpriced"), one["unpriced"]), **cells(one, ("requests",))}


def _over_time(claims: Claims, api: Api, asked: Mapping[str, str], groups: Sequence[Row], by: str) -> None:
    if not groups:
        return
    granularity = granularity_of(api, asked)
    ranked = sorted(groups, key=lambda one: -Decimal(one["cost"]))
    points = api.rows(asked, ("cost",), granularity, by)
    lines = [[point for point in points if point[by] == one[by]] for one in ranked]
    totals = [
        sum((Decimal(line[place]["cost"]) for line in lines), Decimal(0)) for place in range(len(lines[0]))
    ]
    average: list[float | None] = [None] * len(totals)
    if granularity == "day":
        average = charts.averages(*with_week_before(api, asked, "cost"), ends_now=is_under_way(asked))
        if any(value is not None for value in average):
            claims.drawn["over-time average value"] = [value for value in average if value is not None]
            claims.tells("over-time p", 7)
    names = {key.client_id: key.name for key in api.world.keys}
    heads = [names.get(str(one[by]), called(one[by])) for one in ranked]
    claims.rows(
        "over-time-table",
        (
            (
                api.wall(lines[0][place]["timestamp"]),
                {
                    "Total": Is(MONEY, totals[place]),
                    "7-day average": Is(MONEY, _nanos(average[place])),
                    **{head: Is(MONEY, line[place]["cost"]) for head, line in zip(heads, lines, strict=True)},
                },
            )
            for place in reversed(range(len(totals)))
        ),
    )
    unit = api.currency
    said = [
        _labelled(api, one["timestamp"], granularity, total)
        for one, total in zip(lines[0], totals, strict=True)
    ]
    amounts = [[point["cost"] for point in line] for line in lines]
    charts.series(claims, "over-time", amounts, "cost", unit, totals=said)
    if any(totals):
        claims.tells("over-time drawn", charts.exact("cost", max(totals)))


def _nanos(value: float | None) -> Decimal | None:
    return None if value is None else Decimal(round(value * 10**9)).scaleb(-9)


def _labelled(api: Api, timestamp: str, granularity: str, total: Decimal) -> str:
    local = api.local(timestamp)
    day = f"{local:%a} {times.day(local.date())}"
    when = f"{local:%a} {times.minute(local, api.zone)}" if granularity == "hour" else day
    return f"{when}, {charts.exact('cost', total, api.currency)}"


def forecast(page: Page, api: Api, chosen: Mapping[str, str]) -> Claims:
    """Claim the forecast: what it comes to, what was before, and each day to come."""
    claims, [answer] = Claims(), api.of(page, "forecast")["forecasts"]
    for name in ("period", "following", "today"):
        one = answer[name]
        claims.card(f"forecast-{name}", MONEY, one["expected"])
        told = [numbers.short_money(nanos(one[bound])) for bound in ("low", "high", "actual") if bound in one]
        claims.tells(f"card forecast-{name} note", *told[:2], _LIKELY, *told[2:])
    past = _past(api, chosen)
    rows = [(str(api.local(row["timestamp"]).date()), {"Spent": Is(MONEY, row["cost"])}) for row in past]
    labels = {"Expected": "expected", "Low": "low", "High": "high"}
    coming = answer["points"]
    rows += [(one["date"], {label: Is(MONEY, one[name]) for label, name in labels.items()}) for one in coming]
    claims.rows("forecast-table", rows)
    counts = (len(past), len(coming))
    expected, *between = [numbers.short_money(nanos(answer["following"][name])) for name in labels.values()]
    claims.tells("expected drawn", *counts, len(coming), expected, _LIKELY, *between)
    claims.tells("forecast-table caption", *counts)
    claims.tells("expected p", *counts, *counts)
    claims.tells("expected p 2", answer["history"]["days"])
    _drawn(claims, api, past, coming)
    return claims


def _past(api: Api, chosen: Mapping[str, str]) -> list[Row]:
    today = NOW.astimezone(api.zone).date()
    edges = [
        datetime.combine(day, datetime.min.time(), api.zone)
        for day in (today - timedelta(days=27), today + timedelta(days=1))
    ]
    mine = {name: chosen[name] for name in ("clientId",) if name in chosen}
    window = {"from": moment(edges[0]), "to": moment(edges[1])}
    return [priced(row) for row in api.rows({**window, **mine}, ("cost", "unpriced"), "day")]


def _drawn(claims: Claims, api: Api, past: Sequence[Row], coming: Sequence[Mapping[str, Any]]) -> None:
    names = ("expected", "low", "high")
    short = [{name: numbers.short_money(nanos(one[name])) for name in names} for one in coming]
    claims.drawn |= {
        "forecast past value": [row["cost"] or 0 for row in past],
        "forecast past exact": [charts.exact("cost", row["cost"], api.currency) for row in past],
        **{f"forecast coming {name}": [one[name] for one in coming] for name in ("expected", "low", "high")},
        "forecast coming said": [f"{one['expected']} {api.currency}" for one in short],
        "forecast coming between": [f"{one['low']} to {one['high']} {api.currency}" for one in short],
    }
