"""Figures: ratios, each the median of rounds that took turns, beside what they should reach."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median
from typing import Final


@dataclass(frozen=True)
class Unit:
    """How a ratio is written, and whether more of it is better."""

    factor: float
    suffix: str
    places: int
    more_is_better: bool

    def write(self, value: float) -> str:
        """Write a value of this unit."""
        return f"{value * self.factor:.{self.places}f}{self.suffix}"


SHARE: Final = Unit(100, " %", 0, more_is_better=True)
GAIN: Final = Unit(1, "×", 1, more_is_better=True)
COST: Final = Unit(1, "×", 2, more_is_better=False)
DURATION: Final = Unit(1000, " ms", 1, more_is_better=False)
SHARE_OF_A_MINUTE: Final = Unit(100, " %", 0, more_is_better=False)
GROWTH: Final = Unit(100, " %", 1, more_is_better=False)
MISSING: Final = Unit(1, " missing", 0, more_is_better=False)


@dataclass(frozen=True)
class Figure:
    """One line of the results: a ratio for each round, what it should reach, and what it was made of."""

    name: str
    unit: Unit
    rounds: tuple[float, ...]
    least: float | None = None
    beyond: float | None = None
    behind: str = ""

    @property
    def value(self) -> float:
        """The median of the rounds."""
        return median(self.rounds)

    @property
    def verdict(self) -> str:
        """Whether the median reaches what it should."""
        if self.least is None:
            return ""
        if self._reaches(self.beyond):
            return "beyond"
        return "reached" if self._reaches(self.least) else "missed"

    def _reaches(self, mark: float | None) -> bool:
        if mark is None:
            return False
        return self.value >= mark if self.unit.more_is_better else self.value <= mark

    def cells(self) -> tuple[str, ...]:
        """Return the line's cells, in the order of `HEADER`."""
        write = self.unit.write
        spread = " · ".join(write(value) for value in self.rounds)
        targets = (self.least, self.beyond)
        return (
            self.name,
            write(self.value),
            spread,
            *("" if target is None else _bound(self.unit, target) for target in targets),
            self.verdict,
            self.behind,
        )


HEADER: Final = ("work", "median", "rounds", "at least", "beyond that", "", "behind it")


def _bound(unit: Unit, target: float) -> str:
    return f"{'≥' if unit.more_is_better else '≤'} {unit.write(target)}"


def table(figures: Iterable[Figure]) -> str:
    """Return the figures as a Markdown table, its columns aligned."""
    rows = [HEADER, *(figure.cells() for figure in figures)]
    widths = [max(len(row[place]) for row in rows) for place in range(len(HEADER))]
    lines = [_line(row, widths) for row in rows]
    rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    return "\n".join([lines[0], rule, *lines[1:]])


def _line(cells: tuple[str, ...], widths: list[int]) -> str:
    padded = (cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
    return f"| {' | '.join(padded)} |"


def rate(number: float, seconds: float) -> str:
    """Write how many a second."""
    return thousands(number / seconds)


def thousands(value: float) -> str:
    """Write a rate in a form that claims no more than it knows."""
    return f"{value / 1000:.1f}k/s" if value >= 1000 else f"{value:.0f}/s"


def milliseconds(seconds: float) -> str:
    """Write a duration."""
    return f"{seconds * 1000:.1f} ms"


def count(number: int) -> str:
    """Write how many records."""
    whole = number % 1_000_000 == 0
    return f"{number // 1_000_000} M records" if whole else f"{number // 1000} k records"
