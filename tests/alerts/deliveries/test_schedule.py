"""When attempts are repeated."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.deliveries.schedule import (
    DELAYS,
    JITTER,
    LASTING,
    MOST_ATTEMPTS,
    has_failed_for_long,
    next_attempt,
)

NOW = datetime(2026, 7, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    ("number", "delay"),
    [
        (1, timedelta(seconds=5)),
        (2, timedelta(minutes=5)),
        (3, timedelta(minutes=30)),
        (4, timedelta(hours=2)),
        (5, timedelta(hours=5)),
        (6, timedelta(hours=10)),
        (7, timedelta(hours=14)),
        (8, timedelta(hours=20)),
        (9, timedelta(hours=24)),
    ],
)
def test_the_standard_schedule_is_kept(number: int, delay: timedelta) -> None:
    assert next_attempt(NOW, number=number, chance=0) == NOW + delay


def test_after_the_tenth_attempt_there_is_none() -> None:
    assert MOST_ATTEMPTS == 10
    assert next_attempt(NOW, number=10, chance=0.5) is None


@given(st.integers(1, 9), st.floats(0, 1))
def test_jitter_only_prolongs_and_by_a_tenth_at_most(number: int, chance: float) -> None:
    again = next_attempt(NOW, number=number, chance=chance)
    assert again is not None
    assert DELAYS[number - 1] <= again - NOW <= DELAYS[number - 1] * (1 + JITTER)


def test_a_receiver_that_asks_for_more_time_gets_it_but_not_for_ever() -> None:
    def after(wished: timedelta) -> timedelta:
        again = next_attempt(NOW, number=2, chance=0, wished=wished)
        assert again is not None
        return again - NOW

    assert after(timedelta(minutes=20)) == timedelta(minutes=20)
    assert after(timedelta(seconds=1)) == timedelta(minutes=5)
    assert after(timedelta(days=365)) == timedelta(hours=24)


def test_whoever_fails_through_the_whole_schedule_has_failed_for_long() -> None:
    assert sum(DELAYS, timedelta()) > LASTING
    assert sum(DELAYS[:-1], timedelta()) < LASTING
    assert not has_failed_for_long(None, NOW)
    assert not has_failed_for_long(NOW - LASTING + timedelta(seconds=1), NOW)
    assert has_failed_for_long(NOW - LASTING, NOW)
