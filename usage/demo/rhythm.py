"""When the demo is used: growth, weekdays and weekends, days and nights, and one bad afternoon."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Final
from zoneinfo import ZoneInfo

from core.periods import Granularity, Period, buckets, day_bounds, local_date

_HOUR: Final = timedelta(hours=1)
_WEDNESDAY: Final = 2
_INCIDENT_DAYS_AGO: Final = 16
_NOISE: Final = 0.09


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How the calls of one kind spread over the hours of a day and the days of a week, Monday first."""

    hours: tuple[float, ...]
    weekdays: tuple[float, ...]

    def share(self, weekday: int, hour: int) -> float:
        """Return the share that an hour has in an average day."""
        day = self.weekdays[weekday] * len(self.weekdays) / sum(self.weekdays)
        return day * self.hours[hour] / sum(self.hours)


OFFICE: Final = Rhythm(
    (2, 1, 1, 1, 1, 2, 6, 18, 42, 66, 74, 70, 52, 60, 72, 70, 58, 40, 24, 16, 12, 9, 6, 3),
    (100, 108, 110, 106, 92, 28, 22),
)
LEISURE: Final = Rhythm(
    (9, 5, 3, 2, 2, 4, 12, 26, 30, 28, 28, 32, 38, 34, 30, 30, 36, 46, 58, 66, 68, 58, 38, 20),
    (92, 90, 92, 94, 100, 120, 116),
)
NIGHTLY: Final = Rhythm(
    (30, 62, 84, 80, 52, 24, 10, 8, 10, 12, 12, 12, 10, 10, 12, 12, 10, 8, 6, 5, 5, 6, 10, 16),
    (84, 100, 104, 104, 108, 60, 40),
)
DESK: Final = Rhythm(
    (0, 0, 0, 0, 0, 0, 0, 1, 8, 20, 24, 20, 8, 16, 22, 22, 16, 8, 2, 1, 0, 0, 0, 0),
    (100, 104, 110, 104, 80, 2, 1),
)


@dataclass(frozen=True, slots=True)
class Hour:
    """One hour of the demo, or what has passed of it.

    Units: ``progress`` runs from 0 on the first day to 1 at the end; ``passed`` is a share of the hour.
    """

    start: datetime
    local: datetime
    progress: float
    passed: float

    @property
    def day(self) -> date:
        """Its local day."""
        return self.local.date()


@dataclass(frozen=True, slots=True)
class Calendar:
    """The demo's time: so many local days, the last of which ends now."""

    now: datetime
    days: int
    tz: ZoneInfo

    @property
    def start(self) -> datetime:
        """The midnight with which it begins."""
        return day_bounds(local_date(self.now, self.tz) - timedelta(days=self.days - 1), self.tz).start

    @property
    def incident(self) -> Period:
        """Three hours of an afternoon on which a provider was all but down."""
        day = local_date(self.now, self.tz) - timedelta(days=_INCIDENT_DAYS_AGO)
        day -= timedelta(days=(day.weekday() - _WEDNESDAY) % 7)
        afternoon = day_bounds(day, self.tz).start + 14 * _HOUR
        return Period(afternoon, afternoon + 3 * _HOUR)

    def hours(self) -> Iterator[Hour]:
        """Yield the hours, oldest first."""
        whole = self.now - self.start
        for hour in buckets(Period(self.start, self.now), Granularity.HOUR, self.tz):
            passed = min(self.now - hour.start, hour.duration) / hour.duration
            yield Hour(hour.start, hour.start.astimezone(self.tz), (hour.start - self.start) / whole, passed)


class Tide:
    """The ups and downs of one kind of calls, the same for the same seed."""

    def __init__(self, rhythm: Rhythm, a_day: float, growth: float, random: Random) -> None:
        self._rhythm = rhythm
        self._a_day = a_day
        self._growth = growth
        self._random = random
        self._day = date.min
        self._mood = 1.0

    def number(self, hour: Hour) -> int:
        """Return how many there are in an hour."""
        if hour.day != self._day:
            self._day, self._mood = hour.day, self._random.lognormvariate(0, _NOISE)
        grown = 1 + self._growth * (hour.progress - 0.5)
        share = self._rhythm.share(hour.local.weekday(), hour.local.hour)
        return poisson(self._random, self._a_day * share * grown * self._mood * hour.passed)


def poisson(random: Random, mean: float) -> int:
    """Return how often something happens that happens ``mean`` times on average; for means below 500."""
    threshold, number, product = math.exp(-mean), 0, random.random()
    while product > threshold:
        number += 1
        product *= random.random()
    return number


def utc_text(moment: datetime) -> str:
    """Write a moment as a record has it."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds")
