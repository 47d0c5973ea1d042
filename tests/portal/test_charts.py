"""Charts are valid specifications with every day in them, and sparklines fit their box."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
import vl_convert

from portal import charts, sparkline

FIRST = date(2026, 4, 17)


def days(values: list[float]) -> list[charts.Day]:
    return [
        charts.Day(
            (FIRST + timedelta(place)).isoformat(),
            f"day {place}",
            value,
            f"{value} asked",
            place == len(values) - 1,
        )
        for place, value in enumerate(values)
    ]


@pytest.mark.parametrize("shape", charts.SHAPES)
def test_a_chart_can_be_drawn_and_draws_every_day(shape: str) -> None:
    specification = charts.daily(days([float(number) for number in range(90)]), shape=shape, title="Requests")
    assert len(specification["datasets"]["days"]) == 90
    drawn = vl_convert.vegalite_to_svg({**specification, "width": 600, "height": 200})
    assert "15 Jul" in drawn
    assert "NaN" not in drawn


@pytest.mark.parametrize("shape", charts.SHAPES)
def test_two_charts_share_nothing(shape: str) -> None:
    first = charts.daily(days([1, 2]), shape=shape, title="Requests")
    second = charts.daily(days([3]), shape=shape, title="Requests")
    assert [row["value"] for row in first["datasets"]["days"]] == [1, 2]
    assert [row["value"] for row in second["datasets"]["days"]] == [3]


def test_amounts_on_the_axis_are_short() -> None:
    specification = charts.daily(days([4_000_000_000, 1]), shape="bars", title="Tokens")
    assert "4B" in vl_convert.vegalite_to_svg({**specification, "width": 600, "height": 200})


def test_small_amounts_on_the_axis_are_plain() -> None:
    specification = charts.daily(days([0.004, 0.001]), shape="bars", title="Cost")
    assert "0.002" in vl_convert.vegalite_to_svg({**specification, "width": 600, "height": 200})


@pytest.mark.parametrize(
    ("values", "path"),
    [
        ([], ""),
        ([5], ""),
        ([0, 0], ""),
        ([0, 10, 5], "M0.0,22.0 L50.0,2.0 L100.0,12.0"),
    ],
)
def test_sparklines(values: list[float], path: str) -> None:
    assert sparkline.path(values) == path
