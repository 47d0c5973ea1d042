"""Places and times at which the calendar is odd, and the moments around which it is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

from hypothesis import strategies as st

HISTORY: Final = timedelta(days=40)


@dataclass(frozen=True, slots=True)
class World:
    """A time zone, and when it is there: within 40 days after something odd."""

    zone: str
    now: datetime

    @property
    def tz(self) -> ZoneInfo:
        """The zone."""
        return ZoneInfo(self.zone)

    @property
    def first(self) -> datetime:
        """The earliest moment that records have here."""
        return self.now - HISTORY


def _world(zone: str, day: str) -> World:
    return World(zone, datetime.combine(date.fromisoformat(day), time(13, 37, 11, 123457), UTC))


WORLDS: Final = (
    _world("UTC", "2026-07-15"),
    _world("America/New_York", "2026-03-20"),
    _world("America/New_York", "2026-11-12"),
    _world("Europe/Berlin", "2026-04-02"),
    _world("Asia/Kathmandu", "2026-02-10"),
    _world("Australia/Lord_Howe", "2026-04-20"),
    _world("Australia/Lord_Howe", "2026-10-20"),
    _world("Pacific/Apia", "2012-01-09"),
    _world("Africa/Casablanca", "2026-03-28"),
    _world("Africa/Cairo", "2026-05-08"),
    _world("America/Havana", "2026-11-10"),
    _world("America/Santiago", "2026-09-20"),
)
"""Days of 23, 23½, 24, 24½ and 25 hours; midnights that are skipped or come twice; a day that never was."""

ANYWHERE: Final = sorted(name for name in available_timezones() if "/" in name and name[0] not in "pr")

worlds = st.sampled_from(WORLDS) | st.sampled_from(ANYWHERE).map(lambda name: _world(name, "2026-04-10"))
zones = st.sampled_from([world.zone for world in WORLDS]) | st.sampled_from(ANYWHERE)


def edges(world: World) -> list[datetime]:
    """Return the moments around which something may go wrong: midnights, changes of the clock, now."""
    found = {world.now, world.first}
    hour = world.first.replace(minute=0, second=0, microsecond=0)
    while hour < world.now:
        following = hour + timedelta(hours=1)
        here, there = hour.astimezone(world.tz), following.astimezone(world.tz)
        if here.utcoffset() != there.utcoffset():
            found |= {following - timedelta(minutes=30), following}
        if here.date() != there.date():
            midnight = there.replace(hour=0, minute=0, second=0, microsecond=0).astimezone(UTC)
            found |= {midnight, following.replace(hour=0)}
        hour = following
    return sorted(edge for edge in found if world.first <= edge <= world.now)


def moments(world: World) -> st.SearchStrategy[datetime]:
    """Return moments of the world's history, often just before, at and after an edge."""
    steps = st.sampled_from(
        [timedelta(microseconds=number) for number in (-1, 0, 1)]
        + [timedelta(seconds=number) for number in (-1, 1, 60, -61, 900, -1800)]
    )
    near = st.builds(lambda edge, step: edge + step, st.sampled_from(edges(world)), steps)
    span = (world.now - world.first) // timedelta(microseconds=1)
    anywhere = st.integers(0, span).map(lambda number: world.first + timedelta(microseconds=number))
    return (near | anywhere).map(lambda moment: min(max(moment, world.first), world.now))
