"""Looking whether rules are met: for all organizations, some hundred at a time, in a few statements each.

What is found, what is told of it and how far each rule has come are written in one transaction, so that a
crash undoes all three. One evaluation works at a time; what has been told before, the events refuse.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Final
from uuid import UUID

import structlog
from django.db import connection

from alerts.events import Draft, raise_events, resolve_events
from alerts.models import Condition, Rule, RuleChannel, RuleState, Severity
from alerts.rules import foreseen, limits, measured, shares, unusual, words
from alerts.rules.levels import Standing, Step, step
from alerts.rules.named import with_names
from alerts.rules.watched import Levels, Reading, Readings, Subject, Watched, held, watched
from core import clock
from organizations.tenancy import Actor, system_scope

CHUNK: Final = 500
"""Organizations in one transaction."""
MINUTELY: Final = (*measured.CONDITIONS, *shares.CONDITIONS, Condition.LIMIT)
"""The conditions that are looked at each minute."""
HOURLY: Final = (*unusual.CONDITIONS, *foreseen.CONDITIONS)
"""Those that are looked at each hour, some organizations at a time: they read weeks."""
HOURLY_CHUNK: Final = 50
_LOCK: Final = "SELECT pg_advisory_xact_lock(hashtextextended('alert rules', %s))"
_ACTOR: Final = Actor(kind="system", job="alert rules")
_STATE: Final = (
    "revision", "period_start", "level", "value", "since", "episode", "quiet_until", "quiet_level", "events",
)  # fmt: skip

log: Final = structlog.get_logger(__name__)

Standings = dict[UUID, dict[Subject, Standing]]
Reader = Callable[[Sequence[Watched], Standings, datetime], Readings]


@dataclass(slots=True)
class Evaluated:
    """What an evaluation came to."""

    rules: int = 0
    told: int = 0
    ended: int = 0

    def add(self, other: "Evaluated") -> None:
        """Count another as part of this one."""
        self.rules += other.rules
        self.told += other.told
        self.ended += other.ended


@dataclass(slots=True)
class _Change:
    """What a reading means for one subject of a rule."""

    rule: Watched
    subject: Subject
    reading: Reading
    step: Step
    drafts: dict[int, Draft] = field(default_factory=dict)


def evaluate(
    now: datetime | None = None, *, organizations: Iterable[int] | None = None, only_spend: bool = False
) -> Evaluated:
    """Look at the rules of some organizations, or of all, and tell what they say.

    ``only_spend`` leaves out what does not follow from costs.
    Tenancy: looks through the whole system.
    Concurrency: a transaction for every `CHUNK` organizations; evaluations take turns.
    """
    wanted = {"metric": "cost"} if only_spend else {}
    total = _look(_Kind(MINUTELY, _read, CHUNK, turn=0), organizations, now, wanted)
    if organizations is None:
        with system_scope(actor=_ACTOR):
            limits.forget_unwanted()
    return total


def evaluate_hourly(now: datetime | None = None, *, organizations: Iterable[int] | None = None) -> Evaluated:
    """Look at the rules about anomalies and forecasts, and tell what they say; else as `evaluate`."""
    return _look(_Kind(HOURLY, _read_hourly, HOURLY_CHUNK, turn=1), organizations, now, {})


@dataclass(frozen=True, slots=True)
class _Kind:
    """Rules that are looked at together: their conditions, who reads for them, and in whose turn."""

    conditions: Sequence[Condition]
    reader: Reader
    chunk: int
    turn: int


def _look(
    kind: _Kind, organizations: Iterable[int] | None, now: datetime | None, wanted: dict[str, str]
) -> Evaluated:
    total = Evaluated()
    concerned = _concerned(organizations, kind.conditions)
    for place in range(0, len(concerned), kind.chunk):
        with system_scope(actor=_ACTOR):
            with connection.cursor() as cursor:
                cursor.execute(_LOCK, [kind.turn])
            rules = watched(concerned[place : place + kind.chunk], kind.conditions, **wanted)
            total.add(_evaluate(rules, now or clock.now(), kind.reader))
    if total.told or total.ended:
        log.info("alert rules evaluated", rules=total.rules, told=total.told, ended=total.ended)
    return total


def _concerned(organizations: Iterable[int] | None, conditions: Sequence[Condition]) -> list[int]:
    if organizations is not None:
        return sorted(set(organizations))
    with system_scope():
        found = Rule.objects.filter(enabled=True, condition__in=conditions).order_by("organization_id")
        return list(found.values_list("organization_id", flat=True).distinct())


def _reached(standings: Standings) -> Levels:
    return {
        rule: {subject: one.level for subject, one in subjects.items()}
        for rule, subjects in standings.items()
    }


def _of(rules: Sequence[Watched], conditions: Sequence[Condition]) -> list[Watched]:
    return [rule for rule in rules if rule.condition in conditions]


def _read(rules: Sequence[Watched], standings: Standings, now: datetime) -> Readings:
    return {
        **measured.read(_of(rules, measured.CONDITIONS), _reached(standings), now),
        **shares.read(_of(rules, shares.CONDITIONS), now),
    }


def _read_hourly(rules: Sequence[Watched], standings: Standings, now: datetime) -> Readings:
    return {
        **unusual.read(_of(rules, unusual.CONDITIONS), now),
        **foreseen.read(_of(rules, foreseen.CONDITIONS), _reached(standings), now),
    }


def _evaluate(rules: Sequence[Watched], now: datetime, reader: Reader) -> Evaluated:
    of_limits = [rule for rule in rules if rule.condition == Condition.LIMIT]
    others = [rule for rule in rules if rule.condition != Condition.LIMIT]
    standings = _standings(others)
    readings = reader(others, standings, now)
    changes = [
        change
        for rule in others
        for change in _changes(rule, readings.get(rule.id, {}), standings.get(rule.id, {}), now)
    ]
    changes = _still_so(changes)
    drafts = [draft for change in changes for draft in change.drafts.values()]
    decided = with_names(_with_channels([*limits.decided(of_limits), *drafts]))
    raised = {event.dedup_key: event.pk for event in raise_events(decided)} if decided else {}
    _keep(changes, raised)
    ended = [event for change in changes for event in change.step.ended]
    ended += limits.over(of_limits) if of_limits else []
    over = resolve_events(ended) if ended else []
    return Evaluated(len(rules), len(raised), len(over))


def _standings(rules: Sequence[Watched]) -> Standings:
    found: Standings = {}
    states = RuleState.objects.filter(rule__in=[rule.id for rule in rules])
    for rule_id, subject, events, *rest in states.values_list("rule_id", "subject", "events", *_STATE[:-1]):
        columns = dict(zip(_STATE[:-1], rest, strict=True))
        found.setdefault(rule_id, {})[subject] = Standing(**columns, events=tuple(events))
    return found


def _changes(
    rule: Watched, readings: dict[Subject, Reading], standings: dict[Subject, Standing], now: datetime
) -> Iterable[_Change]:
    """Yield what has changed: most rules are far from anything, and nothing is written of them."""
    ladder = rule.ladder
    for subject in {**readings, **standings}:
        before, reading = standings.get(subject), readings.get(subject, _NOTHING)
        if before is None and (reading.value is None or not ladder.reached(reading.value)):
            continue
        taken = step(before, ladder, reading.value, reading.begun, now)
        if taken.standing == before and not taken.ended:
            continue
        change = _Change(rule, subject, reading, taken)
        change.drafts = {place: _draft(change, place) for place in taken.told}
        yield change


_NOTHING: Final = Reading(None)


def _draft(change: _Change, place: int) -> Draft:
    rule, reading = change.rule, change.reading
    threshold: Decimal | None = rule.thresholds[place] if rule.thresholds else None
    last = len(rule.thresholds) > 1 and place == len(rule.thresholds) - 1
    scope = {"kind": rule.scope_kind}
    if change.subject:
        scope["value"] = change.subject
    return Draft(
        rule.organization_id,
        metric=rule.metric,
        message=words.message(rule, change.subject, reading, threshold),
        severity=Severity.CRITICAL if last else rule.severity,
        rule_id=rule.id,
        rule_name=rule.name,
        rule_revision=rule.revision,
        scope=scope,
        unit=rule.unit,
        threshold=threshold,
        value=reading.value,
        period=reading.period,
        recommendation=words.recommendation(rule),
        # In a calendar's period once, else once each time that it is reached anew.
        occurrence="" if reading.begun else f"episode {change.step.standing.episode}",
    )


def _still_so(changes: Sequence[_Change]) -> list[_Change]:
    """Hold the rules that something is written of, and leave out those that were changed meanwhile."""
    revisions = held({change.rule.id for change in changes})
    return [change for change in changes if revisions.get(change.rule.id) == change.rule.revision]


def _with_channels(drafts: Sequence[Draft]) -> list[Draft]:
    """Return drafts with the channels that are chosen for their rules."""
    if not drafts:
        return []
    chosen: dict[UUID, set[UUID]] = {}
    rows = RuleChannel.objects.filter(rule__in={draft.rule_id for draft in drafts})
    for rule_id, channel_id in rows.values_list("rule_id", "channel_id"):
        chosen.setdefault(rule_id, set()).add(channel_id)
    return [
        replace(draft, channels=frozenset(chosen[draft.rule_id])) if draft.rule_id in chosen else draft
        for draft in drafts
    ]


def _keep(changes: Sequence[_Change], raised: dict[UUID, UUID]) -> None:
    RuleState.objects.bulk_create(
        (_state(change, raised) for change in changes),
        update_conflicts=True,
        unique_fields=["rule", "subject"],
        update_fields=list(_STATE),
    )


def _state(change: _Change, raised: dict[UUID, UUID]) -> RuleState:
    standing = change.step.standing
    events = list(standing.events)
    for place, draft in change.drafts.items():
        events[place] = raised.get(draft.dedup_key)
    columns = {name: getattr(standing, name) for name in _STATE}
    return RuleState(
        organization_id=change.rule.organization_id,
        rule_id=change.rule.id,
        subject=change.subject,
        **{**columns, "events": events},
    )
