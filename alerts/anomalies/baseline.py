"""What an hour usually brings, and how unusual it is. No database, no clock, no libraries.

The same hour of the last weeks tells what to expect, by its median, so that one bad hour in the past misleads
nobody. How much such hours differ is measured the same way, by the median distance; hours that bring little
differ at least as much as counting by chance does.
Source: Iglewicz and Hoaglin, How to Detect and Handle Outliers (1993), for the modified z-score.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import median
from typing import Final

WEEK_HOURS: Final = 168
LEAST_WEEKS: Final = 3
"""How often an hour of the week must have been seen: a new key has no usual."""
LEAST_SHARE: Final = 0.25
"""How many of all hours must have had any use: a sparse series has no usual either."""
UNUSUAL: Final = 6.0
"""From how many typical deviations on an hour is an anomaly."""
LEAST_CHANGE: Final = 0.5
"""By what share an hour must differ from what was expected as well: what is small is not alarming."""
_NORMAL: Final = 1.4826
"""What makes a median distance comparable to a standard deviation."""
_NEIGHBOURS: Final = (-1, 0, 1)
_HIGHEST: Final = 8
_RELATIVE: Final = 0.1
"""How much even the steadiest hours differ, as a share of what they bring."""


class Direction(StrEnum):
    """Which way an hour is unusual."""

    HIGH = "high"
    LOW = "low"


@dataclass(frozen=True, slots=True)
class Baseline:
    """What is usual for an hour: ``expected``, and by how much such hours typically differ."""

    expected: float
    deviation: float
    weeks: int


@dataclass(frozen=True, slots=True)
class Anomaly:
    """An unusual hour.

    ``score`` is by how many typical deviations ``seen`` differs from ``expected``.
    Units: those of the series.
    """

    seen: float
    expected: float
    score: float
    weeks: int

    @property
    def direction(self) -> Direction:
        """Which way it is unusual."""
        return Direction.HIGH if self.seen > self.expected else Direction.LOW


def baseline(history: Sequence[float], grain: float = 1.0) -> Baseline | None:
    """Return what is usual for the hour after a history, None where nothing is.

    ``history`` has a value for each hour, oldest first; ``grain`` is what a single request usually brings,
    since what comes in lumps differs by lumps.
    """
    known = _since_first(history)
    weeks = len(known) // WEEK_HOURS
    busy = sum(1 for value in known if value > 0)
    if weeks < LEAST_WEEKS or busy < LEAST_SHARE * len(known):
        return None
    level = _level(known)
    same = [
        known[-week * WEEK_HOURS] * factor for week, factor in zip(range(1, weeks + 1), level, strict=True)
    ]
    expected = median(same)
    # The hours beside it say how much such hours differ, where three or four of the same say too little.
    spread = _NORMAL * median(_distances(known, level))
    own = _NORMAL * median(abs(value - expected) for value in same)
    chance = math.sqrt(max(expected, grain) * grain)
    return Baseline(expected, max(own, spread, chance, _RELATIVE * expected), weeks)


def judge(history: Sequence[float], seen: float, grain: float = 1.0) -> Anomaly | None:
    """Return the anomaly that an hour is after its history, None if it is none."""
    usual = baseline(history, grain)
    if usual is None:
        return None
    difference = abs(seen - usual.expected)
    score = difference / usual.deviation
    if score < UNUSUAL or difference < LEAST_CHANGE * max(seen, usual.expected):
        return None
    return Anomaly(seen, usual.expected, round(score, 1), usual.weeks)


def _since_first(history: Sequence[float]) -> Sequence[float]:
    first = next((place for place, value in enumerate(history) if value > 0), len(history))
    return history[first:]


def _distances(known: Sequence[float], level: Sequence[float]) -> list[float]:
    """Return how far the hours beside it, too, were from what is usual for them."""
    found: list[float] = []
    for shift in _NEIGHBOURS:
        places = [week * WEEK_HOURS - shift for week in range(1, len(level) + 1)]
        hours = [
            known[-place] * factor for place, factor in zip(places, level, strict=True) if place <= len(known)
        ]
        usual = median(hours)
        found += [abs(value - usual) for value in hours]
    return found


def _trimmed(week: Sequence[float]) -> float:
    """Return the sum of a week without its highest hours, one of which may be an anomaly itself."""
    return math.fsum(sorted(week)[:-_HIGHEST])


def _level(known: Sequence[float]) -> list[float]:
    """Return by what each past week is to be multiplied to be as high as the last: growth is no anomaly."""
    weeks = len(known) // WEEK_HOURS
    end = len(known)
    sums = [
        _trimmed(known[end - week * WEEK_HOURS : end - (week - 1) * WEEK_HOURS])
        for week in range(1, weeks + 1)
    ]
    # A week of a wholly different height, such as one with a bad day in it, is taken as it is.
    factors = [sums[0] / total if total else 1.0 for total in sums]
    return [factor if 0.5 <= factor <= 2 else 1.0 for factor in factors]
