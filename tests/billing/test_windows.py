"""The windows of spend limits, also where clocks change."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from billing.windows import QUARTER, ROLLING, windows_at


def utc(
    year: int, month: int, day: int, hour: int = 0, minute: int = 0, second: int = 0, microsecond: int = 0
) -> datetime:
    return datetime(year, month, day, hour, minute, second, microsecond, tzinfo=UTC)


def test_the_rolling_window_reaches_back_seven_times_24_hours_from_the_quarter_hour() -> None:
    windows = windows_at(utc(2026, 7, 15, 12, 34, 56, 789), "Asia/Kathmandu")
    assert windows.rolling.start == utc(2026, 7, 8, 12, 30)
    assert windows.rolling.end == utc(2026, 7, 15, 12, 45)
    assert windows.bounds[:2] == [windows.rolling.start, windows.rolling.end]


def test_a_boundary_belongs_to_the_window_that_begins_there() -> None:
    boundary = utc(2026, 7, 15, 12, 45)
    assert windows_at(boundary, "UTC").rolling.start == utc(2026, 7, 8, 12, 45)
    assert windows_at(boundary - timedelta(microseconds=1), "UTC").rolling.start == utc(2026, 7, 8, 12, 30)


@pytest.mark.parametrize(
    ("zone", "moment", "start", "end"),
    [
        ("UTC", utc(2026, 7, 15, 12), utc(2026, 7, 13), utc(2026, 7, 20)),
        ("Asia/Kathmandu", utc(2026, 7, 15, 12), utc(2026, 7, 12, 18, 15), utc(2026, 7, 19, 18, 15)),
        # The clocks go forward on Sunday, 29 March: the week is an hour short.
        ("Europe/Berlin", utc(2026, 3, 29, 20), utc(2026, 3, 22, 23), utc(2026, 3, 29, 22)),
        # And back on Sunday, 25 October: an hour longer.
        ("Europe/Berlin", utc(2026, 10, 25, 22, 59), utc(2026, 10, 18, 22), utc(2026, 10, 25, 23)),
        # Over the end of a month and of a year.
        ("America/New_York", utc(2027, 1, 1), utc(2026, 12, 28, 5), utc(2027, 1, 4, 5)),
    ],
)
def test_the_week_begins_on_the_zones_monday(
    zone: str, moment: datetime, start: datetime, end: datetime
) -> None:
    week = windows_at(moment, zone).week
    assert (week.start, week.end) == (start, end)
    assert windows_at(end, zone).week.start == end
    assert windows_at(end - QUARTER, zone).week == week


def test_a_rolling_window_is_the_same_length_when_the_clocks_change() -> None:
    for moment in (utc(2026, 3, 29, 1, 7), utc(2026, 10, 25, 1, 7)):
        rolling = windows_at(moment, "Europe/Berlin").rolling
        assert rolling.end - rolling.start == ROLLING + QUARTER
