"""What spending will come to: the billing period, the 30 days after today, and each of these."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from django.http import QueryDict
from django.urls import reverse

from alerts.forecasts.answers import forecast as written
from alerts.forecasts.foresee import Ask, foresee
from core.money import parse_money
from core.periods import Period, billing_period, local_date, zone
from organizations.models import Credential
from organizations.tenancy import Caller
from portal import charts, numbers, times
from portal.figures import Card
from portal.kinds import NOTHING
from portal.measures import COST
from portal.plots import Plot
from portal.tables import Cell, Column, Table
from usage import reading
from usage.queries.metrics import METRICS
from usage.queries.rollups import Group
from usage.queries.totals import Subject, daily

DAYS: Final = 30
SHOWN: Final = 28
"""How many days that were are drawn before those to come."""
_METHODS: Final = {
    "ets": "Based on {days} days of history: level, weekly pattern and trend.",
    "runRate": "Based on the daily average of {days} days of history.",
}

To = Callable[..., str]


@dataclass(frozen=True, slots=True)
class ForecastPage:
    """What is foreseen; nothing of it where there was no use before today."""

    cards: list[Card]
    plot: Plot
    method: str
    whose: str
    api: str
    is_known: bool


def read(caller: Caller, key: Credential | None, now: datetime, to: To) -> ForecastPage:
    """Foresee what the organization, or one key, will spend.

    Tenancy: call in the tenant's scope.
    """
    tz, since = zone(caller.timezone), reading.history_of(caller, now)
    subject = Subject(caller.organization_id, caller.rollup_timezone, key.pk if key else None)
    month = billing_period(now, tz)
    ask = Ask(subject, (METRICS["cost"],), Period(max(month.start, since), month.end), DAYS, tz, since)
    answer = written(ask, foresee(ask, now)[0])
    past = [(start, group or NOTHING) for start, group in daily(subject, SHOWN, now, tz.key, since=since)]
    return ForecastPage(
        cards=_cards(answer, caller),
        plot=_plot(answer, [one for one in past if one[0] >= since], caller, now, key, to),
        method=_METHODS.get(answer["method"], "").format(days=answer["history"]["days"]),
        whose="" if key is None else key.name,
        api=_api(key),
        is_known=answer["method"] != "none",
    )


def _cards(answer: dict[str, Any], caller: Caller) -> list[Card]:
    said = {
        "period": "This billing period",
        "following": f"Next {DAYS} days",
        "today": "Today",
    }
    cards = []
    for name, label in said.items():
        one = answer[name]
        if one["expected"] is None:
            continue
        low, high = (numbers.short_money(parse_money(one[bound])) for bound in ("low", "high"))
        spent = numbers.short_money(parse_money(one["actual"])) if "actual" in one else ""
        nanos = parse_money(one["expected"])
        cards.append(
            Card(
                name=f"forecast-{name}",
                label=label,
                short=numbers.short_money(nanos),
                exact=numbers.exact_money(nanos),
                unit=caller.currency,
                is_main=True,
                note=f"{low} to {high} (80% likely)" + (f"; {spent} so far" if spent else ""),
            )
        )
    return cards


def _plot(
    answer: dict[str, Any],
    past: Sequence[tuple[datetime, Group]],
    caller: Caller,
    now: datetime,
    key: Credential | None,
    to: To,
) -> Plot:
    tz, currency = zone(caller.timezone), caller.currency
    today = local_date(now, tz)
    drawn, rows = [], []
    for start, group in past:
        day = local_date(start, tz)
        exact = COST.exact(group)
        mine = {"clientId": key.client_id} if key else {}
        url = to("logs", range="custom", from_=day.isoformat(), to_=day.isoformat(), **mine)
        drawn.append(_past(day, group, COST.with_unit(group, currency), partial=day == today))
        rows.append([_day(day, url), _amount(exact), *(_amount("") for _ in range(3))])
    coming = [_coming(one, currency) for one in answer["points"]]
    for one in answer["points"]:
        bounds = [numbers.exact_money(parse_money(one[name])) for name in ("expected", "low", "high")]
        rows.append([_day(date.fromisoformat(one["date"]), ""), _amount(""), *map(_amount, bounds)])
    title = f"Cost per day in {currency}: last {len(drawn)} days and next {len(coming)} days"
    columns = [Column("Day"), *(Column(name, is_number=True) for name in _COLUMNS)]
    return Plot(
        id="forecast",
        title=title,
        summary=_summary(answer, currency),
        specification=charts.forecast(drawn, coming, title="Cost"),
        table=Table("forecast-table", title, columns, rows, file="cost-forecast"),
        is_empty=not coming,
    )


_COLUMNS: Final = ("Spent", "Expected", "Low", "High")


def _past(day: date, group: Group, exact: str, *, partial: bool) -> charts.Past:
    return charts.Past(day.isoformat(), f"{day:%a} {times.day(day)}", COST.drawn(group), exact, partial)


def _coming(one: dict[str, Any], currency: str) -> charts.Coming:
    day = date.fromisoformat(one["date"])
    nanos = {name: parse_money(one[name]) for name in ("expected", "low", "high")}
    short = {name: numbers.short_money(value) for name, value in nanos.items()}
    return charts.Coming(
        day=day.isoformat(),
        label=f"{day:%a} {times.day(day)}",
        **{name: value / 10**9 for name, value in nanos.items()},
        said=f"{short['expected']} {currency}",
        between=f"{short['low']} to {short['high']} {currency}",
    )


def _day(day: date, url: str) -> Cell:
    return Cell(f"{day:%a} {times.day(day)}", value=day.isoformat(), url=url)


def _amount(exact: str) -> Cell:
    return Cell(exact or "–", value=exact.replace(",", ""), is_number=True)


def _summary(answer: dict[str, Any], currency: str) -> str:
    following = answer["following"]
    if following["expected"] is None:
        return "No forecast yet."
    expected, low, high = (
        numbers.short_money(parse_money(following[name])) for name in ("expected", "low", "high")
    )
    return f"Expected for the next {DAYS} days: {expected} {currency}, 80% likely between {low} and {high}."


def _api(key: Credential | None) -> str:
    query = QueryDict(mutable=True)
    query.update({"metrics": "cost", "horizon": str(DAYS)} | ({"clientId": key.client_id} if key else {}))
    return f"{reverse('usage-forecast')}?{query.urlencode()}"
