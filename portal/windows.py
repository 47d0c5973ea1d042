"""Ways to the records of a window, cut off to the moment."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from zoneinfo import ZoneInfo

from core.moments import format_moment
from core.periods import Period, local_date

_JUST_BEFORE = timedelta(microseconds=1)


def records(to: Callable[..., str], window: Period, tz: ZoneInfo, **filters: str) -> str:
    """Return the address of the Usage logs that show a window's records; ``filters`` are theirs."""
    first, last = local_date(window.start, tz), local_date(window.end - _JUST_BEFORE, tz)
    days = {"from_": first.isoformat(), "to": max(first, last).isoformat()}
    moments = {"since": format_moment(window.start), "before": format_moment(window.end)}
    return to("logs", range="custom", **days, **filters, **moments)
