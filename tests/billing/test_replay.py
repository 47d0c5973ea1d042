"""Replays and forecasts: the same rules as the limits themselves, tried on the past and on what may come."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from hypothesis import given
from hypothesis import strategies as st

from billing.forecast import Spent, pauses_at, resets_at
from billing.models import Decision, Window
from billing.replay import Limit, lead, replay
from billing.services.upkeep import upkeep
from billing.windows import QUARTER, windows_at
from core.periods import Period, zone
from organizations.tenancy import tenant_scope
from tests.billing.spending import UNIT, ask, limit_to, spend
from tests.usage.factories import make_tenant

BERLIN = zone("Europe/Berlin")
START = datetime(2026, 10, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def spending(*costs: tuple[float, int]) -> list[Spent]:
    """Return quarter-hours by days from the start and what they cost."""
    return [Spent(START + timedelta(days=days), cost) for days, cost in costs]


def test_a_limit_that_is_reached_stops_what_comes_until_the_window_lets_go() -> None:
    spent = spending((0, 6), (1, 4), (2, 3), (8, 2))
    found = replay(spent, Period(START, START + 10 * DAY), Limit(10, rolling=True, pauses=True), BERLIN)
    (pause,) = found.pauses
    assert (pause.paused_at, pause.resumed_at) == (START + DAY + QUARTER, START + 7 * DAY + QUARTER)
    assert (pause.spent_nanos, pause.stopped_nanos) == (10, 3)
    assert (found.spent_nanos, found.stopped_nanos, found.paused_seconds) == (15, 3, 6 * 24 * 3600)


def test_a_week_is_the_zones_and_ends_late_when_the_clocks_go_back() -> None:
    spent = spending((8, 10))
    found = replay(spent, Period(START, START + 21 * DAY), Limit(10, rolling=False, pauses=True), BERLIN)
    assert [(pause.paused_at, pause.resumed_at) for pause in found.pauses] == [
        (START + 8 * DAY + QUARTER, datetime(2026, 10, 25, 23, tzinfo=UTC))
    ]


def test_what_was_spent_before_the_period_counts_and_may_pause_it_from_its_start() -> None:
    limit = Limit(10, rolling=True, pauses=True)
    period = Period(START + 2 * DAY, START + 4 * DAY)
    assert lead(period, limit, BERLIN) == START - 5 * DAY
    (pause,) = replay(spending((0, 10), (3, 1)), period, limit, BERLIN).pauses
    assert (pause.paused_at, pause.resumed_at, pause.stopped_nanos) == (period.start, None, 1)


def test_a_limit_that_only_warns_stops_nothing_and_tells_of_the_whole() -> None:
    limit = Limit(10, rolling=True, pauses=False, warn_at=(50,))
    found = replay(spending((0, 6), (1, 14)), Period(START, START + 2 * DAY), limit, BERLIN)
    assert (found.pauses, found.stopped_nanos) == ([], 0)
    assert found.warned == [(50, START + QUARTER), (100, START + DAY + QUARTER)]


@given(
    st.lists(st.tuples(st.integers(0, 96 * 20), st.integers(0, 50)), max_size=60),
    st.integers(1, 200),
    st.booleans(),
)
def test_no_limit_ever_lets_more_through_than_it_affords_and_one_quarter_hour(
    costs: list[tuple[int, int]], most: int, rolling: bool
) -> None:
    by_quarter: dict[datetime, int] = {}
    for place, cost in costs:
        quarter = START + place * QUARTER
        by_quarter[quarter] = by_quarter.get(quarter, 0) + cost
    spent = [Spent(quarter, cost) for quarter, cost in sorted(by_quarter.items())]
    period = Period(START, START + 21 * DAY)
    found = replay(spent, period, Limit(most, rolling=rolling, pauses=True), BERLIN)
    stopped = [
        one
        for one in spent
        if any(p.paused_at <= one.quarter < (p.resumed_at or period.end) for p in found.pauses)
    ]
    assert sum(one.cost_nanos for one in stopped) == found.stopped_nanos
    admitted = [one for one in spent if one not in stopped]
    for one in admitted:
        start = windows_at(one.quarter, BERLIN.key).of("rolling" if rolling else "week").start
        before = sum(o.cost_nanos for o in admitted if start <= o.quarter < one.quarter)
        assert before < most


@pytest.mark.django_db
@pytest.mark.parametrize("window", list(Window))
def test_a_replay_agrees_with_what_a_limit_really_does(window: Window) -> None:
    wishes = random.Random(3)
    costs = {START + place * QUARTER: wishes.choice((0, 0, 0, 0, 1, 2)) for place in range(96 * 14)}
    with time_machine.travel(START, tick=False) as clock:
        acme = make_tenant("Acme", timezone=BERLIN.key)
        limit_to(acme, 300, window=window, warn_at=(50, 80))
        for quarter, cost in costs.items():
            # Once a quarter-hour, at its start: what is spent in it counts from its end, as in a replay.
            clock.move_to(quarter, tick=False)
            upkeep(acme.organization)
            if cost and ask(acme).decided.allowed:
                spend(acme, cost)
        with tenant_scope(acme.id):
            kinds = list(Decision.objects.order_by("id").values_list("kind", "threshold"))
    spent = [Spent(quarter, cost * UNIT) for quarter, cost in costs.items()]
    limit = Limit(300 * UNIT, rolling=window == Window.ROLLING, pauses=True, warn_at=(50, 80))
    found = replay(spent, Period(START, START + 14 * DAY), limit, BERLIN)
    assert len(found.pauses) > 0
    assert kinds.count(("paused", None)) == len(found.pauses)
    resumed = sum(pause.resumed_at is not None for pause in found.pauses)
    assert kinds.count(("resumed", None)) == resumed
    assert [share for kind, share in kinds if kind == "warned"] == [share for share, _ in found.warned]


NOW = datetime(2026, 7, 15, 12, 34, tzinfo=UTC)
ROLLING = windows_at(NOW, "UTC").rolling
WEEK = windows_at(NOW, "UTC").week


def recent(cost: int, count: int = 96) -> list[Spent]:
    """Return the same cost in each of the last quarter-hours."""
    return [Spent(ROLLING.end - (place + 1) * QUARTER, cost) for place in range(count)]


def test_a_forecast_goes_on_at_the_rate_of_the_last_day() -> None:
    # 96 spent, one a quarter-hour: 100 are reached in the fourth from now.
    assert pauses_at(recent(1), 100, ROLLING, NOW, rolling=True) == ROLLING.end + 3 * QUARTER
    assert pauses_at(recent(1), 100, WEEK, NOW, rolling=False) == ROLLING.end + 3 * QUARTER


def test_a_forecast_ends_with_the_week_and_the_rolling_window_lets_go() -> None:
    to_the_end = (WEEK.end - ROLLING.end) // QUARTER
    assert pauses_at(recent(1), 96 + to_the_end, WEEK, NOW, rolling=False) == WEEK.end - QUARTER
    assert pauses_at(recent(1), 97 + to_the_end, WEEK, NOW, rolling=False) is None
    # A rate that has gone on for all of the window stays where it is.
    assert pauses_at(recent(1, 672), 674, ROLLING, NOW, rolling=True) is None


def test_without_use_or_when_it_is_reached_there_is_nothing_to_foretell() -> None:
    assert pauses_at([], 1, ROLLING, NOW, rolling=True) is None
    assert pauses_at(recent(1), 96, ROLLING, NOW, rolling=True) is None


def test_a_limit_that_is_reached_resets_when_enough_has_left() -> None:
    spent = [Spent(NOW.replace(minute=0) - days * DAY, 10) for days in (6, 4, 2)]
    leave = [one.quarter + QUARTER + timedelta(days=7) for one in spent]
    assert resets_at(spent, 30, ROLLING, rolling=True) == leave[0]
    assert resets_at(spent, 20, ROLLING, rolling=True) == leave[1]
    assert resets_at(spent, 1, ROLLING, rolling=True) == leave[2]
    assert resets_at([], 1, ROLLING, rolling=True) is None
    assert resets_at(spent, 20, WEEK, rolling=False) == WEEK.end
