"""Sums of parts of days, and how an interval is rounded."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.forecasts.outlook import Interval, Method, Outlook

OUTLOOK = Outlook(
    Method.RUN_RATE,
    5,
    days=(Interval(10, 8, 13), Interval(20, 15, 26)),
    with_today=(Interval(10, 8, 13), Interval(30, 25, 36)),
    after_today=(Interval(0, 0, 0), Interval(20, 15, 26)),
)


def test_the_rest_of_today_is_as_much_as_is_ahead() -> None:
    assert OUTLOOK.rest_of_today(1) == Interval(10, 8, 13)
    assert OUTLOOK.rest_of_today(0.5) == Interval(5, 4, 6.5)
    assert OUTLOOK.ahead(0, 0) == Interval(0, 0, 0)


def test_a_sum_counts_the_rest_of_today_and_a_part_of_the_last_day() -> None:
    assert OUTLOOK.ahead(0, 1) == Interval(20, 15, 26)
    assert OUTLOOK.ahead(1, 1) == Interval(30, 25, 36)
    assert OUTLOOK.ahead(0.5, 1) == Interval(25, 20, 31)
    assert OUTLOOK.ahead(0, 0.25) == Interval(5, 3.75, 6.5)
    assert OUTLOOK.horizon == 1
    with pytest.raises(IndexError):
        OUTLOOK.ahead(0, 2)


def test_three_digits_are_shown_and_bounds_go_outwards() -> None:
    assert Interval(123456, 12341, 1234567).rounded() == Interval(123000, 12300, 1240000)
    assert Interval(0.0012345, 0, 7).rounded() == Interval(0.00123, 0, 7)


@given(st.floats(0, 1e18), st.floats(0, 1), st.floats(1, 9))
def test_rounding_never_leaves_the_expected_outside(expected: float, below: float, above: float) -> None:
    shown = Interval(expected, expected * below, expected * above).rounded()
    assert shown.low <= shown.expected <= shown.high
    assert shown.low <= expected * below
    assert shown.high >= expected * above
