"""How much a budget buys: the inverse of what use costs."""

from fractions import Fraction
from typing import Final

from billing.rating.formula import Band, Sheet, cost
from billing.rating.meters import (
    CACHE_WRITE,
    CACHED_PROMPT,
    CHAINS,
    COMPLETION,
    PROMPT,
    REASONING,
    REQUESTS,
)
from billing.rating.usage import Usage, Used, parts
from usage.kinds import CACHE_WRITE_1H, CACHED_MODES, QUANTITY_OF

_PLAIN: Final = {
    PROMPT: Usage(prompt_tokens=1),
    CACHED_PROMPT: Usage(prompt_tokens=1, cached_prompt_tokens=1),
    CACHE_WRITE: Usage(prompt_tokens=1, cache_write_tokens=1),
    COMPLETION: Usage(completion_tokens=1),
    REASONING: Usage(completion_tokens=1, reasoning_tokens=1),
}


def one(meter: str) -> Usage:
    """Return the use of one unit of a meter and of nothing else.

    Raises: ValueError for the meter of requests, of which each call is one: see `calls`.
    """
    if meter == REQUESTS:
        raise ValueError("a call is one request")
    if meter in _PLAIN:
        return _PLAIN[meter]
    quantities: dict[str, int | str] = {QUANTITY_OF.get(meter, meter): 1}
    if meter not in CHAINS:
        return Usage(quantities=quantities)
    if PROMPT not in CHAINS[meter]:
        return Usage(completion_tokens=1, quantities=quantities)
    if meter in CACHED_MODES:
        quantities[QUANTITY_OF[CHAINS[meter][1]]] = 1
    return Usage(
        prompt_tokens=1,
        cached_prompt_tokens=1 if meter in CACHED_MODES else 0,
        cache_write_tokens=1 if meter == CACHE_WRITE_1H else 0,
        quantities=quantities,
    )


def calls(budget_nanos: int, sheet: Sheet, call: Used) -> int | None:
    """Return how many calls of the same use a budget buys, each rounded by itself.

    Shape: None when they cost nothing. Units: the budget in nanos.
    """
    each = cost(call, sheet)
    return max(0, budget_nanos) // each if each else None


def units(budget_nanos: int, sheet: Sheet, unit: Used) -> int | None:
    """Return how many times a unit of use, in one call, a budget buys: the most whose cost isn't beyond it.

    ``unit`` is the use of one meter (`one`) or a mix. The fee of a request is paid once, since the units
    are one call's. Where a price falls beyond a threshold, more units may be affordable than fewer: the
    most count.
    Shape: None when there is no end to it. Units: the budget in nanos.
    """
    if budget_nanos < 0:
        return 0
    each = unit.prompt_tokens or 0
    thresholds = sheet.thresholds if each else ()
    most = 0
    for index, band in enumerate(sheet.bands[: len(thresholds) + 1]):
        last = thresholds[index] // each if index < len(thresholds) else None
        affordable = _most(budget_nanos, sheet, band, unit)
        if affordable is None and last is None:
            return None
        within = min(bound for bound in (affordable, last) if bound is not None)
        first = thresholds[index - 1] // each + 1 if index else 0
        if within >= first:
            most = within
    return most


def _most(budget_nanos: int, sheet: Sheet, band: Band, unit: Used) -> int | None:
    """Return how many units are affordable at the rates of one band."""
    fee = 0 if not unit.succeeded else band.coefficient(REQUESTS)
    amounts = {meter: amount for meter, amount in parts(unit).items() if meter != REQUESTS}
    slope = Fraction(sum(amount * band.coefficient(meter) for meter, amount in amounts.items()))
    # A cost rounds to the budget while it is below the budget and a half, and at it when the budget is even.
    room = (2 * budget_nanos + 1) * sheet.denominator - 2 * fee
    if room < 0 or (room == 0 and budget_nanos % 2):
        return -1
    if not slope:
        return None
    most = room / (2 * slope)
    return int(most) - 1 if most.denominator == 1 and budget_nanos % 2 else int(most)
