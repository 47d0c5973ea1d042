"""How far a value has come against a rule's thresholds, and what is to be told of that. Pure.

A value is below, between or beyond thresholds; how many of them are reached is its level. A level that rises
tells every threshold on the way; one that falls ends what it told, once the value has come back far enough.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final
from uuid import UUID

_HUNDRED: Final = Decimal(100)


@dataclass(frozen=True, slots=True)
class Ladder:
    """A rule's thresholds in the order in which they are reached, and how they are left again.

    Units: ``hysteresis`` per cent of a threshold.
    """

    revision: int
    thresholds: tuple[Decimal, ...]
    downward: bool = False
    hysteresis: Decimal = Decimal(0)
    quiet: timedelta = timedelta(0)

    def reached(self, value: Decimal) -> int:
        """Return how many thresholds a value has reached: at one is reached, or below it where it falls."""
        return sum(value < one if self.downward else value >= one for one in self.thresholds)

    def held(self, value: Decimal) -> int:
        """Return how many thresholds, once reached, are not yet left by a value."""
        give = self.hysteresis / _HUNDRED
        if self.downward:
            return sum(value < one * (1 + give) for one in self.thresholds)
        return sum(value >= one * (1 - give) for one in self.thresholds)


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a rule has come with one subject; see `alerts.models.RuleState`."""

    revision: int
    level: int = 0
    value: Decimal | None = None
    since: datetime | None = None
    episode: int = 0
    period_start: datetime | None = None
    quiet_until: datetime | None = None
    quiet_level: int = 0
    events: tuple[UUID | None, ...] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """What a new value means: how far it has come now, which thresholds to tell by place, what has ended."""

    standing: Standing
    told: tuple[int, ...] = ()
    ended: tuple[UUID, ...] = ()


def step(
    before: Standing | None,
    ladder: Ladder,
    value: Decimal | None,
    period_start: datetime | None,
    now: datetime,
) -> Step:
    """Return what a value means after what was before.

    Without a value there is nothing to be told, and what was told has ended. With ``period_start``, that of a
    calendar's period, each threshold is told once in it, and a new period begins anew.
    """
    old, ended = _begun(before, ladder, period_start, now)
    reached = 0 if value is None else ladder.reached(value)
    if reached > old.level:
        return _rise(old, ladder, reached, value, now, ended)
    level = 0 if value is None else min(old.level, ladder.held(value))
    over = (*ended, *_known(old.events[level:]))
    fallen = replace(old, level=level, value=value, events=old.events[:level])
    return Step(fallen if level == old.level else replace(fallen, since=now), (), over)


def _begun(
    before: Standing | None, ladder: Ladder, period_start: datetime | None, now: datetime
) -> tuple[Standing, tuple[UUID, ...]]:
    fresh = Standing(revision=ladder.revision, since=now, period_start=period_start)
    if before is None:
        return fresh, ()
    if before.revision != ladder.revision:
        return replace(fresh, episode=before.episode), _known(before.events)
    if before.period_start != period_start:
        return replace(fresh, episode=before.episode), _known(before.events)
    return before, ()


def _rise(
    old: Standing, ladder: Ladder, reached: int, value: Decimal | None, now: datetime, ended: tuple[UUID, ...]
) -> Step:
    quiet = old.quiet_level if old.quiet_until is not None and now < old.quiet_until else 0
    if reached <= quiet:
        # Told of and ended a moment ago: it is told again if it still holds when the quiet is over.
        return Step(replace(old, value=value), (), ended)
    told = tuple(range(max(old.level, quiet), reached))
    risen = replace(
        old,
        level=reached,
        value=value,
        since=now,
        episode=old.episode + 1,
        quiet_until=now + ladder.quiet,
        quiet_level=reached,
        events=(*old.events, *(None for _ in range(reached - old.level))),
    )
    return Step(risen, told, ended)


def _known(events: Sequence[UUID | None]) -> tuple[UUID, ...]:
    return tuple(event for event in events if event is not None)
