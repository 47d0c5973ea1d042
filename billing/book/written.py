"""Rates as a person writes them: one a line, ``prompt 2.50 per 1000000 above 200000``."""

import re
from collections.abc import Iterable
from decimal import Decimal
from typing import Final

from billing.rating import Rate
from core.money import format_money, parse_money
from usage.dialects.plain import METER_PATTERN

_LINE: Final = re.compile(
    rf"(?P<meter>{METER_PATTERN[1:-1]})\s+(?P<amount>[0-9.]+)\s+per\s+(?P<per>[1-9][0-9]{{0,17}})"
    r"(?:\s+above\s+(?P<above>[0-9]{1,18}))?",
    re.ASCII,
)
EXAMPLE: Final = "prompt 2.50 per 1000000"


def read_rates(text: str) -> tuple[Rate, ...]:
    """Return the rates of a text.

    Raises: ValueError naming the line that isn't one.
    """
    return tuple(_rate(line.strip()) for line in text.splitlines() if line.strip())


def write_rates(rates: Iterable[Rate]) -> str:
    """Return the text of rates, as `read_rates` reads it."""
    return "\n".join(_line(rate) for rate in rates)


def _rate(line: str) -> Rate:
    match = _LINE.fullmatch(line)
    if match is None:
        raise ValueError(f"{line[:100]!r} is not a rate such as {EXAMPLE!r}")
    return Rate(match["meter"], parse_money(match["amount"]), int(match["per"]), int(match["above"] or 0))


def _line(rate: Rate) -> str:
    amount = Decimal(format_money(rate.amount_nanos)).normalize()
    beyond = f" above {rate.above}" if rate.above else ""
    return f"{rate.meter} {amount:f} per {rate.per}{beyond}"
