"""Periods are read in the organization's days, with both ends in them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from core.periods import Period, billing_period, zone
from portal import times

BERLIN = zone("Europe/Berlin")


@pytest.mark.parametrize(
    ("start", "end", "written"),
    [
        (datetime(2026, 10, 31, 23, tzinfo=UTC), datetime(2026, 11, 30, 23, tzinfo=UTC), "1–30 Nov 2026"),
        (datetime(2026, 7, 14, 22, tzinfo=UTC), datetime(2026, 7, 15, 9, tzinfo=UTC), "15 Jul 2026"),
        (datetime(2026, 7, 14, 22, tzinfo=UTC), datetime(2026, 8, 1, 22, tzinfo=UTC), "15 Jul – 1 Aug 2026"),
        (
            datetime(2025, 12, 31, tzinfo=UTC),
            datetime(2026, 1, 2, tzinfo=UTC),
            "31 Dec 2025 – 2 Jan 2026",
        ),
    ],
)
def test_days_of_a_period(start: datetime, end: datetime, written: str) -> None:
    assert times.days(Period(start, end), BERLIN) == written


def test_a_month_with_the_clock_set_back_is_its_days() -> None:
    month = billing_period(datetime(2026, 10, 15, tzinfo=UTC), BERLIN)
    assert times.days(month, BERLIN) == "1–31 Oct 2026"


def test_moments() -> None:
    moment = datetime(2026, 7, 14, 22, 30, 5, tzinfo=UTC)
    assert times.minute(moment, BERLIN) == "15 Jul 2026, 00:30"
    assert times.clock(moment, BERLIN) == "00:30:05"


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("UTC", "UTC"),
        ("Europe/Berlin", "Europe/Berlin, UTC+02:00"),
        ("America/St_Johns", "America/St_Johns, UTC-02:30"),
        ("Asia/Kathmandu", "Asia/Kathmandu, UTC+05:45"),
    ],
)
def test_zones_say_their_offset(name: str, label: str) -> None:
    assert times.zone_label(zone(name), datetime(2026, 7, 15, tzinfo=UTC)) == label


def test_an_hour_that_comes_twice_is_told_apart() -> None:
    first, second = (datetime(2026, 10, 25, hour, 30, tzinfo=UTC) for hour in (0, 1))
    assert times.minute(first, BERLIN) == "25 Oct 2026, 02:30 UTC+02:00"
    assert times.minute(second, BERLIN) == "25 Oct 2026, 02:30 UTC+01:00"
    assert times.second(second + timedelta(hours=1), BERLIN) == "25 Oct 2026, 03:30:00"
    # What clocks leave out in spring is never shown.
    assert times.minute(datetime(2026, 3, 29, 1, 0, tzinfo=UTC), BERLIN) == "29 Mar 2026, 03:00"
