"""What is read for rules over forecasts: what a period will come to, how much of a limit will be reached."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from alerts.figures import PERCENT, figure
from alerts.forecasts.foresee import Ask, foresee
from alerts.models import Condition, ScopeKind
from alerts.rules.measured import number_of
from alerts.rules.watched import Levels, Reading, Readings, Subject, Watched
from alerts.rules.windows import QUARTER, look
from billing.forecast import Pace, Spent, pauses_at
from billing.models import SpendBucket, SpendLimit, Window
from billing.pace import pace_of
from core.money import NANOS
from core.periods import Period, zone
from organizations.models import Credential, Organization
from usage.history import history_start
from usage.queries.many import Need, add_up_many
from usage.queries.metrics import Metric, metric_named, sums_of
from usage.queries.rollups import Group
from usage.queries.totals import Subject as Whose

CONDITIONS: Final = (Condition.FORECAST, Condition.FORECAST_SHARE)
FAR: Final = 4
"""Beyond so many times the pace of the last two weeks, nothing is worth being worked out."""
_LATELY: Final = timedelta(days=14)
_DAY: Final = timedelta(days=1)
_PLACES: Final = Decimal("0.000000001")
_NOTHING: Final = Group(0)


def read(rules: Sequence[Watched], standing: Levels, now: datetime) -> Readings:
    """Return what these rules read.

    Tenancy: call in the system's scope.
    Concurrency: four statements for all rules; three more, and perhaps a fit, for each that comes near.
    """
    shares = [rule for rule in rules if rule.condition == Condition.FORECAST_SHARE]
    periods = [rule for rule in rules if rule.condition == Condition.FORECAST]
    return {**_of_limits(shares, standing, now), **_of_periods(periods, now)}


def _of_limits(rules: Sequence[Watched], standing: Levels, now: datetime) -> Readings:
    limits = SpendLimit.objects.filter(
        organization_id__in={rule.organization_id for rule in rules}, spent_nanos__gt=0, window_end__gt=now
    )
    by_organization: dict[int, list[SpendLimit]] = {}
    for limit in limits.select_related("credential").order_by("pk"):
        by_organization.setdefault(limit.organization_id, []).append(limit)
    concerned = {rule.id: _concerned(rule, by_organization) for rule in rules}
    spent = _spent({limit.pk for some in concerned.values() for limit in some.values()})
    return {
        rule.id: {
            subject: _of_limit(rule, limit, spent.get(limit.pk, []), now, _level(standing, rule, subject))
            for subject, limit in concerned[rule.id].items()
        }
        for rule in rules
    }


def _level(standing: Levels, rule: Watched, subject: Subject) -> int:
    return standing.get(rule.id, {}).get(subject, 0)


def _concerned(rule: Watched, limits: Mapping[int, Sequence[SpendLimit]]) -> dict[Subject, SpendLimit]:
    of_keys = rule.scope_kind == ScopeKind.CREDENTIAL
    return {
        limit.credential.client_id if limit.credential else "": limit
        for limit in limits.get(rule.organization_id, ())
        if (limit.credential_id is not None) == of_keys and rule.credential_id in (None, limit.credential_id)
    }


def _spent(limits: set[int]) -> dict[int, list[Spent]]:
    found: dict[int, list[Spent]] = {}
    buckets = SpendBucket.objects.filter(limit__in=limits).order_by("limit", "quarter")
    for limit, quarter, cost in buckets.values_list("limit_id", "quarter", "cost_nanos"):
        found.setdefault(limit, []).append(Spent(quarter, int(cost)))
    return found


def _of_limit(rule: Watched, limit: SpendLimit, spent: list[Spent], now: datetime, level: int) -> Reading:
    """Read the highest of a rule's shares that will be reached; one that is reached by now stays, if told."""
    rolling = limit.window_kind == Window.ROLLING
    window = Period(limit.window_start, limit.window_end)
    total = sum(one.cost_nanos for one in spent if one.quarter >= window.start)
    pace: Pace | None = None
    value, detail = Decimal(0), ""
    for place, share in enumerate(rule.thresholds):
        least = int(limit.limit_nanos * share / 100)
        if total >= least:
            value = share if place < level else value
            continue
        if total + FAR * _of_last_day(spent, now) * 7 < least:
            break
        pace = pace or pace_of(spent, now)
        at = pauses_at(spent, least, window, now, rolling=rolling, pace=pace)
        if at is None:
            break
        value, detail = share, f"That is about {_clock(at, rule.timezone)}."
    return Reading(value, window, None if rolling else window.start, detail=detail)


def _of_last_day(spent: Sequence[Spent], now: datetime) -> int:
    return sum(one.cost_nanos for one in spent if one.quarter > now - _DAY)


def _clock(moment: datetime, timezone: str) -> str:
    local = moment.astimezone(zone(timezone))
    return f"{local.day} {local:%b %Y, %H:%M %Z}"


def _of_periods(rules: Sequence[Watched], now: datetime) -> Readings:
    looks = [look(rule.window, now, rule.timezone, QUARTER, whole=False) for rule in rules]
    metrics = [_metric(rule) for rule in rules]
    needs = []
    for rule, seen, metric in zip(rules, looks, metrics, strict=True):
        lately = Period(seen.window.end - _LATELY, seen.window.end)
        needs += [_need(rule, metric, seen.window), _need(rule, metric, lately)]
    found = add_up_many(needs, sums_of([metric for metric in metrics if not metric.meter])) if needs else []
    groups = [next(iter(one.values()), [_NOTHING])[0] for one in found]
    near: list[tuple[Watched, Metric, Period]] = []
    for place, (rule, seen, metric) in enumerate(zip(rules, looks, metrics, strict=True)):
        if seen.period is not None and _is_near(
            rule, metric, seen.period, now, groups[2 * place : 2 * place + 2]
        ):
            near.append((rule, metric, seen.period))
    organizations = Organization.objects.select_related("plan").in_bulk(
        {rule.organization_id for rule, *_ in near}
    )
    readings: Readings = {}
    for rule, metric, period in near:
        readings[rule.id] = _foreseen(rule, metric, period, organizations[rule.organization_id], now)
    return readings


def _metric(rule: Watched) -> Metric:
    metric = metric_named(rule.metric)
    if metric is None:
        raise ValueError(f"no such metric: {rule.metric}")
    return metric


def _need(rule: Watched, metric: Metric, period: Period) -> Need:
    return Need(
        organization_id=rule.organization_id,
        rollup_timezone=rule.rollup_timezone,
        period=period,
        credential_id=rule.credential_id,
        meter=metric.meter,
    )


def _is_near(rule: Watched, metric: Metric, period: Period, now: datetime, groups: Sequence[Group]) -> bool:
    """Tell whether the first threshold could be reached at several times the pace of the last weeks."""
    actual, lately = (number_of(metric, group) or Decimal(0) for group in groups)
    rest = Decimal((period.end - now) / _LATELY)
    return bool(lately) and actual + FAR * lately * rest >= rule.thresholds[0]


def _foreseen(
    rule: Watched, metric: Metric, period: Period, organization: Organization, now: datetime
) -> dict[Subject, Reading]:
    since = history_start(organization.plan.history_days, rule.timezone, now)
    whose = Whose(rule.organization_id, rule.rollup_timezone, rule.credential_id)
    begun = Period(max(period.start, since), period.end)
    (found,) = foresee(Ask(whose, (metric,), begun, 1, zone(rule.timezone), since), now)
    if found.period is None:
        return {}
    scale = NANOS if rule.metric == "cost" else 1
    actual = Decimal(str(found.actual)) / scale
    value = (actual + Decimal(str(found.period.expected)) / scale).quantize(_PLACES)
    unit = rule.unit if rule.unit in (PERCENT, rule.currency) else ""
    subject = "" if rule.credential_id is None else _client_id(rule.credential_id)
    return {subject: Reading(value, period, period.start, detail=f"So far it is {figure(actual, unit)}.")}


def _client_id(credential_id: int) -> str:
    return Credential.objects.values_list("client_id", flat=True).get(pk=credential_id)
