"""When a limit will be reached if spending goes on as it has. No database, no clock."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import exp
from typing import Final

from billing.windows import QUARTER, ROLLING, quarter_of
from core.periods import Period

RECENT: Final = timedelta(hours=24)
"""How far back the rate of spending is taken from: a whole day, so that the hour of the day is nothing."""
_RECENT_QUARTERS: Final = RECENT // QUARTER
_QUARTERS_AN_HOUR: Final = 4
_HOURS: Final = 7 * 24
TAIL: Final = 1.2816
"""How many standard deviations leave a tenth beyond them."""


@dataclass(frozen=True, slots=True)
class Spent:
    """What one quarter-hour cost.

    Units: ``quarter`` is where it begins, in UTC; ``cost_nanos`` nanos.
    """

    quarter: datetime
    cost_nanos: int


@dataclass(frozen=True, slots=True)
class Pace:
    """At which rates spending goes on, for each hour of the coming week, the first of which begins now.

    ``spread`` is how far off the rates may be, as the standard deviation of their logarithm.
    Units: nanos a day.
    """

    rates: tuple[int, ...]
    spread: float = 0.0

    def shifted(self, deviations: float) -> "Pace":
        """Return a pace that is higher, or lower, by so many standard deviations."""
        factor = exp(deviations * self.spread)
        return Pace(tuple(round(rate * factor) for rate in self.rates))


@dataclass(frozen=True, slots=True)
class Pausing:
    """When a limit will be reached; four times in five it is between ``earliest`` and ``latest``.

    None: not within seven days, or not this week.
    """

    at: datetime | None = None
    earliest: datetime | None = None
    latest: datetime | None = None


def pausing(
    spent: Sequence[Spent], limit_nanos: int, window: Period, now: datetime, pace: Pace, *, rolling: bool
) -> Pausing:
    """Return when a limit will be reached at a pace, and how sure that is."""
    return Pausing(
        *(
            pauses_at(spent, limit_nanos, window, now, rolling=rolling, pace=pace.shifted(deviations))
            for deviations in (0.0, TAIL, -TAIL)
        )
    )


def steady(spent: Sequence[Spent], now: datetime) -> Pace:
    """Return the last day's rate, whatever the hour."""
    return Pace((sum(one.cost_nanos for one in spent if one.quarter > now - RECENT),) * _HOURS)


def pauses_at(
    spent: Sequence[Spent],
    limit_nanos: int,
    window: Period,
    now: datetime,
    *,
    rolling: bool,
    pace: Pace | None = None,
) -> datetime | None:
    """Return the quarter-hour in which the limit is reached at a pace, None if it isn't.

    The pace is the last day's rate unless another is given. A rolling window also lets go of what was spent
    seven days before. Looks seven days ahead, or to the end of the week.
    """
    rates = (pace or steady(spent, now)).rates
    total = sum(one.cost_nanos for one in spent if one.quarter >= window.start)
    if not any(rates) or total >= limit_nanos:
        return None
    leaving = sorted((one for one in spent if one.quarter >= window.start), key=lambda one: one.quarter)
    quarter, gone, place, coming = quarter_of(now), 0, 0, 0
    for passed in range(ROLLING // QUARTER):
        quarter += QUARTER
        if not rolling and quarter >= window.end:
            return None
        while rolling and place < len(leaving) and leaving[place].quarter < quarter - ROLLING:
            gone += leaving[place].cost_nanos
            place += 1
        # Compared as whole numbers: a rate is that of a day, of 96 quarter-hours.
        coming += rates[passed // _QUARTERS_AN_HOUR]
        if (total - gone) * _RECENT_QUARTERS + coming >= limit_nanos * _RECENT_QUARTERS:
            return quarter
    return None


def resets_at(spent: Sequence[Spent], limit_nanos: int, window: Period, *, rolling: bool) -> datetime | None:
    """Return when a limit that is reached will be open again if nothing more is spent.

    Of one that is open: when its week ends, or its rolling window next lets go of anything; None if never.
    """
    if not rolling:
        return window.end
    within = sorted((one for one in spent if one.quarter >= window.start), key=lambda one: one.quarter)
    rest = sum(one.cost_nanos for one in within)
    for one in within:
        rest -= one.cost_nanos
        if one.cost_nanos and rest < limit_nanos:
            return one.quarter + QUARTER + ROLLING
    return None
