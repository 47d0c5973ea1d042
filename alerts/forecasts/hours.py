"""At which hours of a day use comes: how much of today is still ahead. No database, no clock."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

SAME_WEEKDAY: Final = 3.0
"""How much more another day of the same weekday says about today than one of another."""


@dataclass(frozen=True, slots=True)
class Hour:
    """What one hour brought: ``weekday`` from 0 (Monday) and ``hour`` are those of the clock on the wall."""

    weekday: int
    hour: int
    value: float


def share_ahead(hours: Sequence[Hour], weekday: int, passed: float) -> float:
    """Return the share of a day's use that still comes after ``passed`` hours of it, from 0 to 1.

    A clock that is put back or forth is followed: what counts is the hour it shows.
    """
    by_hour = [0.0] * 24
    for one in hours:
        by_hour[one.hour] += one.value * (SAME_WEEKDAY if one.weekday == weekday else 1.0)
    total = sum(by_hour)
    if total <= 0:
        by_hour, total = [1.0] * 24, 24.0
    ahead = sum(value * min(max(hour + 1 - passed, 0.0), 1.0) for hour, value in enumerate(by_hour))
    return min(max(ahead / total, 0.0), 1.0)
