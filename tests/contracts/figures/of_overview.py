"""The figures of the Overview."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from portal import numbers, times
from tests.contracts.figures import charts
from tests.contracts.figures.asking import Api, Row, before_of, called, moment
from tests.contracts.figures.claims import (
    COUNT,
    MONEY,
    RATE,
    Claims,
    Moved,
    nanos,
    numbers_in,
)
from tests.contracts.figures.of_use import DAYS, cells, line, priced, priced_cells, ranked
from tests.contracts.figures.reading import Page
from tests.usage.factories import NOW

_OVERVIEW: Final = {
    "Requests": ("requests", COUNT, "requests"),
    "Tokens": ("tokens", COUNT, "tokens"),
    "Cost, EUR": ("cost", MONEY, "cost"),
    "Quota used": ("quota", COUNT, "quota"),
    "Credits used": ("credits", COUNT, "credits"),
    "Average RPM": ("rpm", RATE, "requests"),
    "Average TPM": ("tpm", RATE, "tokens"),
}


def _of_usage(answer: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "requests": answer["requests"]["total"],
        "tokens": answer["tokens"]["total"],
        "cost": answer["cost"],
        "quota": answer["quota"]["consumed"],
        "credits": answer["credits"]["consumed"],
        "rpm": answer["averageRpm"],
        "tpm": answer["averageTpm"],
    }


def overview(page: Page, api: Api, chosen: Mapping[str, str]) -> Claims:
    """Claim the Overview: the billing period so far, the limit, 90 days, and who has most."""
    claims, answer = Claims(), api.get("/usage")
    window = {name: answer["period"][name] for name in ("from", "to")}
    now = _of_usage(answer)
    before = _of_usage(api.get("/usage", **before_of(api, window, month=True)))
    days = _last_days(api, 90)
    start, end = (api.local(window[name]) for name in ("from", "to"))
    period = times.days_of(start, end, api.zone)
    for label, (name, kind, metric) in _OVERVIEW.items():
        rates = (now[metric], before[metric]) if kind is RATE else None
        moved = Moved(kind, now[name], before[name], by=rates)
        claims.card(name, kind, now[name], moved)
        claims.says(f"card {name} line", line([day[metric] for day in days[-31:-1]]))
        row = f"figures-table / {label}"
        claims.is_(f"{row} / {period}", kind, now[name])
        claims.is_(f"{row} / Previous", kind, before[name])
        claims.add(f"{row} / Change", moved)
    claims.tells("card cost note", *_note(api, answer))
    _headroom(claims, api)
    _daily(claims, api, days, chosen.get("measure", "requests"))
    _tops(claims, api, window, chosen.get("measure", "requests"))
    _recent(claims, api)
    return claims


def _last_days(api: Api, count: int) -> list[Row]:
    today = NOW.astimezone(api.zone).date()
    first, last = (
        datetime.combine(day, datetime.min.time(), api.zone)
        for day in (today - timedelta(days=count - 1), today + timedelta(days=1))
    )
    chosen = {"from": moment(first), "to": moment(last)}
    return api.rows(chosen, (*DAYS, "unpriced", "quota", "credits"), "day")


def _note(api: Api, answer: Mapping[str, Any]) -> tuple[str, ...]:
    week = numbers.short_money(nanos(api.get("/costs")["rolling7Days"]))
    count = answer["unpricedRecords"]
    return (week, "7", numbers.short(count)) if count else (week, "7")


def _headroom(claims: Claims, api: Api) -> None:
    limit = api.get("/spend-limit")
    spent, most, held = (limit[name] for name in ("spent", "limit", "reserved"))
    share = int((Decimal(spent) + Decimal(held)) * 100 / Decimal(most))
    short = {
        name: numbers.short_money(nanos(limit[name])) for name in ("spent", "limit", "reserved", "remaining")
    }
    exact = {name: charts.exact("cost", limit[name]) for name in short}
    claims.tells("headroom p", short["remaining"], title=[exact["remaining"]])
    claims.tells(
        "headroom-spent p",
        *(short["spent"], short["limit"], "7", share),
        title=[exact["spent"], exact["limit"]],
    )
    claims.tells("headroom / Reserved", short["reserved"])
    claims.tells("headroom drawn", share, title=[min(share, 100)])
    claims.tells("headroom / Warns at", *limit["warnAt"])


def _daily(claims: Claims, api: Api, days: Sequence[Row], measure: str) -> None:
    unit = api.currency if measure == "cost" else ""
    known = [priced(day)[measure] for day in days]
    values = [value or 0 for value in known]
    highest = max(range(len(days)), key=lambda place: (float(values[place]), -place))
    most, today = (charts.exact(measure, values[place]) for place in (highest, -1))
    if known[-1] is None:
        today = f"{days[-1]['unpriced']:,}"
    claims.tells("daily-title h2", len(days))
    claims.tells("daily drawn", len(days), most, today)
    claims.tells("daily p", len(days), len(days))
    claims.rows(
        "daily-table", ((str(api.local(day["timestamp"]).date()), priced_cells(day, DAYS)) for day in days)
    )
    claims.drawn["daily days value"] = values
    claims.drawn["daily days exact"] = [charts.exact(measure, value, unit) for value in known]


def _tops(claims: Claims, api: Api, window: Mapping[str, str], measure: str) -> None:
    for facet in ("model", "clientId", "capability"):
        found = ranked(api.rows(window, (*DAYS, "unpriced"), by=facet), measure)[:5]
        told = priced_cells if measure == "cost" else cells
        claims.rows(f"top-{facet}", ((called(row[facet]), told(row, [measure])) for row in found))


def _recent(claims: Claims, api: Api) -> None:
    for event in api.get("/alerts/events", take=5)["items"]:
        claims.tells("recent-alerts p", *numbers_in(event["message"]))
