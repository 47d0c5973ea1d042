"""What is read for rules over anomalies: the last whole hour of each subject against the weeks before it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from alerts.anomalies.baseline import WEEK_HOURS, Anomaly, judge
from alerts.anomalies.findings import Driver, drivers
from alerts.anomalies.queries import HOUR, WEEKS, hour_before
from alerts.figures import figure
from alerts.models import Condition, ScopeKind
from alerts.rules.measured import DIMENSIONS
from alerts.rules.terms import WATCHED
from alerts.rules.watched import Reading, Readings, Subject, Watched
from core.money import NANOS
from core.periods import Period
from organizations.models import Credential
from usage.queries.many import Found, Need, add_up_many
from usage.queries.metrics import METRICS, Metric, sums_of
from usage.queries.rollups import Group
from usage.rollups.cubes import Dimension

CONDITIONS: Final = (Condition.ANOMALY,)
_HOURS: Final = WEEKS * WEEK_HOURS + 1
_SUMS: Final = sums_of([METRICS[name] for name in WATCHED])
_NONE: Final = Decimal(0)
_KINDS: Final = {"key": Dimension.TOTAL, "model": Dimension.MODEL}


def read(rules: Sequence[Watched], now: datetime) -> Readings:
    """Return what these rules read: how many typical deviations an hour is from the usual, 0 if it is usual.

    Tenancy: call in the system's scope.
    Concurrency: three statements at most, however many rules.
    """
    hour = hour_before(now)
    window = Period(hour - (_HOURS - 1) * HOUR, hour + HOUR)
    found = add_up_many([_need(rule, window) for rule in rules], _SUMS) if rules else []
    client_ids = _client_ids(rules, found)
    anomalies: dict[tuple[int, Subject], Anomaly | None] = {}
    for place, (rule, groups) in enumerate(zip(rules, found, strict=True)):
        for key, hours in groups.items():
            subject = _subject(rule, key, client_ids)
            if subject is not None:
                anomalies[place, subject] = _judged(METRICS[rule.metric], hours)
    driving = _driving(rules, {place: one for (place, _), one in anomalies.items() if one}, window)
    readings: Readings = {rule.id: {} for rule in rules}
    for (place, subject), anomaly in anomalies.items():
        rule = rules[place]
        value = Decimal(str(anomaly.score)) if anomaly else _NONE
        detail = _explained(rule, anomaly, driving.get(place, ())) if anomaly else ""
        readings[rule.id][subject] = Reading(value, Period(hour, hour + HOUR), detail=detail)
    return readings


def _need(rule: Watched, window: Period) -> Need:
    return Need(
        organization_id=rule.organization_id,
        rollup_timezone=rule.rollup_timezone,
        period=window,
        dimension=DIMENSIONS.get(ScopeKind(rule.scope_kind), Dimension.TOTAL),
        each=rule.each,
        credential_id=rule.credential_id,
        value=rule.value,
        hourly=True,
    )


def _client_ids(rules: Sequence[Watched], found: Sequence[Found]) -> Mapping[int, str]:
    wanted = {key for groups in found for key in groups if isinstance(key, int)}
    wanted |= {rule.credential_id for rule in rules if rule.credential_id is not None}
    return dict(Credential.objects.filter(pk__in=wanted, revoked_at=None).values_list("pk", "client_id"))


def _named(found: Sequence[Found]) -> tuple[Mapping[int, str], Mapping[str, str]]:
    """Return the client ids of the keys that series are about, and the names by which people know them."""
    wanted = {key for groups in found for key in groups if isinstance(key, int)}
    keys = Credential.objects.filter(pk__in=wanted, revoked_at=None) if wanted else Credential.objects.none()
    rows = list(keys.values_list("pk", "client_id", "name"))
    return {key: client_id for key, client_id, _ in rows}, {one: name for _, one, name in rows if name}


def _subject(rule: Watched, key: Any, client_ids: Mapping[int, str]) -> Subject | None:
    """Return what a series is about; None for what names nothing, or is revoked."""
    if rule.each:
        return client_ids.get(key) if isinstance(key, int) else key or None
    if rule.credential_id is not None:
        return client_ids.get(rule.credential_id)
    return rule.value or ""


def _series(metric: Metric, groups: Sequence[Group]) -> list[float]:
    series = [0.0] * _HOURS
    for group in groups:
        if 0 <= group.bucket < _HOURS:
            series[group.bucket] = float(metric.read(group) or 0)
    return series


def _judged(metric: Metric, groups: Sequence[Group]) -> Anomaly | None:
    series = _series(metric, groups)
    requests = sum(group.sums.get("requests", 0) for group in groups)
    # Errors are counted one by one, tokens and cost come by the request.
    grain = max(sum(series) / requests, 1.0) if requests else 1.0
    return judge(series[:-1], series[-1], grain)


def _driving(
    rules: Sequence[Watched], unusual: Mapping[int, Anomaly], window: Period
) -> Mapping[int, Sequence[Driver]]:
    """Return which keys and models drive the anomalies of whole organizations, by the places of the rules."""
    asked = [
        (place, kind, dimension)
        for place in unusual
        if rules[place].scope_kind == ScopeKind.ORGANIZATION
        for kind, dimension in _KINDS.items()
    ]
    needs = [
        Need(
            rules[place].organization_id,
            rules[place].rollup_timezone,
            window,
            dimension,
            each=True,
            hourly=True,
        )
        for place, _, dimension in asked
    ]
    found = add_up_many(needs, _SUMS) if needs else []
    client_ids, names = _named(found)
    driving: dict[int, list[Driver]] = {}
    for (place, kind, _), groups in zip(asked, found, strict=True):
        metric = METRICS[rules[place].metric]
        parts: dict[int | str, list[float]] = {
            client_ids.get(key, "") if isinstance(key, int) else key or "": _series(metric, hours)
            for key, hours in groups.items()
        }
        parts.pop("", None)
        driving.setdefault(place, []).extend(
            replace(driver, value=names.get(str(driver.value), driver.value)) if kind == "key" else driver
            for driver in drivers(kind, parts, unusual[place])
        )
    return driving


def _explained(rule: Watched, anomaly: Anomaly, driving: Sequence[Driver]) -> str:
    unit = rule.currency if rule.metric == "cost" else ""
    scale = NANOS if rule.metric == "cost" else 1
    seen, expected = (figure(Decimal(str(one)) / scale, unit) for one in (anomaly.seen, anomaly.expected))
    verb = "was" if rule.metric == "cost" else "were"
    said = f"{seen}, where {expected} {verb} expected from the last {anomaly.weeks} weeks."
    parts = [f"{driver.kind} {driver.value}" for driver in driving[:3]]
    listed = " and ".join(filter(None, (", ".join(parts[:-1]), *parts[-1:])))
    return f"{said} Mainly from {listed}." if listed else said
