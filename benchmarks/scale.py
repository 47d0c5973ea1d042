"""How much is measured: everything, a tenth for a first look, or next to nothing to see that it runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Scale:
    """The size of a run; `part` scales how much is sent, `datasets` are the records in the tables read."""

    rounds: int
    part: float
    organizations: int
    datasets: tuple[int, int]
    repeats: int
    memory_seconds: int

    def of(self, number: int) -> int:
        """Return this scale's part of a full run's number, one at least."""
        return max(1, round(number * self.part))


FULL: Final = Scale(3, 1.0, 200, (1_000_000, 10_000_000), 15, 60)
QUICK: Final = Scale(3, 0.1, 200, (100_000, 1_000_000), 5, 15)
SMALLEST: Final = Scale(1, 0.005, 5, (2_000, 8_000), 2, 1)
