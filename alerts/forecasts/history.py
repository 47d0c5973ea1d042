"""The days that a forecast learns from. No database, no clock, no libraries."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

LEARNED_DAYS: Final = 112
"""Sixteen weeks: enough for weekdays and a trend, and short enough that old ways are forgotten."""
WEEK: Final = 7


@dataclass(frozen=True, slots=True)
class History:
    """What each whole day brought, oldest first, yesterday last; ``today`` is the day after it.

    The first day is one on which there was any use.
    Units: of whatever is counted.
    """

    today: date
    values: tuple[float, ...]

    @classmethod
    def until(cls, today: date, values: Sequence[float]) -> "History":
        """Return the history that ends with the day before ``today`` and begins with the first of any use.

        Days without use between others are days: a gap says that days may be empty.
        """
        recent = values[-LEARNED_DAYS:]
        first = next((place for place, value in enumerate(recent) if value > 0), len(recent))
        return cls(today, tuple(float(max(value, 0)) for value in recent[first:]))

    @property
    def days(self) -> int:
        """How many days it has."""
        return len(self.values)

    @property
    def mean(self) -> float:
        """What an average day brought."""
        return sum(self.values) / len(self.values)

    def weekday(self, place: int) -> int:
        """Return the weekday, from 0 to 6, of the day at a place: `days` is that of today."""
        return (self.today.toordinal() + place - len(self.values)) % WEEK
