"""What grew and what shrank the most from one period to the next. No database."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

MOST: Final = 3
"""How many are told of each way."""


@dataclass(frozen=True, slots=True)
class Mover:
    """A key, model or capability by what names it, with its figure now and before."""

    values: tuple[Any, ...]
    now: int
    before: int

    @property
    def difference(self) -> int:
        """By how much it grew; below zero where it shrank."""
        return self.now - self.before


@dataclass(frozen=True, slots=True)
class Movers:
    """Those that grew the most, and those that shrank the most, the largest difference first."""

    up: tuple[Mover, ...]
    down: tuple[Mover, ...]


def movers(found: Iterable[Mover]) -> Movers:
    """Return the few that moved the most each way; equal differences go by what names them."""
    ranked = sorted(found, key=lambda one: (-abs(one.difference), [str(value) for value in one.values]))
    return Movers(
        tuple([one for one in ranked if one.difference > 0][:MOST]),
        tuple([one for one in ranked if one.difference < 0][:MOST]),
    )
