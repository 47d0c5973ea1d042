"""Moments and periods as people of one zone read them."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from core.periods import Period, local_date


def zone_label(tz: ZoneInfo, moment: datetime) -> str:
    """Name a zone with its offset at a moment: ``Europe/Berlin, UTC+01:00``."""
    if tz.key == "UTC":
        return "UTC"
    return f"{tz.key}, {_offset(moment.astimezone(tz))}"


def _offset(local: datetime) -> str:
    text = local.strftime("%z")
    return f"UTC{text[:3]}:{text[3:5]}"


def _which(local: datetime) -> str:
    """Tell apart the two moments that clocks show alike when they are put back; nothing at any other time."""
    twice = local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()
    return f" {_offset(local)}" if twice else ""


def clock(moment: datetime, tz: ZoneInfo) -> str:
    """Write the time of day: ``09:30:05``."""
    return moment.astimezone(tz).strftime("%H:%M:%S")


def day(value: date) -> str:
    """Write a day: ``14 Oct 2026``."""
    return f"{value.day} {value:%b %Y}"


def minute(moment: datetime, tz: ZoneInfo) -> str:
    """Write a moment to the minute: ``14 Oct 2026, 09:30``."""
    local = moment.astimezone(tz)
    return f"{day(local.date())}, {local:%H:%M}{_which(local)}"


def days(period: Period, tz: ZoneInfo) -> str:
    """Write the local days of a period, both ends in it: ``1–31 Oct 2026``."""
    first = local_date(period.start, tz)
    last = local_date(period.end - timedelta(microseconds=1), tz)
    if first == last:
        return day(first)
    if (first.year, first.month) == (last.year, last.month):
        return f"{first.day}–{day(last)}"
    if first.year == last.year:
        return f"{first.day} {first:%b} – {day(last)}"
    return f"{day(first)} – {day(last)}"


def second(moment: datetime, tz: ZoneInfo) -> str:
    """Write a moment to the second: ``14 Oct 2026, 09:30:05``."""
    local = moment.astimezone(tz)
    return f"{day(local.date())}, {local:%H:%M:%S}{_which(local)}"


def days_of(start: datetime, end: datetime, tz: ZoneInfo) -> str:
    """Write the local days between two moments: ``14 Oct 2026``, ``1–31 Oct 2026``."""
    return days(Period(start, end), tz)


def wall(moment: datetime, tz: ZoneInfo) -> str:
    """Write a moment as a zone's wall clock shows it, as charts take it."""
    return moment.astimezone(tz).replace(tzinfo=None).isoformat() + "Z"
