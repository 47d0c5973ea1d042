"""Money as integers of 10⁻⁹ currency units, and the only rounding there is."""

import re
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Final

NANOS: Final = 10**9
PLACES: Final = 9
MAX_NANOS: Final = 2**63 - 1
"""The largest amount a bigint column holds: 9,223,372,036.854775807 units."""

_PLAIN = re.compile(r"(-?)(0|[1-9][0-9]*)(?:\.([0-9]{1,9}))?", re.ASCII)


def parse_money(text: str) -> int:
    """Read a plain decimal string such as ``"0.0612"``.

    Units: returns nanos.
    Raises: ValueError for an exponent, a sign other than ``-``, more than nine decimal places,
    surrounding space or an amount that no column could hold.
    """
    match = _PLAIN.fullmatch(text)
    if match is None:
        raise ValueError(f"{text[:40]!r} is not a decimal amount with at most {PLACES} places")
    sign, units, fraction = match.groups()
    if len(units) > len(str(MAX_NANOS)):
        raise ValueError("the amount is too large")
    nanos = int(units) * NANOS + int((fraction or "").ljust(PLACES, "0"))
    if nanos > MAX_NANOS:
        raise ValueError("the amount is too large")
    return -nanos if sign else nanos


def format_money(nanos: int) -> str:
    """Write an amount with all nine places, such as ``"0.061200000"``.

    Units: takes nanos.
    """
    units, fraction = divmod(abs(nanos), NANOS)
    return f"{'-' if nanos < 0 else ''}{units}.{fraction:0{PLACES}d}"


def round_half_even(value: Decimal) -> int:
    """Round an exact amount to whole nanos, ties to the even neighbour.

    Units: takes and returns nanos.
    """
    return int(value.to_integral_value(rounding=ROUND_HALF_EVEN))


def to_minor(nanos: int, places: int) -> int:
    """Round an amount to the units in which it is paid, ties to the even neighbour.

    Units: takes nanos, returns units of 10 to the power of minus ``places``.
    """
    return int(Decimal(nanos).scaleb(places - PLACES).to_integral_value(rounding=ROUND_HALF_EVEN))


def from_minor(amount: int, places: int) -> int:
    """Return an amount that is paid in nanos.

    Units: takes units of 10 to the power of minus ``places``.
    """
    return int(amount * 10 ** (PLACES - places))


def format_minor(amount: int, places: int) -> str:
    """Write an amount that is paid, with its own number of places, such as ``"0.06"``."""
    units, fraction = divmod(abs(amount), 10**places)
    return f"{'-' if amount < 0 else ''}{units}" + (f".{fraction:0{places}d}" if places else "")
