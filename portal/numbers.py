"""Numbers as people read them: grouped exactly, or shortened to three digits. No rounding is ever kept."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Final

from core.money import NANOS
from core.written import exact, exact_money

__all__ = ["Change", "change", "exact", "exact_money", "short", "short_money"]

Number = int | Decimal

SUFFIXES: Final = ("", "K", "M", "B", "T")
SHORTENED_FROM: Final = 100_000
CENT: Final = Decimal("0.01")
CENT_NANOS: Final = NANOS // 100
NANO_PLACES: Final = 9
_THREE_DIGITS: Final = Context(prec=3, rounding=ROUND_HALF_EVEN)
_MANY_TIMES: Final = 10


@dataclass(frozen=True, slots=True)
class Change:
    """How a figure moved: ``direction`` is up, down, same or new."""

    direction: str
    text: str


UNPRECEDENTED: Final = Change("new", "no prior data")


def short(value: Number) -> str:
    """Write a number in little room: whole below 100,000, else three digits and a suffix, ``1.23M``."""
    number = Decimal(value)
    if abs(number) >= SHORTENED_FROM:
        return _suffixed(number)
    if abs(number) >= _MANY_TIMES**3 or number == number.to_integral_value():
        return exact(number.to_integral_value(ROUND_HALF_EVEN))
    return exact(_THREE_DIGITS.plus(number))


def short_money(nanos: int) -> str:
    """Write an amount in little room: whole cents and what is above one unit in cents, else three digits.

    What is large has a suffix. The three digits keep their zeros, so that a column of them reads evenly.

    Units: takes nanos.
    """
    amount = Decimal(nanos) / NANOS
    if abs(amount) >= SHORTENED_FROM:
        return _suffixed(amount)
    if abs(amount) >= 1 or nanos % CENT_NANOS == 0:
        return format(amount.quantize(CENT, ROUND_HALF_EVEN), ",f")
    rounded = _THREE_DIGITS.plus(amount)
    places = min(2 - rounded.adjusted(), NANO_PLACES)
    return f"{rounded:.{places}f}"


def change(now: Number, before: Number) -> Change:
    """Say how a figure moved from one period to the next."""
    if now == before:
        return Change("same", "no change")
    direction = "up" if now > before else "down"
    if before <= 0:
        return UNPRECEDENTED
    ratio = Decimal(now) / Decimal(before)
    if ratio >= _MANY_TIMES:
        return Change(direction, f"{short(ratio.to_integral_value(ROUND_HALF_EVEN))}×")
    return Change(direction, _percent(abs(ratio - 1) * 100))


def _percent(value: Decimal) -> str:
    if value < Decimal("0.05"):
        return "<0.1%"
    places = Decimal("0.1") if value < Decimal("9.95") else Decimal(1)
    return f"{value.quantize(places, ROUND_HALF_EVEN)}%"


def _suffixed(number: Decimal) -> str:
    rounded = _THREE_DIGITS.plus(number)
    step = min(rounded.adjusted() // 3, len(SUFFIXES) - 1)
    return f"{rounded.scaleb(-3 * step):,f}{SUFFIXES[step]}"
