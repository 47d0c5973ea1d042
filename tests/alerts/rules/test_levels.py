"""How far a value has come against thresholds: each at its boundary, up and down."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from alerts.rules.levels import Ladder, Standing, step
from tests.usage.factories import NOW

LADDER = Ladder(
    revision=1,
    thresholds=(Decimal(50), Decimal(80), Decimal(100)),
    hysteresis=Decimal(10),
    quiet=timedelta(hours=1),
)
MINUTE = timedelta(minutes=1)


def walk(*values: Any, ladder: Ladder = LADDER, apart: timedelta = MINUTE, begun: Any = None) -> list[Any]:
    """Return what each value tells, by threshold, and how many events it ends."""
    standing, now, told = None, NOW, []
    for number, value in enumerate(values):
        taken = step(standing, ladder, None if value is None else Decimal(value), begun, now)
        known = list(taken.standing.events)
        for place in taken.told:
            known[place] = UUID(int=100 * number + place)
        standing = Standing(
            **{
                **{name: getattr(taken.standing, name) for name in taken.standing.__slots__},
                "events": tuple(known),
            }
        )
        told.append(([int(ladder.thresholds[place]) for place in taken.told], len(taken.ended)))
        now += apart
    return told


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("49.999999999", []),
        ("50", [50]),
        ("79", [50]),
        ("80", [50, 80]),
        ("100", [50, 80, 100]),
        ("1000", [50, 80, 100]),
    ],
)
def test_every_threshold_up_to_the_value_is_told(value: str, told: list[int]) -> None:
    assert walk(value) == [(told, 0)]


def test_what_stays_is_told_once_and_what_rises_tells_the_rest() -> None:
    assert walk(60, 60, 70, 100, 100) == [([50], 0), ([], 0), ([], 0), ([80, 100], 0), ([], 0)]


def test_what_falls_ends_when_it_has_come_back_far_enough() -> None:
    assert walk(100, 90, "89.9", "72", "71.9", "45", "44.9") == [
        ([50, 80, 100], 0),
        ([], 0),
        ([], 1),
        ([], 0),
        ([], 1),
        ([], 0),
        ([], 1),
    ]


def test_a_value_at_the_edge_does_not_repeat_itself() -> None:
    assert walk(50, 49, 50, 49, 50) == [([50], 0), *[([], 0)] * 4]


def test_what_comes_back_is_quiet_until_the_quiet_is_over() -> None:
    told = walk(60, 0, 60, 60, 60, apart=timedelta(minutes=20))
    assert told == [([50], 0), ([], 1), ([], 0), ([50], 0), ([], 0)]


def test_what_is_worse_than_what_was_told_is_told_in_the_quiet() -> None:
    assert walk(60, 0, 90) == [([50], 0), ([], 1), ([80], 0)]


def test_each_threshold_comes_back_by_itself() -> None:
    ladder = Ladder(revision=1, thresholds=LADDER.thresholds, hysteresis=Decimal(10))
    assert walk(90, 60, 90, ladder=ladder) == [([50, 80], 0), ([], 1), ([80], 0)]


def test_no_value_ends_what_was_told() -> None:
    assert walk(90, None) == [([50, 80], 0), ([], 2)]


def test_another_revision_ends_what_the_one_before_told_and_tells_anew() -> None:
    before = Standing(revision=1, level=1, episode=3, events=(UUID(int=7),))
    taken = step(before, Ladder(revision=2, thresholds=(Decimal(50),)), Decimal(60), None, NOW)
    assert (taken.told, taken.ended, taken.standing.episode) == ((0,), (UUID(int=7),), 4)


def test_another_period_ends_what_the_one_before_told_and_begins_anew() -> None:
    before = Standing(revision=1, level=1, period_start=NOW - timedelta(days=1), events=(UUID(int=7),))
    over = step(before, LADDER, Decimal(0), NOW, NOW)
    again = step(before, LADDER, Decimal(60), NOW, NOW)
    assert (over.told, over.ended, over.standing.level) == ((), (UUID(int=7),), 0)
    assert (again.told, again.ended, again.standing.level) == ((0,), (UUID(int=7),), 1)


def test_downward_a_threshold_is_reached_below_it() -> None:
    falling = Ladder(
        revision=1, thresholds=(Decimal(100), Decimal(50)), downward=True, hysteresis=Decimal(10)
    )
    assert walk(100, "99.9", 49, 54, 55, 109, 110, ladder=falling) == [
        ([], 0),
        ([100], 0),
        ([50], 0),
        ([], 0),
        ([], 1),
        ([], 0),
        ([], 1),
    ]
