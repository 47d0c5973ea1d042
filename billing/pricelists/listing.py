"""What a price list says, in the book's words. No database, no clock."""

from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from billing.book.terms import Terms
from billing.rating import Rate
from core.money import NANOS

MILLION: Final = 1_000_000
_MOST: Final = 2**63 - 1


@dataclass(slots=True)
class Listing:
    """The prices of a list, and what of it was left out, with reasons.

    ``skipped`` are models that have no price here, ``left_out`` parts of prices with how often they occurred.
    """

    prices: list[Terms] = field(default_factory=list)
    skipped: list[tuple[str, str]] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)


class Unusable(ValueError):
    """An amount that no rate can have."""


def rate(meter: str, amount: Decimal, per: int, above: int = 0) -> Rate:
    """Return the rate of an amount of currency for so many units, in whole numbers and exactly.

    Raises: `Unusable` for an amount below zero or beyond what the book holds.
    """
    if not amount.is_finite() or amount < 0:
        raise Unusable(f"{meter} costs {amount}")
    numerator, denominator = amount.as_integer_ratio()
    nanos = numerator * NANOS
    # By tens, so that a rate stays readable: 0.0000375 for a token is 37.5 for a million.
    while nanos % denominator:
        nanos *= 10
        per *= 10
    found = Rate(meter, nanos // denominator, per, above)
    if found.amount_nanos > _MOST or found.per > _MOST:
        raise Unusable(f"{meter} costs {amount}")
    return found


def per_token(meter: str, amount: Decimal, above: int = 0) -> Rate:
    """Return the rate of an amount for one unit, written for a million."""
    return rate(meter, amount * MILLION, MILLION, above)
