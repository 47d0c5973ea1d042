"""Tiny lines beside figures, as the path of an SVG image."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

WIDTH: Final = 100
HEIGHT: Final = 24
_MARGIN: Final = 2


def path(values: Sequence[float], *, from_zero: bool = True) -> str:
    """Return the line through values a day apart, from zero to the highest; nothing where all are zero.

    What never comes near zero, such as rates, goes from the lowest instead, so that its changes are seen.

    Shape: fits a box of `WIDTH` by `HEIGHT`.
    """
    if len(values) < 2 or not any(values):
        return ""
    lowest = 0 if from_zero else min(values)
    height = (max(values) - lowest) or 1
    step = WIDTH / (len(values) - 1)
    room = HEIGHT - 2 * _MARGIN
    points = [
        f"{place * step:.1f},{HEIGHT - _MARGIN - (value - lowest) / height * room:.1f}"
        for place, value in enumerate(values)
    ]
    return "M" + " L".join(points)
