"""Figures as people read them in messages. Pure."""

from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Any, Final

NONE: Final = "–"
_CENT: Final = Decimal("0.01")
_THREE_DIGITS: Final = Context(prec=3, rounding=ROUND_HALF_EVEN)
_LEAST_SHARE: Final = Decimal("0.001")
_SMALL_SHARE: Final = Decimal("0.0995")
_TIMES: Final = 10


def count(value: Any) -> str:
    """Write a number in full, its thousands grouped: ``1,234,567``."""
    return NONE if value is None else _plain(Decimal(str(value)))


def money(amount: Any, currency: str) -> str:
    """Write an amount: cents from one unit on, three digits below: ``1,234.06 EUR``, ``0.00123 EUR``."""
    if amount is None:
        return NONE
    value = Decimal(str(amount))
    if value == 0 or abs(value) >= 1:
        return f"{value.quantize(_CENT, ROUND_HALF_EVEN):,f} {currency}"
    whole, _, fraction = _plain(_THREE_DIGITS.plus(value)).partition(".")
    return f"{whole}.{fraction.ljust(2, '0')} {currency}"


def percent(share: Any) -> str:
    """Write a share in per cent, to two places: ``0.25%``."""
    return NONE if share is None else f"{_plain((Decimal(str(share)) * 100).quantize(_CENT))}%"


def change(share: float | None) -> str:
    """Write by what share a figure changed: ``+12%``, ``−3.4%``, ``×14``; nothing where none is known."""
    if share is None:
        return ""
    value = Decimal(str(share))
    if value == 0:
        return "no change"
    if value >= _TIMES - 1:
        return f"×{_plain((value + 1).quantize(Decimal(1), ROUND_HALF_EVEN))}"
    sign, size = ("+" if value > 0 else "−"), abs(value)
    if size < _LEAST_SHARE:
        return f"{sign}<0.1%"
    places = Decimal("0.1") if size < _SMALL_SHARE else Decimal(1)
    return f"{sign}{(size * 100).quantize(places, ROUND_HALF_EVEN):,f}%"


def signed(text: str, *, is_up: bool) -> str:
    """Write a difference with its sign."""
    return f"{'+' if is_up else '−'}{text.removeprefix('-')}"


def _plain(value: Decimal) -> str:
    text = f"{value:,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
