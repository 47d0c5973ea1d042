"""What an organization's use costs: by day, over the windows that matter, and by what caused it."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from billing.windows import QUARTER, windows_at
from core.periods import Granularity, Period, billing_period, local_date
from usage.queries.buckets import Buckets
from usage.queries.facets import Facet
from usage.queries.rollups import Group, RollupQuery, add_up
from usage.queries.totals import Subject
from usage.reading import LATEST

_SUMS: Final = ("requests", "total_tokens", "cost_nanos", "unpriced")


@dataclass(frozen=True, slots=True)
class Figures:
    """What some use came to.

    Units: ``cost_nanos`` nanos; ``unpriced`` counts the records without a cost, which adds nothing to it.
    """

    requests: int = 0
    tokens: int = 0
    cost_nanos: int = 0
    unpriced: int = 0


@dataclass(frozen=True, slots=True)
class Cause:
    """The figures of one credential, model of a provider, or capability, by the values that name it."""

    values: tuple[Any, ...]
    figures: Figures


@dataclass(frozen=True, slots=True)
class Spans:
    """The windows beside the one that was asked for."""

    rolling: Period
    month_to_date: Period
    billing_period: Period


@dataclass(frozen=True, slots=True)
class Costs:
    """The costs of a window by day and by cause, and those of the windows beside it.

    Causes are in order of their costs, highest first.
    Units: nanos.
    """

    period: Period
    total: Figures
    days: tuple[tuple[date, Figures], ...]
    spans: Spans
    rolling_nanos: int
    month_to_date_nanos: int
    billing_period_nanos: int
    by_credential: tuple[Cause, ...]
    by_model: tuple[Cause, ...]
    by_capability: tuple[Cause, ...]


def spans(now: datetime, tz: ZoneInfo, since: datetime) -> Spans:
    """Return the windows that hold now, cut off where the history begins.

    The rolling one begins where a spend limit's does, and like it counts what is dated a little ahead.
    """
    rolling = windows_at(now, tz.key).rolling
    month = billing_period(now, tz)
    return Spans(
        _cut_off(Period(rolling.start, rolling.end + QUARTER), since),
        _cut_off(Period(month.start, max(now, month.start)), since),
        _cut_off(month, since),
    )


def costs(subject: Subject, period: Period, beside: Spans, now: datetime, tz: ZoneInfo) -> Costs:
    """Return what was spent over a window and over those beside it.

    Days end with today: none is listed that has not begun.
    Tenancy: call in the tenant's scope.
    Concurrency: several statements; call in a snapshot, so that they agree.
    """
    by_credential = _causes(subject, period, Facet.CLIENT)
    return Costs(
        period=period,
        total=_together(by_credential),
        days=tuple(_days(subject, period, now, tz)),
        spans=beside,
        rolling_nanos=spent(subject, beside.rolling),
        month_to_date_nanos=spent(subject, beside.month_to_date),
        billing_period_nanos=spent(subject, beside.billing_period),
        by_credential=by_credential,
        by_model=_causes(subject, period, Facet.MODEL, Facet.PROVIDER),
        by_capability=_causes(subject, period, Facet.CAPABILITY),
    )


def unpriced_models(subject: Subject, period: Period) -> tuple[Cause, ...]:
    """Return the models that have records without a cost in a window, those with most records first.

    Tenancy: call in the tenant's scope.
    """
    causes = [each for each in _causes(subject, period, Facet.MODEL, Facet.PROVIDER) if each.figures.unpriced]
    return tuple(sorted(causes, key=lambda cause: -cause.figures.unpriced))


def spent(subject: Subject, period: Period) -> int:
    """Return what was spent over a window.

    Units: nanos.
    Tenancy: call in the tenant's scope.
    """
    found = add_up(replace(_query(subject, period), sums=("cost_nanos",)))
    return found[0].sums["cost_nanos"] if found else 0


def _days(subject: Subject, period: Period, now: datetime, tz: ZoneInfo) -> Iterator[tuple[date, Figures]]:
    # Nothing is dated further ahead, so that nobody asks for thousands of empty years.
    latest = now + LATEST
    known = Period(min(period.start, latest), min(period.end, latest))
    series = Buckets.over(known, Granularity.DAY, tz)
    found = {group.bucket: group for group in add_up(replace(_query(subject, known), buckets=series))}
    for place in range(series.count):
        start = series.start(place)
        if start <= now or place in found:
            yield local_date(start, tz), _figures(found.get(place))


def _causes(subject: Subject, period: Period, *facets: Facet) -> tuple[Cause, ...]:
    found = add_up(replace(_query(subject, period), group_by=facets))
    causes = [Cause(group.values, _figures(group)) for group in found]
    # What `add_up` found comes in order of its values, and equals keep it.
    return tuple(sorted(causes, key=lambda cause: -cause.figures.cost_nanos))


def _figures(group: Group | None) -> Figures:
    return Figures() if group is None else Figures(*(group.sums[name] for name in _SUMS))


def _together(causes: tuple[Cause, ...]) -> Figures:
    each = [cause.figures for cause in causes]
    return Figures(
        sum(one.requests for one in each),
        sum(one.tokens for one in each),
        sum(one.cost_nanos for one in each),
        sum(one.unpriced for one in each),
    )


def _query(subject: Subject, period: Period) -> RollupQuery:
    filters = {} if subject.credential_id is None else {Facet.CLIENT: subject.credential_id}
    return RollupQuery(subject.organization_id, subject.rollup_timezone, period, sums=_SUMS, filters=filters)


def _cut_off(period: Period, since: datetime) -> Period:
    return Period(max(period.start, since), max(period.end, since))
