"""What charts have to draw: the same values of the API as their tables."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from itertools import compress
from typing import Any

from portal import numbers
from tests.contracts.figures.claims import NONE, Claims, nanos


def exact(metric: str, value: Any, currency: str = "") -> str:
    """Write a value of the API in full, as pages do."""
    if value is None:
        return NONE
    if metric == "cost":
        unit = f" {currency}" if currency else ""
        return f"{numbers.exact_money(nanos(value))}{unit}"
    unit = " ms" if metric.startswith("latency.") else ""
    return f"{numbers.exact(Decimal(str(value)))}{unit}"


def series(
    claims: Claims,
    chart: str,
    lines: Sequence[Sequence[Any]],
    metric: str,
    currency: str,
    *,
    stacked: bool = True,
    totals: Sequence[str] = (),
) -> None:
    """Claim a chart over time: a line for each group, from the first bucket to the last."""
    heights = [0.0] * (len(lines[0]) if lines else 0)
    low: list[float] = []
    high: list[float] = []
    for number, line in enumerate(lines):
        bottom = heights if stacked else [0.0] * len(line)
        heights = [under + float(value or 0) for under, value in zip(bottom, line, strict=True)]
        is_drawn = [value is not None for value in line]
        low += compress(bottom, is_drawn)
        high += compress(heights, is_drawn)
        claims.drawn[f"{chart} places exact{number}"] = [exact(metric, value, currency) for value in line]
    claims.drawn[f"{chart} marks low"] = low
    claims.drawn[f"{chart} marks value"] = high
    if totals:
        claims.drawn[f"{chart} places label"] = list(totals)


def averages(values: Sequence[Any], first: int, *, ends_now: bool) -> list[float | None]:
    """Return the average of each day with the six before it, from a place on; of days that are over."""
    found: list[float | None] = []
    for place in range(first, len(values)):
        days = [float(value) for value in values[place - 6 : place + 1]]
        is_known = place >= 6 and not (ends_now and place == len(values) - 1)
        found.append(sum(days) / 7 if is_known else None)
    return found
