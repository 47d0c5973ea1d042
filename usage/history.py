"""How far back an organization's history reaches."""

from datetime import datetime, timedelta
from typing import Final

from core.periods import day_bounds, local_date, zone

MAX_HISTORY_DAYS: Final = 3660
"""Ten years: what a plan without a limit of its own accepts and shows."""


def history_start(history_days: int | None, timezone: str, now: datetime) -> datetime:
    """Return the first instant of the history: a whole local day, that many days before today.

    Units: an aware datetime in UTC.
    """
    tz = zone(timezone)
    days = MAX_HISTORY_DAYS if history_days is None else min(history_days, MAX_HISTORY_DAYS)
    return day_bounds(local_date(now, tz) - timedelta(days=days), tz).start
