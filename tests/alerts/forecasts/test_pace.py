"""At which pace spending goes on, and when a limit is reached at it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.forecasts.pace import pace
from billing.forecast import Pace, Spent, pausing
from billing.windows import QUARTER, windows_at

NOW = datetime(2026, 7, 15, 12, 0, tzinfo=UTC)
"""A Wednesday's noon."""
HOUR = timedelta(hours=1)
ROLLING = windows_at(NOW, "UTC").rolling


def office(days: int, cost: int = 100) -> list[Spent]:
    """Return a cost for each hour of work of so many days before now."""
    hours = [NOW - (ago + 1) * HOUR for ago in range(days * 24)]
    return [Spent(hour, cost) for hour in hours if hour.weekday() < 5 and 8 <= hour.hour < 18]


def test_spending_rests_at_night_and_on_weekends_as_it_has_for_two_weeks() -> None:
    found = pace(office(16), NOW)
    for ahead, rate in enumerate(found.rates):
        hour = NOW + ahead * HOUR
        assert rate == (2400 if hour.weekday() < 5 and 8 <= hour.hour < 18 else 0)
    assert found.spread == 0.1


def test_a_limit_is_reached_in_working_hours() -> None:
    spent = office(16)
    total = sum(one.cost_nanos for one in spent if one.quarter >= ROLLING.start)
    busier = [
        Spent(one.quarter, one.cost_nanos * (2 if one.quarter >= NOW - 24 * HOUR else 1)) for one in spent
    ]
    found = pausing(busier, total + 1000 + 1000, ROLLING, NOW, pace(busier, NOW), rolling=True)
    # The last day cost twice the usual 1000, so that 1000 are left. An hour brings 200 and lets go of 100:
    # six hours are today's, the four others tomorrow's.
    assert found.at == datetime(2026, 7, 16, 12, 0, tzinfo=UTC)
    assert found.earliest is not None
    assert found.latest is not None
    assert found.earliest <= found.at <= found.latest


def test_of_a_few_days_the_hours_of_the_day_are_known() -> None:
    found = pace([Spent(NOW - (24 * day + 3) * HOUR, 70) for day in range(1, 4)], NOW)
    # The spending was at nine in the morning, of three days; but nothing today.
    assert set(found.rates) == {0}
    again = pace([Spent(NOW - (24 * day + 3) * HOUR, 70) for day in range(4)], NOW)
    assert [ahead for ahead, rate in enumerate(again.rates) if rate] == [21 + 24 * day for day in range(7)]
    assert sum(again.rates) == 7 * 70 * 24


def test_on_the_first_day_the_rate_is_all_there_is() -> None:
    assert pace([Spent(NOW - HOUR, 70)], NOW) == Pace((70,) * 168, 0.5)
    assert pace([], NOW) == Pace((0,) * 168, 0.5)


def test_what_never_was_before_goes_on_as_it_is() -> None:
    runaway = [*office(16, 1), Spent(NOW - HOUR, 10**6)]
    found = pace(runaway, NOW)
    assert set(found.rates) == {10**6 + 10}
    assert found.spread == 0.5


@given(
    st.lists(st.tuples(st.integers(0, 16 * 96 - 1), st.integers(0, 10**12)), max_size=60),
    st.integers(1, 10**13),
)
@settings(deadline=None)
def test_a_higher_pace_is_never_later(found: list[tuple[int, int]], limit: int) -> None:
    spent = [Spent(NOW - ago * QUARTER, cost) for ago, cost in found]
    for rolling in (True, False):
        window = ROLLING if rolling else windows_at(NOW, "UTC").week
        when = pausing(spent, limit, window, NOW, pace(spent, NOW), rolling=rolling)
        never = NOW + timedelta(days=99)
        assert (when.earliest or never) <= (when.at or never) <= (when.latest or never)
        for moment in (when.earliest, when.at, when.latest):
            assert moment is None or NOW < moment <= NOW + timedelta(days=7)


def test_a_pace_is_moved_by_its_spread() -> None:
    assert Pace((100, 200), 0.5).shifted(0) == Pace((100, 200))
    assert Pace((100, 200), 0.5).shifted(2).rates == (272, 544)
