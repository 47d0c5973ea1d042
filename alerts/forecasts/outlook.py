"""What is said of the days ahead: for each an interval, and for every sum of them one of its own.

The bounds of a sum are not the sum of bounds: good and bad days partly cancel out. They are read off whole
simulated futures, see `alerts.forecasts.futures`. No database, no clock, no libraries.
"""

from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Context
from enum import StrEnum
from typing import Final

CONFIDENCE: Final = 0.8
"""How likely the truth lies between an interval's bounds."""
DIGITS: Final = 3
"""To how many significant digits an estimate is shown."""


class Method(StrEnum):
    """How a forecast was made."""

    ETS = "ets"
    RUN_RATE = "runRate"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Interval:
    """A number that isn't known yet: what is expected, and between which bounds it will most likely be."""

    expected: float
    low: float
    high: float

    def blended(self, other: "Interval", share: float) -> "Interval":
        """Return what lies between this (``share`` 0) and another interval (``share`` 1)."""
        return Interval(
            self.expected + (other.expected - self.expected) * share,
            self.low + (other.low - self.low) * share,
            self.high + (other.high - self.high) * share,
        )

    def rounded(self) -> "Interval":
        """Return it to `DIGITS` digits, its bounds outwards: more would say more than is known."""
        return Interval(
            _rounded(self.expected, ROUND_HALF_EVEN),
            _rounded(self.low, ROUND_FLOOR),
            _rounded(self.high, ROUND_CEILING),
        )


NOTHING: Final = Interval(0.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Outlook:
    """What the days from today on will bring, as it was known when today began.

    ``days[0]`` is today. ``with_today[n]`` is the sum of today and the n days after it, ``after_today[n]``
    that of those n days alone. ``learned`` is from how many days it was made.
    """

    method: Method
    learned: int
    days: tuple[Interval, ...] = ()
    with_today: tuple[Interval, ...] = ()
    after_today: tuple[Interval, ...] = ()

    @property
    def horizon(self) -> int:
        """How many days after today it reaches."""
        return max(len(self.days) - 1, 0)

    def rest_of_today(self, ahead: float) -> Interval:
        """Return what the rest of today will bring; ``ahead`` is the share of a day's use still to come."""
        return NOTHING.blended(self.days[0], ahead)

    def ahead(self, share_of_today: float, days: float) -> Interval:
        """Return the sum of the rest of today and of so many days after it, the last perhaps a part of one.

        Raises: IndexError beyond the horizon.
        """
        whole = int(days)
        reached = self._ahead(share_of_today, whole)
        if days == whole:
            return reached
        return reached.blended(self._ahead(share_of_today, whole + 1), days - whole)

    def _ahead(self, share_of_today: float, days: int) -> Interval:
        return self.after_today[days].blended(self.with_today[days], share_of_today)


def _rounded(value: float, rounding: str) -> float:
    return float(Context(prec=DIGITS, rounding=rounding).create_decimal(repr(value)))
