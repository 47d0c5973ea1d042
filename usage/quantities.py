"""How quantities are written."""

from decimal import Decimal


def number(value: Decimal | int) -> int | str:
    """Write a quantity: a whole one as a number, any other as a decimal string."""
    whole = int(value)
    return whole if whole == value else format(Decimal(value).normalize(), "f")
