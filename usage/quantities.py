"""How quantities and quotients are written."""

from decimal import Decimal

from core.money import NANOS


def number(value: Decimal | int) -> int | str:
    """Write a quantity: a whole one as a number, any other as a decimal string."""
    whole = int(value)
    return whole if whole == value else format(Decimal(value).normalize(), "f")


def plain(value: Decimal) -> str:
    """Write a decimal without an exponent and with a point: ``0.000003``, ``1000.0``."""
    whole, _, fraction = format(value, "f").partition(".")
    return f"{whole}.{fraction.rstrip('0') or '0'}"


def quotient(above: int, below: int, places: int) -> float | None:
    """Return a quotient of whole numbers, rounded once; None where there is nothing to divide by."""
    return round(above / below, places) if below else None


def average_ms(latency_us: int, records: int) -> float | None:
    """Return the average of a latency that was summed over records.

    Units: milliseconds, to a microsecond; None when nothing was timed.
    """
    return quotient(latency_us, 1000 * records, 3)


def cost_per_million(cost_nanos: int, tokens: int) -> float | None:
    """Return what a million tokens cost, in the currency's units; None without tokens."""
    return quotient(1_000_000 * cost_nanos, NANOS * tokens, 6)
