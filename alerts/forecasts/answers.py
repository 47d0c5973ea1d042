"""How forecasts are written."""

from datetime import timedelta
from typing import Any

from alerts.forecasts.foresee import Ask, Foreseen
from alerts.forecasts.outlook import Interval
from core.money import format_money
from core.periods import Period, day_bounds
from usage import answers
from usage.queries.metrics import Metric

_DAY = timedelta(days=1)


def forecast(ask: Ask, found: Foreseen) -> dict[str, Any]:
    """Write the forecast of one metric."""
    metric, today = found.metric, found.history.today
    learned = Period(
        day_bounds(today - found.history.days * _DAY, ask.zone).start, day_bounds(today, ask.zone).start
    )
    following = Period(day_bounds(today, ask.zone).end, day_bounds(today + ask.days * _DAY, ask.zone).end)
    return {
        "metric": metric.name,
        "method": found.method.value,
        "history": {**answers.period(learned), "days": found.history.days},
        "period": {
            **answers.period(ask.period),
            "actual": _value(metric, found.actual),
            **_interval(metric, found.period, found.actual),
        },
        "today": {
            "date": today.isoformat(),
            "actual": _value(metric, found.today_actual),
            **_interval(metric, found.today, found.today_actual),
        },
        "following": {
            **answers.period(following),
            "days": ask.days,
            **_interval(metric, found.following),
        },
        "points": [
            {"date": point.day.isoformat(), **_interval(metric, point.interval)} for point in found.points
        ],
    }


def _interval(metric: Metric, interval: Interval | None, actual: float = 0.0) -> dict[str, Any]:
    """Write an interval, on top of what is there already."""
    if interval is None:
        return dict.fromkeys(("expected", "low", "high"))
    return {
        "expected": _value(metric, actual + interval.expected),
        "low": _value(metric, actual + interval.low),
        "high": _value(metric, actual + interval.high),
    }


def _value(metric: Metric, value: float) -> Any:
    if metric.sums == ("cost_nanos",):
        return format_money(round(value))
    rounded = round(value, 9)
    return int(rounded) if rounded.is_integer() else rounded
