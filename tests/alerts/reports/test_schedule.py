"""When reports are due, and of which days: by the clock of a zone, also where it jumps."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from alerts.reports.schedule import last_due, next_due
from core.periods import zone

BERLIN = "Europe/Berlin"


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


@pytest.mark.parametrize(
    ("now", "first_day", "end_day", "moment"),
    [
        # 16 November 2026 is a Monday.
        ("2026-11-16T08:00:00+01:00", "2026-11-09", "2026-11-16", "2026-11-16T08:00:00+01:00"),
        ("2026-11-16T07:59:59+01:00", "2026-11-02", "2026-11-09", "2026-11-09T08:00:00+01:00"),
        ("2026-11-22T23:59:59+01:00", "2026-11-09", "2026-11-16", "2026-11-16T08:00:00+01:00"),
        # The clock is set back on Sunday, 25 October: the week has an hour more, and ends by winter time.
        ("2026-10-26T08:00:00+01:00", "2026-10-19", "2026-10-26", "2026-10-26T08:00:00+01:00"),
        ("2026-03-30T08:00:00+02:00", "2026-03-23", "2026-03-30", "2026-03-30T08:00:00+02:00"),
    ],
)
def test_a_week_is_told_of_on_the_monday_after_it(
    now: str, first_day: str, end_day: str, moment: str
) -> None:
    due = last_due("weekly", 8, zone(BERLIN), at(now))
    assert (due.first_day.isoformat(), due.end_day.isoformat(), due.at) == (first_day, end_day, at(moment))


def test_the_week_in_which_a_clock_is_set_back_is_an_hour_longer_and_is_compared_with_a_whole_week() -> None:
    due = last_due("weekly", 8, zone(BERLIN), at("2026-10-26T12:00:00+01:00"))
    assert due.period.duration == timedelta(days=7, hours=1)
    assert due.before.duration == timedelta(days=7)
    assert due.before.end == due.period.start
    assert due.following.start == due.period.end


@pytest.mark.parametrize(
    ("now", "first_day", "end_day", "before"),
    [
        ("2026-03-01T08:00:00Z", "2026-02-01", "2026-03-01", "2026-01-01"),
        ("2026-03-01T07:59:59Z", "2026-01-01", "2026-02-01", "2025-12-01"),
        ("2028-03-31T23:00:00Z", "2028-02-01", "2028-03-01", "2028-01-01"),
        ("2027-01-01T08:00:00Z", "2026-12-01", "2027-01-01", "2026-11-01"),
    ],
)
def test_a_month_is_told_of_on_the_first_of_the_next(
    now: str, first_day: str, end_day: str, before: str
) -> None:
    due = last_due("monthly", 8, zone("UTC"), at(now))
    assert (due.first_day, due.end_day) == (date.fromisoformat(first_day), date.fromisoformat(end_day))
    assert due.before.start == at(f"{before}T00:00:00Z")


@pytest.mark.parametrize(
    ("timezone", "cadence", "hour", "now", "moment"),
    [
        # On 1 November 2026 New York's clock shows one o'clock twice; the first counts.
        ("America/New_York", "monthly", 1, "2026-11-01T12:00:00Z", "2026-11-01T05:00:00Z"),
        ("Europe/Berlin", "weekly", 0, "2026-03-30T12:00:00Z", "2026-03-29T22:00:00Z"),
        ("Asia/Kathmandu", "weekly", 8, "2026-11-16T12:00:00Z", "2026-11-16T02:15:00Z"),
        ("Asia/Beirut", "weekly", 0, "2026-03-30T12:00:00Z", "2026-03-29T21:00:00Z"),
    ],
)
def test_an_hour_is_that_of_the_clock_on_the_wall(
    timezone: str, cadence: str, hour: int, now: str, moment: str
) -> None:
    assert last_due(cadence, hour, zone(timezone), at(now)).at == at(moment)


def test_an_hour_that_the_clock_skips_comes_with_the_jump() -> None:
    # Amman's clock was set forward from midnight to one o'clock on Friday, 1 April 2016.
    due = last_due("monthly", 0, zone("Asia/Amman"), at("2016-04-01T12:00:00Z"))
    assert due.at == due.period.end == at("2016-03-31T22:00:00Z")


@pytest.mark.parametrize("cadence", ["weekly", "monthly"])
@pytest.mark.parametrize("timezone", [BERLIN, "Pacific/Apia", "America/Santiago"])
def test_what_is_due_next_is_due_last_when_its_moment_has_come(cadence: str, timezone: str) -> None:
    tz, now = zone(timezone), at("2011-11-15T12:00:00Z")
    for _ in range(14):
        coming = next_due(cadence, 8, tz, now)
        assert coming.at > now
        assert last_due(cadence, 8, tz, coming.at - timedelta(microseconds=1)).end_day == coming.first_day
        assert last_due(cadence, 8, tz, coming.at) == coming
        now = coming.at
