"""The windows that spend limits add up over. No database, no clock."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final

from core.periods import Granularity, Period, floor, next_bucket, zone

QUARTER: Final = timedelta(minutes=15)
ROLLING: Final = timedelta(days=7)
KEPT: Final = timedelta(days=16)
"""How far back quarter-hours are kept: more than any window reaches, in any zone."""


@dataclass(frozen=True, slots=True)
class Windows:
    """Both kinds of windows at one moment: where each starts, and when it has to move on."""

    rolling: Period
    week: Period

    @property
    def bounds(self) -> list[datetime]:
        """The windows as the database's functions take them."""
        return [self.rolling.start, self.rolling.end, self.week.start, self.week.end]

    @property
    def literal(self) -> str:
        """The bounds as PostgreSQL reads an array."""
        return _literal(self)

    def of(self, kind: str) -> Period:
        """Return the window of a kind."""
        return self.week if kind == "week" else self.rolling


@lru_cache(maxsize=4096)
def _literal(windows: Windows) -> str:
    return f"{{{','.join(bound.isoformat() for bound in windows.bounds)}}}"


def windows_at(moment: datetime, timezone: str) -> Windows:
    """Return the windows that hold a moment.

    The rolling one starts seven times 24 hours before the quarter-hour began; the week on the zone's Monday.
    """
    return _windows(quarter_of(moment), timezone)


def quarter_of(moment: datetime) -> datetime:
    """Return where the moment's quarter-hour begins, in UTC."""
    utc = moment.astimezone(UTC)
    return utc.replace(minute=utc.minute - utc.minute % 15, second=0, microsecond=0)


@lru_cache(maxsize=4096)
def _windows(quarter: datetime, timezone: str) -> Windows:
    # A week begins on a quarter-hour in every zone, so one answer holds for all of it.
    tz = zone(timezone)
    week = Period(floor(quarter, Granularity.WEEK, tz), next_bucket(quarter, Granularity.WEEK, tz))
    return Windows(Period(quarter - ROLLING, quarter + QUARTER), week)
