"""Tiny lines beside figures, as the path of an SVG image."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

WIDTH: Final = 100
HEIGHT: Final = 24
_MARGIN: Final = 2


def path(values: Sequence[float]) -> str:
    """Return the line through values a day apart, from zero to the highest; nothing where all are zero.

    Shape: fits a box of `WIDTH` by `HEIGHT`.
    """
    if len(values) < 2 or not any(values):
        return ""
    highest = max(values)
    step = WIDTH / (len(values) - 1)
    room = HEIGHT - 2 * _MARGIN
    points = [
        f"{place * step:.1f},{HEIGHT - _MARGIN - value / highest * room:.1f}"
        for place, value in enumerate(values)
    ]
    return "M" + " L".join(points)
