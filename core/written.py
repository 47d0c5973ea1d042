"""Numbers and amounts written in full, as people read them."""

from __future__ import annotations

from decimal import Decimal


def exact(value: int | Decimal) -> str:
    """Write a number in full, its thousands grouped: ``1,234,567.5``."""
    plain = format(Decimal(value), ",f")
    return plain.rstrip("0").rstrip(".") if "." in plain else plain


def exact_money(nanos: int | Decimal) -> str:
    """Write an amount in full, with at least two places: ``1,234.0612``.

    Units: takes nanos.
    """
    whole, fraction = f"{Decimal(nanos).scaleb(-9):,.9f}".split(".")
    return f"{whole}.{fraction.rstrip('0').ljust(2, '0')}"
