"""What a report tells, added up from the same cubes as every answer of the API."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from alerts.forecasts.foresee import Ask, Foreseen, foresee
from alerts.reports.movers import MOST, Mover, Movers, movers
from alerts.reports.schedule import Due
from billing.queries.costs import Cause, unpriced_models
from billing.queries.limits import Standing, standing
from core.periods import Granularity, Period, local_date
from organizations.models import Credential, Organization
from usage.history import history_start
from usage.queries.buckets import Buckets
from usage.queries.facets import Facet
from usage.queries.metrics import METRICS
from usage.queries.rollups import Group, RollupQuery, add_up
from usage.queries.totals import Subject, Totals, totals

SUMS: Final = ("requests", "errors", "total_tokens", "cost_nanos")
FORESEEN: Final = ("cost", "requests")
_AHEAD_DAYS: Final = 31
_FACETS: Final = {
    "keys": (Facet.CLIENT,),
    "models": (Facet.MODEL, Facet.PROVIDER),
    "capabilities": (Facet.CAPABILITY,),
}

Parts = Mapping[tuple[Any, ...], Mapping[str, int]]


@dataclass(frozen=True, slots=True)
class Stretch:
    """The figures of one week or month; ``active_keys`` made a request in it."""

    totals: Totals
    active_keys: int
    days: tuple[tuple[date, Group], ...]


@dataclass(frozen=True, slots=True)
class Figures:
    """Everything that a report tells of an organization.

    ``before`` is None where the history begins later, ``forecast`` is empty once what follows is over, and
    ``limit`` is None without a spend limit. ``by`` is the metric that movers are ranked by.
    """

    due: Due
    now: Stretch
    before: Stretch | None
    by: str
    movers: Mapping[str, Movers]
    ask: Ask
    forecast: tuple[Foreseen, ...]
    limit: Standing | None
    unpriced: tuple[Cause, ...]
    names: Mapping[int, tuple[str, str]]


def figures(organization: Organization, due: Due, at: datetime) -> Figures:
    """Return what a report of a week or month tells at a moment.

    Tenancy: call in the tenant's scope.
    Concurrency: several statements; call in a snapshot, so that they agree.
    """
    subject = Subject(organization.pk, organization.rollup_timezone)
    since = history_start(organization.plan.history_days, organization.timezone, at)
    period = _cut_off(due.period, since)
    before = due.before if due.before.start >= since else None
    groups = {name: _parts(subject, period, facets) for name, facets in _FACETS.items()}
    earlier = {
        name: {} if before is None else _parts(subject, before, facets) for name, facets in _FACETS.items()
    }
    now = _stretch(subject, period, groups["keys"], due.zone, at)
    then = None if before is None else _stretch(subject, before, earlier["keys"], due.zone, at)
    by = "cost" if now.totals.cost_nanos or (then and then.totals.cost_nanos) else "requests"
    ask = Ask(subject, tuple(METRICS[name] for name in FORESEEN), due.following, _AHEAD_DAYS, due.zone, since)
    return Figures(
        due=due,
        now=now,
        before=then,
        by=by,
        movers={name: _moved(groups[name], earlier[name], by) for name in _FACETS} if then else {},
        ask=ask,
        forecast=tuple(foresee(ask, at)) if due.following.start <= at < due.following.end else (),
        limit=standing(organization.pk, None, timezone=organization.timezone, now=at),
        unpriced=unpriced_models(subject, period)[:MOST] if now.totals.unpriced else (),
        names=_names(),
    )


def _stretch(subject: Subject, period: Period, keys: Parts, tz: ZoneInfo, at: datetime) -> Stretch:
    active = sum(1 for sums in keys.values() if sums["requests"])
    return Stretch(totals(subject, period, at), active, _days(subject, period, tz))


def _parts(subject: Subject, period: Period, facets: tuple[Facet, ...]) -> Parts:
    """Return what each key, model or capability made up of a period."""
    return {group.values: group.sums for group in add_up(_query(subject, period, group_by=facets))}


def _days(subject: Subject, period: Period, tz: ZoneInfo) -> tuple[tuple[date, Group], ...]:
    if period.start == period.end:
        return ()
    series = Buckets.over(period, Granularity.DAY, tz)
    found = {group.bucket: group for group in add_up(_query(subject, period, buckets=series))}
    return tuple(
        (local_date(series.start(place), tz), found.get(place) or Group(place))
        for place in range(series.count)
    )


def _moved(now: Parts, before: Parts, by: str) -> Movers:
    measure = METRICS[by].sums[0]
    return movers(
        Mover(one, now.get(one, {}).get(measure, 0), before.get(one, {}).get(measure, 0))
        for one in dict.fromkeys([*now, *before])
    )


def _query(subject: Subject, period: Period, **more: Any) -> RollupQuery:
    return RollupQuery(subject.organization_id, subject.rollup_timezone, period, sums=SUMS, **more)


def _names() -> dict[int, tuple[str, str]]:
    found = Credential.objects.values_list("id", "client_id", "name")
    return {pk: (client_id, name) for pk, client_id, name in found}


def _cut_off(period: Period, since: datetime) -> Period:
    return Period(max(period.start, since), max(period.end, since))
