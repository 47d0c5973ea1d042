"""What is read for rules over metrics: sums of a window, and of the one before it, for all rules at once."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Final

from django.db.models import Q

from alerts.models import Condition, ScopeKind
from alerts.rules import windows
from alerts.rules.terms import RATES
from alerts.rules.watched import Levels, Reading, Readings, Subject, Watched
from alerts.rules.windows import MINUTE, QUARTER, Look, look
from core.money import NANOS
from organizations.models import Credential
from usage.queries.many import Found, Need, add_up_many
from usage.queries.metrics import METRICS, Metric, metric_named, sums_of
from usage.queries.rollups import Group
from usage.rollups.cubes import Dimension
from usage.rollups.measures import HISTOGRAM

CONDITIONS: Final = (
    Condition.ABOVE,
    Condition.BELOW,
    Condition.RISES,
    Condition.FALLS,
    Condition.NO_TRAFFIC,
)
CHANGES: Final = (Condition.RISES, Condition.FALLS)
DIMENSIONS: Final = {
    ScopeKind.MODEL: Dimension.MODEL,
    ScopeKind.ENDPOINT: Dimension.ENDPOINT,
    ScopeKind.CAPABILITY: Dimension.CAPABILITY,
}
_PLACES: Final = Decimal("0.000000001")
_HUNDRED: Final = Decimal(100)
_NOTHING: Final = Group(0)


@dataclass(slots=True)
class _Ask:
    """What is asked for one rule: the places of its needs among all of them."""

    rule: Watched
    metric: Metric
    look: Look
    now: int
    requests: int | None = None
    before: int | None = None
    seen: int | None = None


def read(rules: Sequence[Watched], standing: Levels, now: datetime) -> Readings:
    """Return what these rules read.

    Tenancy: call in the system's scope.
    Concurrency: three statements at most, however many rules.
    """
    needs: list[Need] = []
    asked = [_ask(rule, now, needs) for rule in rules]
    if not asked:
        return {}
    found = add_up_many(needs, sums_of([*(ask.metric for ask in asked if not ask.metric.meter), *_REQUESTS]))
    keys = _keys(rules, found, needs, standing)
    return {ask.rule.id: _readings(ask, found, keys, standing.get(ask.rule.id, {})) for ask in asked}


def course(rule: Watched, moments: Sequence[datetime]) -> list[tuple[Decimal | None, Decimal | None]]:
    """Return what a rule about a single subject would read at moments: its metric, and what before.

    Tenancy: call in the tenant's scope.
    Concurrency: two statements at most, however many moments.
    """
    needs: list[Need] = []
    asked = [_ask(rule, moment, needs) for moment in moments]
    found = add_up_many(needs, sums_of([*(ask.metric for ask in asked if not ask.metric.meter), *_REQUESTS]))
    return [
        (_only(ask, found[ask.now]), None if ask.before is None else _only(ask, found[ask.before]))
        for ask in asked
    ]


def _only(ask: _Ask, found: Found) -> Decimal | None:
    return number_of(ask.metric, found[None][0] if found else _NOTHING)


_REQUESTS: Final = (METRICS["requests"],)


def _ask(rule: Watched, now: datetime, needs: list[Need]) -> _Ask:
    metric = metric_named(rule.metric)
    if metric is None:
        raise ValueError(f"no such metric: {rule.metric}")
    dimension = DIMENSIONS.get(ScopeKind(rule.scope_kind), Dimension.TOTAL)
    fine = dimension is Dimension.TOTAL and not metric.meter and HISTOGRAM.name not in metric.sums
    step = MINUTE if fine else QUARTER
    seen = look(rule.window, now, rule.timezone, step, whole=rule.condition in CHANGES)
    need = Need(
        organization_id=rule.organization_id,
        rollup_timezone=rule.rollup_timezone,
        period=seen.window,
        dimension=dimension,
        each=rule.each,
        credential_id=rule.credential_id,
        value=rule.value,
        fine=fine,
        meter=metric.meter,
        percentiles=HISTOGRAM.name in metric.sums,
    )
    ask = _Ask(rule, metric, seen, _add(needs, need))
    if metric.meter and rule.least_requests:
        falls = rule.condition == Condition.FALLS
        ask.requests = _add(needs, replace(need, meter=None, period=seen.before if falls else seen.window))
    if rule.condition in CHANGES:
        ask.before = _add(needs, replace(need, period=seen.before))
    if rule.condition == Condition.NO_TRAFFIC or (rule.condition == Condition.BELOW and rule.each):
        ask.seen = _add(needs, replace(need, period=windows.seen_before(seen.window), meter=None))
    return ask


def _add(needs: list[Need], need: Need) -> int:
    needs.append(need)
    return len(needs) - 1


@dataclass(frozen=True, slots=True)
class _Keys:
    """Credentials by id, and the client ids of those that are not revoked."""

    client_ids: Mapping[int, str]
    in_use: frozenset[str]


def _keys(rules: Iterable[Watched], found: Sequence[Found], needs: Sequence[Need], standing: Levels) -> _Keys:
    wanted = {rule.credential_id for rule in rules if rule.credential_id is not None}
    for groups, need in zip(found, needs, strict=True):
        if need.each and need.dimension is Dimension.TOTAL:
            wanted.update(key for key in groups if isinstance(key, int))
    held = {
        subject
        for rule in rules
        if rule.each and rule.scope_kind == ScopeKind.CREDENTIAL
        for subject in standing.get(rule.id, ())
    }
    rows = Credential.objects.filter(Q(pk__in=wanted) | Q(client_id__in=held)).values_list(
        "pk", "client_id", "revoked_at"
    )
    keys = list(rows) if wanted or held else []
    return _Keys(
        {key: client_id for key, client_id, _ in keys},
        frozenset(client_id for _, client_id, revoked_at in keys if revoked_at is None),
    )


def _readings(
    ask: _Ask, found: Sequence[Found], keys: _Keys, levels: Mapping[Subject, int]
) -> dict[Subject, Reading]:
    now, before, requests, seen = (
        {} if place is None else _by_subject(ask.rule, found[place], keys)
        for place in (ask.now, ask.before, ask.requests, ask.seen)
    )
    subjects = _subjects(ask.rule, {*now, *before, *seen}, levels, keys)
    readings = {}
    for subject in subjects:
        counted = requests if ask.requests is not None else now
        value, compared = _value(
            ask,
            now.get(subject, _NOTHING),
            before.get(subject, _NOTHING),
            counted.get(subject, _NOTHING),
        )
        if ask.rule.condition == Condition.NO_TRAFFIC:
            missed = subject in seen or levels.get(subject, 0) > 0
            value = Decimal(int(missed and not now.get(subject)))
        begun = None if ask.look.period is None else ask.look.period.start
        readings[subject] = Reading(value, ask.look.period or ask.look.window, begun, compared)
    return readings


def _by_subject(rule: Watched, found: Found, keys: _Keys) -> dict[Subject, Group]:
    """Return groups by what people know them by; what names none, or is revoked, is nobody's."""
    if not rule.each:
        return dict.fromkeys([_own(rule, keys)], found[None][0]) if found else {}
    known = {}
    for key, groups in found.items():
        if isinstance(key, int):
            client_id = keys.client_ids.get(key, "")
            if client_id in keys.in_use:
                known[client_id] = groups[0]
        elif key:
            known[key] = groups[0]
    return known


def _subjects(rule: Watched, found: set[Subject], levels: Mapping[Subject, int], keys: _Keys) -> set[Subject]:
    if not rule.each:
        return {_own(rule, keys)}
    if rule.scope_kind != ScopeKind.CREDENTIAL:
        return found | levels.keys()
    # A key that was revoked is missed by nobody.
    return found | (levels.keys() & keys.in_use)


def _own(rule: Watched, keys: _Keys) -> Subject:
    if rule.credential_id is not None:
        return keys.client_ids.get(rule.credential_id, "")
    return rule.value or ""


def _value(ask: _Ask, now: Group, before: Group, counted: Group) -> tuple[Decimal | None, Decimal | None]:
    rule = ask.rule
    if rule.condition not in CHANGES:
        enough = counted.sums.get("requests", 0) >= rule.least_requests
        return (number_of(ask.metric, now) if enough else None), None
    return _change(ask, now, before, counted)


def _change(ask: _Ask, now: Group, before: Group, counted: Group) -> tuple[Decimal | None, Decimal | None]:
    """Return by how many per cent a metric rose, or fell, and from what."""
    first, second = number_of(ask.metric, before), number_of(ask.metric, now)
    rises = ask.rule.condition == Condition.RISES
    asked = [counted if rises or ask.metric.meter else before]
    if not ask.metric.adds_up:
        asked = [counted, before]
    enough = all(group.sums.get("requests", 0) >= ask.rule.least_requests for group in asked)
    if not enough or first is None or second is None or first <= 0:
        return None, first
    change = (second - first) / first * _HUNDRED
    return (change if rises else -change).quantize(_PLACES), first


def number_of(metric: Metric, group: Group) -> Decimal | None:
    """Return the value of a metric in the unit of rules."""
    found = metric.read(group)
    if found is None:
        return None
    value = found if isinstance(found, Decimal) else Decimal(str(found))
    if metric.name == "cost":
        value /= NANOS
    elif metric.name in RATES:
        value *= _HUNDRED
    return value.quantize(_PLACES)
