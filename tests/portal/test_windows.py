"""Where figures lead: the records of a window, by its days or to the moment."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from core.periods import Period, day_bounds
from portal import windows
from portal.links import address

KOLKATA = ZoneInfo("Asia/Kolkata")
HOUR = Period(datetime(2026, 7, 3, 18, tzinfo=UTC), datetime(2026, 7, 3, 19, tzinfo=UTC))


def test_a_day_is_named_alone() -> None:
    day = day_bounds(date(2026, 7, 3), KOLKATA)
    assert windows.bucket(address, day, KOLKATA) == "/logs/?range=custom&from=2026-07-03&to=2026-07-03"


def test_days_are_named_from_the_first_to_the_last() -> None:
    week = Period(day_bounds(date(2026, 6, 29), KOLKATA).start, day_bounds(date(2026, 7, 5), KOLKATA).end)
    found = windows.bucket(address, week, KOLKATA, model="gpt-4o")
    assert found == "/logs/?range=custom&from=2026-06-29&to=2026-07-05&model=gpt-4o"


def test_an_hour_is_cut_out_of_its_days() -> None:
    # In Kolkata, where it is 23:30 when it begins, it is of two days.
    found = windows.bucket(address, HOUR, KOLKATA, status="error")
    moments = "since=2026-07-03T18%3A00%3A00Z&before=2026-07-03T19%3A00%3A00Z"
    assert found == f"/logs/?range=custom&from=2026-07-03&to=2026-07-04&status=error&{moments}"


def test_a_day_that_is_cut_short_is_cut_to_the_moment() -> None:
    day = day_bounds(date(2026, 7, 3), KOLKATA)
    found = windows.bucket(address, Period(day.start + timedelta(hours=1), day.end), KOLKATA)
    assert "since=2026-07-02T19%3A30%3A00Z" in found
