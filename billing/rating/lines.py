"""Of what a cost is made up: a line for each rate that billed something."""

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from billing.rating.formula import Sheet, cost
from billing.rating.rates import Rate
from billing.rating.usage import Used, parts

_PLACES = 9


@dataclass(frozen=True, slots=True)
class Line:
    """What one rate billed of a call.

    ``rate`` is the price's own, before the discount; ``cost_nanos`` is what is paid, after it.
    """

    rate: Rate
    quantity: int | Decimal
    cost_nanos: int

    @property
    def meter(self) -> str:
        """The meter of the rate that billed."""
        return self.rate.meter

    @property
    def above(self) -> int:
        """The rate's threshold."""
        return self.rate.above


def lines(used: Used, sheet: Sheet) -> tuple[Line, ...]:
    """Return of what a call's cost is made up; the lines' costs add up to it exactly.

    Shape: in the order of the sheet's rates, without those that billed nothing. What is left by
    rounding down goes to the lines with the largest remainders, a nano each.
    """
    billed = _billed(used, sheet)
    shares = [divmod(amount * coefficient, sheet.denominator) for coefficient, amount in billed.values()]
    whole = [share[0] for share in shares]
    left = cost(used, sheet) - sum(whole)
    if left:
        for index in sorted(range(len(whole)), key=lambda index: -shares[index][1])[:left]:
            whole[index] += 1
    return tuple(
        Line(rate, _plain(amount), nanos)
        for (rate, (_, amount)), nanos in zip(billed.items(), whole, strict=True)
    )


def _billed(used: Used, sheet: Sheet) -> dict[Rate, tuple[int, int | Fraction]]:
    band = sheet.band(used.prompt_tokens or 0)
    amounts: dict[Rate, int | Fraction] = {}
    for meter, amount in parts(used).items():
        if amount and (rate := band.rate(meter)) is not None:
            amounts[rate] = amounts.get(rate, 0) + amount
    return {rate: (c, amounts[rate]) for rate, c in sheet.coefficients.items() if rate in amounts}


def _plain(amount: int | Fraction) -> int | Decimal:
    if amount.denominator == 1:
        return int(amount)
    return Decimal(int(amount * 10**_PLACES)).scaleb(-_PLACES).normalize()
