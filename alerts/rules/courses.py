"""What a rule looked at around an event, read anew: how it went, and what it was held against.

Every value is what the rule would have read at that moment, over its own window. Where a rule was judged by
something that is not kept, what comes nearest is read instead, without a threshold, and ``basis`` says so.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any, Final

from alerts.models import Condition, Event, Span
from alerts.rules import measured, usual
from alerts.rules.past import is_of_limit, rule_at
from alerts.rules.terms import RATE_LIMIT, unit_of
from alerts.rules.watched import Watched
from alerts.rules.windows import LENGTHS, MINUTE, QUARTER, look
from billing.models import Decision, Window
from core.money import NANOS
from core.periods import Period

MOST_POINTS: Final = 72
_EPOCH: Final = datetime(2000, 1, 1, tzinfo=UTC)
_JUST_BEFORE: Final = timedelta(microseconds=1)
_HOUR: Final = timedelta(hours=1)
_DAY: Final = timedelta(days=1)
_STEPS: Final = (
    MINUTE,
    5 * MINUTE,
    QUARTER,
    2 * QUARTER,
    *(hours * _HOUR for hours in (1, 2, 3, 6, 12)),
    *(days * _DAY for days in (1, 2, 7)),
)
_HUNDRED: Final = Decimal(100)
_LEAST_SEEN: Final = 6 * _HOUR
"""How long before an event that was judged by an hour its course begins; of others three windows before."""


class Basis(Enum):
    """What the values are."""

    JUDGED = "judged"
    """What the rule judged, against a threshold that stayed."""
    CHANGE = "change"
    """The metric, against the window before with the change that is told added."""
    TRAFFIC = "traffic"
    """The requests, of which there must be some."""
    USUAL = "usual"
    """The hours, against what was usual for each."""
    SO_FAR = "so far"
    """What the period had come to, against what it was forecast to reach."""
    SPENT = "spent"
    """What was spent within the limit's window, against the share of it."""
    USED = "used"
    """What was used within a day: how much was granted at each moment is not kept."""
    REQUESTS = "requests"
    """The requests that were recorded: calls in the busiest minute are counted for a day alone."""


@dataclass(frozen=True, slots=True)
class Point:
    """A moment, what was read at it, if anything, and what that was held against, if anything."""

    at: datetime
    value: Decimal | None
    threshold: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Course:
    """How it went around an event.

    ``rule`` is what was read: its metric and window can be others than the event's.
    Units: ``unit`` is that of values and thresholds.
    """

    rule: Watched
    basis: Basis
    unit: str
    points: tuple[Point, ...]


def course(event: Event, now: datetime, since: datetime) -> Course | None:
    """Return how it went around an event; None where nothing of it is known any more.

    ``since`` is where the organization's history begins.
    Tenancy: call in the tenant's scope.
    Concurrency: a handful of statements.
    """
    rule = rule_at(event)
    if rule is None or event.fired_at < since:
        return None
    if rule.condition == Condition.ANOMALY:
        seen = _around(event, _LEAST_SEEN * 8, 6 * _HOUR, now, since)
        points = tuple(Point(*one) for one in usual.hours(rule, event, seen))
        return Course(rule, Basis.USUAL, _unit(rule), points)
    return _read(rule, event, now, since)


def _read(rule: Watched, event: Event, now: datetime, since: datetime) -> Course | None:
    basis, read, threshold = _basis(rule, event)
    seen = _window(read, event, now, since)
    wanted = _moments(seen, [moment for moment in (event.fired_at, event.resolved_at) if moment])
    values = measured.course(read, [moment - _JUST_BEFORE for moment in wanted])
    points = []
    for moment, (value, before) in zip(wanted, values, strict=True):
        if basis is Basis.JUDGED and moment == event.fired_at:
            # Records that came later are in what is read now, and were not in what was judged.
            value = event.value
        held = threshold if basis is not Basis.CHANGE else _changed(read, before, event.threshold)
        points.append(Point(moment, value, held))
    known = any(point.value is not None for point in points)
    return Course(read, basis, _unit(read), tuple(points) if known else ())


def _basis(rule: Watched, event: Event) -> tuple[Basis, Watched, Decimal | None]:
    """Return what is to be read for a rule, and the threshold that stays, if one does."""
    condition = Condition(rule.condition)
    if is_of_limit(rule):
        return _of_limit(rule, event)
    if rule.metric == RATE_LIMIT:
        read = replace(rule, condition=Condition.ABOVE, metric="requests", window=Span.HOUR)
        return Basis.REQUESTS, read, None
    if condition is Condition.SHARE:
        return Basis.USED, replace(rule, condition=Condition.ABOVE, window=Span.HOURS_24), None
    if condition is Condition.NO_TRAFFIC:
        return Basis.TRAFFIC, replace(rule, condition=Condition.ABOVE), None
    if condition is Condition.FORECAST:
        return Basis.SO_FAR, replace(rule, condition=Condition.ABOVE), event.threshold
    return (Basis.CHANGE if condition in measured.CHANGES else Basis.JUDGED), rule, event.threshold


def _of_limit(rule: Watched, event: Event) -> tuple[Basis, Watched, Decimal | None]:
    """Read what was spent, against a share of the limit that was in force."""
    whose: dict[str, Any] = {"organization_id": rule.organization_id, "credential_id": rule.credential_id}
    decided = Decision.objects.filter(**whose, decided_at__lte=event.fired_at)
    found = decided.order_by("-decided_at", "-pk").first()
    is_week = found is not None and found.window_kind == Window.WEEK
    read = replace(rule, condition=Condition.ABOVE, window=Span.WEEK if is_week else Span.DAYS_7)
    if found is None or event.threshold is None:
        return Basis.SPENT, read, None
    return Basis.SPENT, read, Decimal(found.limit_nanos) / NANOS * event.threshold / _HUNDRED


def _changed(rule: Watched, before: Decimal | None, change: Decimal | None) -> Decimal | None:
    if before is None or change is None:
        return None
    sign = 1 if rule.condition == Condition.RISES else -1
    return before * (1 + sign * change / _HUNDRED)


def _unit(rule: Watched) -> str:
    """Return the unit of a rule's metric, whatever the unit of its thresholds."""
    return unit_of(Condition.ABOVE, rule.metric, rule.currency)


def _window(rule: Watched, event: Event, now: datetime, since: datetime) -> Period:
    """Return the time that is shown: a calendar's period, else some windows before until it was over."""
    seen = look(rule.window, event.fired_at, rule.timezone, QUARTER, whole=False)
    if seen.period is not None:
        return Period(max(seen.period.start, since), max(min(seen.period.end, now), event.fired_at))
    length = LENGTHS[Span(rule.window)]
    before = max(3 * length, min(12 * length, _LEAST_SEEN))
    return _around(event, before, min(before, max(length, 2 * _HOUR)), now, since)


def _around(event: Event, before: timedelta, after: timedelta, now: datetime, since: datetime) -> Period:
    over = event.resolved_at or now
    return Period(max(event.fired_at - before, since), max(min(over + after, now), event.fired_at))


def _moments(window: Period, always: Sequence[datetime]) -> list[datetime]:
    """Return moments evenly spread over a window, and those that must not be missed, in order."""
    step = next((one for one in _STEPS if window.duration <= MOST_POINTS * one), _STEPS[-1])
    moment = window.start + (_EPOCH - window.start) % step
    found = {one for one in always if window.start <= one <= window.end}
    while moment <= window.end:
        found.add(moment)
        moment += step
    return sorted(found)
