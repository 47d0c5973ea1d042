"""What is an anomaly, and what isn't: weekly patterns, new keys, sparse use, growth."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from alerts.anomalies.baseline import WEEK_HOURS, Anomaly, Direction, baseline, judge
from alerts.anomalies.findings import Driver, drivers


def week(weeks: int, height: float = 200, growth: float = 0.0) -> list[float]:
    """Return hours of an office: busy from eight to six on weekdays, nearly quiet else; Monday first."""
    rng = random.Random(11)
    hours = []
    for place in range(weeks * WEEK_HOURS):
        day, hour = divmod(place % WEEK_HOURS, 24)
        usual = height if day < 5 and 8 <= hour < 18 else height / 40
        hours.append(float(round(usual * (1 + growth * place / WEEK_HOURS) * rng.uniform(0.85, 1.15))))
    return hours


def after(weeks: int, day: int, hour: int, **options: float) -> list[float]:
    """Return a history up to an hour of the week after so many."""
    return week(weeks + 1, **options)[: weeks * WEEK_HOURS + day * 24 + hour]


def test_an_hour_ten_times_the_usual_is_found_and_explained() -> None:
    found = judge(after(4, 2, 10), 2000)
    assert found is not None
    assert (found.direction, found.seen, found.weeks) == (Direction.HIGH, 2000, 4)
    assert 170 < found.expected < 230
    assert found.score > 20


def test_traffic_that_stops_is_found_too() -> None:
    found = judge(after(4, 2, 10), 0)
    assert found is not None
    assert found.direction == Direction.LOW


def test_monday_mornings_after_quiet_weekends_are_usual() -> None:
    for day, hour in ((0, 8), (0, 9), (5, 9), (6, 12), (4, 18)):
        history = week(5)
        place = 4 * WEEK_HOURS + day * 24 + hour
        assert judge(history[:place], history[place]) is None


def test_busy_hours_at_the_wrong_time_are_not() -> None:
    assert judge(after(4, 6, 3), 200) is not None


def test_growth_is_no_anomaly() -> None:
    history = week(6, growth=0.2)
    found = [
        place for place in range(5 * WEEK_HOURS, 6 * WEEK_HOURS) if judge(history[:place], history[place])
    ]
    assert found == []


def test_a_new_key_is_given_three_weeks() -> None:
    assert judge(after(2, 6, 23), 10**6) is None
    assert judge([0.0] * 4 * WEEK_HOURS + after(2, 2, 10), 10**6) is None
    assert judge(after(3, 2, 10), 10**6) is not None


def test_sparse_use_has_no_usual() -> None:
    rng = random.Random(3)
    sparse = [float(rng.random() < 0.1) for _ in range(6 * WEEK_HOURS)]
    assert baseline(sparse) is None
    assert judge(sparse, 50) is None


def test_few_requests_differ_by_chance() -> None:
    rng = random.Random(3)
    few = [float(rng.randint(0, 6)) for _ in range(6 * WEEK_HOURS)]
    assert judge(few, 9) is None
    assert judge(few, 60) is not None


def test_a_bad_hour_in_the_past_does_not_hide_the_next() -> None:
    history = after(4, 2, 10)
    history[-WEEK_HOURS] = 5000.0
    found = judge(history, 2000)
    assert found is not None
    assert found.expected < 260


@given(
    st.lists(st.floats(0, 1e15), max_size=4 * WEEK_HOURS),
    st.floats(0, 1e15),
    st.floats(1, 1e9),
)
def test_every_series_is_judged_without_ado(history: list[float], seen: float, grain: float) -> None:
    found = judge(history, seen, grain)
    if found is not None:
        assert found.score >= 6
        assert found.seen != found.expected


@given(st.floats(600, 1e9), st.floats(1, 100))
def test_what_is_further_off_is_more_unusual(seen: float, more: float) -> None:
    history = after(4, 2, 10)
    one, other = judge(history, seen), judge(history, seen * more)
    assert one is not None
    assert other is not None
    assert other.score >= one.score


def test_what_drives_it_is_whoever_differs_most_from_its_own_usual() -> None:
    quiet, busy, new = ([0.0] * (3 * WEEK_HOURS + 1) for _ in range(3))
    for place in range(0, 3 * WEEK_HOURS, WEEK_HOURS):
        quiet[place], busy[place] = 10, 1000
    quiet[-1], busy[-1], new[-1] = 10, 1100, 900
    found = drivers("credential", {1: quiet, 2: busy, 3: new}, Anomaly(2010, 1010, 9, 3))
    assert found == [Driver("credential", 3, 900, 0, 0.9)]
