"""How much of a day is ahead."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.forecasts.hours import Hour, share_ahead

MONDAY, SUNDAY = 0, 6


def test_without_history_every_hour_is_alike() -> None:
    assert share_ahead([], MONDAY, 0) == 1
    assert share_ahead([], MONDAY, 6) == 0.75
    assert share_ahead([], MONDAY, 23.5) == pytest.approx(0.5 / 24)
    assert share_ahead([], MONDAY, 24) == 0


def test_hours_count_by_what_they_brought_before() -> None:
    office = [Hour(MONDAY, hour, 10) for hour in range(8, 18)]
    assert share_ahead(office, MONDAY, 7.9) == 1
    assert share_ahead(office, MONDAY, 12.5) == pytest.approx(0.55)
    assert share_ahead(office, MONDAY, 18) == 0


def test_the_same_weekday_counts_more() -> None:
    hours = [Hour(MONDAY, 9, 10), Hour(SUNDAY, 20, 10)]
    assert share_ahead(hours, MONDAY, 12) == 0.25
    assert share_ahead(hours, SUNDAY, 12) == 0.75


@given(
    st.lists(st.builds(Hour, st.integers(0, 6), st.integers(0, 23), st.floats(0, 1e15))),
    st.integers(0, 6),
    st.floats(0, 25),
    st.floats(0, 25),
)
def test_less_and_less_is_ahead(hours: list[Hour], weekday: int, one: float, other: float) -> None:
    earlier, later = sorted((one, other))
    assert 1 >= share_ahead(hours, weekday, earlier) >= share_ahead(hours, weekday, later) - 1e-9 >= -1e-9
