"""Ways to the records of a window: by its days where they are whole, else cut off to the moment."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from core.moments import format_moment
from core.periods import Period, day_bounds, local_date

_JUST_BEFORE = timedelta(microseconds=1)


def records(to: Callable[..., str], window: Period, tz: ZoneInfo, **filters: str) -> str:
    """Return the address of the Usage logs that show a window's records; ``filters`` are theirs."""
    moments = {"since": format_moment(window.start), "before": format_moment(window.end)}
    return to("logs", range="custom", **_named(*_days(window, tz)), **filters, **moments)


def bucket(to: Callable[..., str], window: Period, tz: ZoneInfo, **filters: str) -> str:
    """Return the address of the Usage logs that show a bucket's records; whole days need no moments."""
    first, last = _days(window, tz)
    if Period(day_bounds(first, tz).start, day_bounds(last, tz).end) != window:
        return records(to, window, tz, **filters)
    return to("logs", range="custom", **_named(first, last), **filters)


def _days(window: Period, tz: ZoneInfo) -> tuple[date, date]:
    first, last = local_date(window.start, tz), local_date(window.end - _JUST_BEFORE, tz)
    return first, max(first, last)


def _named(first: date, last: date) -> dict[str, str]:
    return {"from_": first.isoformat(), "to": last.isoformat()}
