"""Forecasts of made-up days: what holds of every one, and what is known of some."""

from __future__ import annotations

import random
import subprocess
import sys
from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alerts.forecasts.history import LEARNED_DAYS, History
from alerts.forecasts.outlook import Interval, Method, Outlook
from alerts.forecasts.predict import predict

WEDNESDAY = date(2026, 7, 15)
OFFICE = (100, 104, 110, 104, 80, 20, 10)
"""What a week brings, Monday first."""

LEAST = 1e-9
"""The least there is of anything but nothing: a nano."""
values = st.one_of(st.just(0.0), st.floats(LEAST, 10**6), st.floats(LEAST, 10**15))
histories = st.lists(values, min_size=1, max_size=40).filter(any)


def weeks(days: int, scale: float = 1.0) -> History:
    """Return days of an office, which differ by some per cent, until the Wednesday."""
    rng = random.Random(5)
    wednesday = WEDNESDAY.toordinal()
    at = [(wednesday - days + place - 1) % 7 for place in range(days)]
    return History.until(WEDNESDAY, [OFFICE[weekday] * rng.uniform(0.95, 1.05) * scale for weekday in at])


def every(outlook: Outlook) -> list[Interval]:
    return [*outlook.days, *outlook.with_today, *outlook.after_today]


@given(histories)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_whatever_was_the_bounds_hold_what_is_expected_and_sums_are_sums(found: list[float]) -> None:
    outlook = predict(History.until(WEDNESDAY, found), 31)
    assert [len(part) for part in (outlook.days, outlook.with_today, outlook.after_today)] == [32, 32, 32]
    for one in every(outlook):
        assert 0 <= one.low <= one.expected <= one.high < float("inf")
    for part, days in ((outlook.with_today, outlook.days), (outlook.after_today, outlook.days[1:])):
        assert part[-1].expected == pytest.approx(sum(one.expected for one in days))
        assert [one.expected for one in part] == sorted(one.expected for one in part)


@given(st.integers(1, 40), st.floats(1e-3, 1e12))
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_as_many_times_the_use_has_as_many_times_the_forecast(days: int, scale: float) -> None:
    one, many = predict(weeks(days), 10), predict(weeks(days, scale), 10)
    for small, large in zip(every(one), every(many), strict=True):
        for name in ("expected", "low", "high"):
            assert getattr(large, name) == pytest.approx(getattr(small, name) * scale, rel=1e-3)


def test_the_same_history_has_the_same_forecast() -> None:
    assert predict(weeks(60), 30) == predict(weeks(60), 30)
    assert predict(weeks(12), 30) == predict(weeks(12), 30)


def test_from_three_weeks_on_weekdays_are_learned() -> None:
    outlook = predict(weeks(56), 30)
    assert (outlook.method, outlook.learned) == (Method.ETS, 56)
    for place, one in enumerate(outlook.days):
        usual = OFFICE[(WEDNESDAY.weekday() + place) % 7]
        assert one.expected == pytest.approx(usual, rel=0.15)
        assert one.low < usual < one.high
    assert predict(weeks(20), 30).method == Method.RUN_RATE
    assert predict(weeks(21), 30).method == Method.ETS


def test_good_and_bad_days_cancel_out_in_a_sum() -> None:
    outlook = predict(weeks(56), 30)
    total, days = outlook.with_today[-1], outlook.days
    added = sum(one.high for one in days) - sum(one.low for one in days)
    assert 0.2 * added < total.high - total.low < 0.9 * added


def test_of_few_days_the_average_is_expected_and_little_is_known() -> None:
    (one,) = predict(History.until(WEDNESDAY, [100.0]), 0).days
    assert one.expected == pytest.approx(100, rel=0.05)
    assert one.low < 40
    assert one.high > 180
    three = predict(History.until(WEDNESDAY, [100.0] * 3), 0).days[0]
    ten = predict(History.until(WEDNESDAY, [100.0] * 10), 0).days[0]
    assert one.high - one.low > three.high - three.low > ten.high - ten.low > 30


def test_without_any_use_nothing_is_known() -> None:
    for nothing in ([], [0.0], [0.0] * 50):
        assert predict(History.until(WEDNESDAY, nothing), 30) == Outlook(Method.NONE, 0)


def test_a_history_begins_with_the_first_use_and_keeps_its_gaps() -> None:
    assert History.until(WEDNESDAY, [0, 0, 3, 0, 0, 4, 0]).values == (3, 0, 0, 4, 0)
    assert History.until(WEDNESDAY, [1.0] * 400).days == LEARNED_DAYS
    # A correction can leave less than nothing.
    assert History.until(WEDNESDAY, [1, -1]).values == (1, 0)


def test_days_that_are_always_empty_stay_nearly_so() -> None:
    """Nobody works on weekends: their zeros do not drag the other days down."""
    wednesday = WEDNESDAY.toordinal()
    days = [0.0 if (wednesday - 63 + place - 1) % 7 > 4 else 50.0 + place % 3 for place in range(63)]
    outlook = predict(History.until(WEDNESDAY, days), 6)
    weekend = [one.expected for place, one in enumerate(outlook.days) if (2 + place) % 7 > 4]
    work = [one.expected for place, one in enumerate(outlook.days) if (2 + place) % 7 <= 4]
    assert len(weekend) == 2
    assert max(weekend) < 3
    assert min(work) > 40


def test_whole_weeks_without_use_after_the_first_days_still_have_a_forecast() -> None:
    outlook = predict(History.until(WEDNESDAY, [5.0, 5.0, *[0.0] * 28]), 7)
    assert all(0.0 <= day.low <= day.expected <= day.high < 5.0 for day in outlook.days)


def test_a_process_that_never_forecasts_does_not_load_the_libraries() -> None:
    code = (
        "import django, sys; django.setup(); import config.urls, alerts.forecasts.predict; "
        "print([name for name in ('numpy', 'pandas', 'scipy', 'statsmodels') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
