"""Figures with their units, as people read them in what is told. Pure."""

import re
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Final

from alerts.senders.amounts import count, money

PERCENT: Final = "percent"
MILLISECONDS: Final = "ms"
_HUMP: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_CODE: Final = 3
_HUNDRED: Final = Decimal(100)
_WHOLE_FROM: Final = {MILLISECONDS: Decimal(100)}
"""From where on nobody reads fractions, by unit; of everything else from a thousand on."""
_THOUSAND: Final = Decimal(1000)


def figure(value: Decimal | None, unit: str) -> str:
    """Write a value with its unit: ``22.30 USD``, ``7.32%``, ``3,705 ms``, ``1.5``.

    Units: ``unit`` is a currency, ``percent``, ``ms``, what is counted, or nothing.
    """
    if value is None:
        return "nothing"
    if is_currency(unit):
        return money(value, unit)
    text = count(_rounded(value, _WHOLE_FROM.get(unit, _THOUSAND)))
    return f"{text}%" if unit == PERCENT else f"{text} {_unit(unit)}".strip()


def change(value: Decimal) -> str:
    """Write by how many per cent something changed: ``52%``, ``7.32%``; less than all is never 100%."""
    size = abs(value)
    is_nearly_all = _HUNDRED - 1 < size < _HUNDRED
    return figure(_rounded(value, _HUNDRED / 10) if not is_nearly_all else value, PERCENT)


def is_currency(unit: str) -> bool:
    """Tell whether a unit is a currency, by its code."""
    return len(unit) == _CODE and unit.isupper()


def label(name: str) -> str:
    """Write a name of several words in one as words: ``promptTokens`` is ``Prompt tokens``."""
    return _HUMP.sub(" ", name).capitalize()


def _unit(unit: str) -> str:
    return label(unit).lower() if unit[:1].islower() else unit


def _rounded(value: Decimal, whole_from: Decimal) -> Decimal:
    """Round to hundredths, what is large to whole ones, and what is less than one to three digits."""
    if abs(value) >= whole_from:
        return value.quantize(Decimal(1), ROUND_HALF_EVEN)
    places = 2 if not value or abs(value) >= 1 else 2 - value.adjusted()
    return round(value, places)
