"""At which pace spending will go on through the coming week, hour by hour. No database, no clock.

The same hours of the two weeks before tell when it rises and falls, the last 24 hours how high it is now.
It is made of nothing but what the limit keeps anyway, so that asking for many limits costs no statement more.
"""

import math
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from statistics import stdev
from typing import Final

from billing.forecast import Pace, Spent

_HOUR: Final = timedelta(hours=1)
_DAY: Final = 24
_WEEK: Final = 7 * _DAY
_LEARNED: Final = 2 * _WEEK + _DAY
"""Hours: two weeks, and the day before them that the last 24 hours are compared with."""
_RISEN: Final = 20
"""Beyond so many times the usual, the past says nothing of when: the last day's rate is all there is."""
_LEAST_SPREAD, _UNKNOWN_SPREAD, _MOST_SPREAD = 0.1, 0.5, 1.0


def pace(spent: Sequence[Spent], now: datetime) -> Pace:
    """Return what the coming week's hours will cost, each as if it went on for a day, and how sure that is.

    The first hour is the one that begins now. Units: nanos.
    """
    hours = _by_hour(spent, now)
    recent = _sum(hours, 0, _DAY)
    known = max(hours, default=-1) + 1
    if known >= _LEARNED - _DAY:
        return _weekly(hours, recent)
    return Pace(_daily(hours, recent, min(known // _DAY, 7)), _UNKNOWN_SPREAD)


def _by_hour(spent: Sequence[Spent], now: datetime) -> dict[int, int]:
    """Return what was spent so many hours ago: number 0 is the hour that ends now."""
    hours: defaultdict[int, int] = defaultdict(int)
    for one in spent:
        ago = max(-((one.quarter - now) // _HOUR) - 1, 0)
        hours[ago] += one.cost_nanos
    return hours


def _sum(hours: dict[int, int], start: int, length: int) -> int:
    return sum(hours.get(hour, 0) for hour in range(start, start + length))


def _weekly(hours: dict[int, int], recent: int) -> Pace:
    usual = (_sum(hours, _WEEK, _DAY) + _sum(hours, 2 * _WEEK, _DAY)) / 2
    if recent > _RISEN * usual:
        return Pace((recent,) * _WEEK, _UNKNOWN_SPREAD)
    scale = recent / usual if usual else 1.0
    coming = tuple(round(_usual(hours, ahead) * scale * _DAY) for ahead in range(_WEEK))
    return Pace(coming, _spread(hours))


def _usual(hours: dict[int, int], ahead: int) -> float:
    """Return the average of the same hour in the last two weeks; the last day itself counts in the scale."""
    last, before = hours.get(_WEEK - 1 - ahead, 0), hours.get(2 * _WEEK - 1 - ahead, 0)
    return before if _WEEK - 1 - ahead < _DAY else (last + before) / 2


def _daily(hours: dict[int, int], recent: int, days: int) -> tuple[int, ...]:
    """Return the last day's rate, spread over its hours as those of the days so far, if there are two."""
    if days < 2 or not recent:
        return (recent,) * _WEEK
    shares = [sum(hours.get(day * _DAY + _DAY - 1 - hour, 0) for day in range(days)) for hour in range(_DAY)]
    total = sum(shares)
    return tuple(recent * _DAY * shares[ahead % _DAY] // total for ahead in range(_WEEK))


def _spread(hours: dict[int, int]) -> float:
    """Return how much days differ from those a week before, as a standard deviation of logarithms."""
    ratios = []
    for day in range(7):
        now, then = _sum(hours, day * _DAY, _DAY), _sum(hours, day * _DAY + _WEEK, _DAY)
        if now and then:
            ratios.append(math.log(now / then))
    if len(ratios) < 3:
        return _UNKNOWN_SPREAD
    return min(max(stdev(ratios), _LEAST_SPREAD), _MOST_SPREAD)
