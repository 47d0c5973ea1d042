"""A metric's forecast: today, the days after it, a period. From what is known to what is answered."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from alerts.forecasts import queries
from alerts.forecasts.history import History
from alerts.forecasts.outlook import NOTHING, Interval, Method, Outlook
from alerts.forecasts.remembered import HORIZON, outlooks_of
from core.periods import Period, day_bounds, local_date
from usage.queries.metrics import Metric
from usage.queries.totals import Subject

_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Point:
    """What one day will bring."""

    day: date
    interval: Interval


@dataclass(frozen=True, slots=True)
class Foreseen:
    """The forecast of one metric.

    ``period`` is what is still to come of the period that was asked for, beside ``actual``, what it has come
    to so far; ``today`` what is still to come of today, beside ``today_actual``; ``following`` all of the
    days after today, ``points`` each of them. None where nothing is known.
    Units: the metric's.
    """

    metric: Metric
    method: Method
    history: History
    actual: float
    period: Interval | None
    today_actual: float
    today: Interval | None
    following: Interval | None
    points: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class Ask:
    """What is to be foreseen: metrics, over a period that has begun, and so many days after today.

    ``since`` is where the history begins.
    """

    subject: Subject
    metrics: tuple[Metric, ...]
    period: Period
    days: int
    zone: ZoneInfo
    since: datetime


def furthest(now: datetime, tz: ZoneInfo) -> datetime:
    """Return how far can be foreseen."""
    return day_bounds(local_date(now, tz) + HORIZON * _DAY, tz).end


def foresee(ask: Ask, now: datetime) -> list[Foreseen]:
    """Return the forecast of each metric.

    Tenancy: call in the tenant's scope.
    Concurrency: three statements, however many metrics; call in a snapshot, so that they agree.
    """
    found = queries.known(ask.subject, ask.metrics, now, ask.zone, ask.since)
    actual = queries.actual(ask.subject, ask.metrics, ask.period, now)
    outlooks = outlooks_of(ask.subject.organization_id, [known.history for known in found])
    return [
        _foreseen(ask, metric, known, outlook, float(metric.read(actual) or 0), now)
        for metric, known, outlook in zip(ask.metrics, found, outlooks, strict=True)
    ]


def _foreseen(
    ask: Ask, metric: Metric, known: queries.Known, outlook: Outlook, actual: float, now: datetime
) -> Foreseen:
    over = ask.period.end <= now
    nothing = outlook.method is Method.NONE
    if over:
        rest: Interval | None = NOTHING
    else:
        rest = None if nothing else _rest(outlook, ask.period.end, known, now, ask.zone)
    return Foreseen(
        metric=metric,
        method=outlook.method,
        history=known.history,
        actual=actual,
        period=rest,
        today_actual=float(metric.read(known.today) or 0),
        today=None if nothing else outlook.rest_of_today(known.ahead).rounded(),
        following=None if nothing else outlook.ahead(0.0, ask.days).rounded(),
        points=() if nothing else tuple(_points(outlook, known.history.today, ask.days)),
    )


def _rest(outlook: Outlook, end: datetime, known: queries.Known, now: datetime, tz: ZoneInfo) -> Interval:
    """Return what comes between now and the end, which is not further than `furthest`."""
    today = day_bounds(known.history.today, tz)
    if end < today.end:
        # Of the rest of today, as much as of its time.
        share = (end - now) / (today.end - now)
        return outlook.rest_of_today(known.ahead * share).rounded()
    last = day_bounds(local_date(end, tz), tz)
    whole = (local_date(end, tz) - known.history.today).days - 1
    part = (end - last.start) / last.duration
    return outlook.ahead(known.ahead, whole + part).rounded()


def _points(outlook: Outlook, today: date, days: int) -> Sequence[Point]:
    return [Point(today + place * _DAY, outlook.days[place].rounded()) for place in range(1, days + 1)]
