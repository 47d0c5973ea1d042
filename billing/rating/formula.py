"""A price turned into a function from what a call used to what it costs.

A sheet is compiled once. All its rates are brought to one denominator, so that a cost is a sum of
products of whole numbers and is rounded once; and the usual call, of tokens without special kinds,
is a handful of multiplications.
"""

from bisect import bisect_left
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import gcd, lcm
from typing import Final

from billing.rating.meters import (
    CACHE_WRITE,
    CACHED_PROMPT,
    CHAINS,
    COMPLETION,
    PROMPT,
    REASONING,
    REQUESTS,
)
from billing.rating.rates import Rate
from billing.rating.usage import Used, amount, unit
from usage.kinds import QUANTITY_OF

BASIS_POINTS: Final = 10_000
_TOKENS: Final = (CACHED_PROMPT, CACHE_WRITE, COMPLETION, REASONING)


@dataclass(frozen=True)
class Sheet:
    """What a model costs an organization: the rates of one price, less a discount.

    Units: ``discount_bp`` hundredths of a percent.
    """

    price_id: int
    rates: tuple[Rate, ...]
    discount_bp: int = 0

    def __post_init__(self) -> None:
        """Refuse a discount beyond the whole, and two rates for the same.

        Raises: ValueError.
        """
        if not 0 <= self.discount_bp <= BASIS_POINTS:
            raise ValueError(f"a discount is from 0 to {BASIS_POINTS} basis points")
        if len({(rate.meter, rate.above) for rate in self.rates}) != len(self.rates):
            raise ValueError("a meter has two rates for the same threshold")

    @cached_property
    def formula(self) -> Callable[[Used], int]:
        """What a call costs under this sheet, in nanos."""
        return _compile(self)

    @cached_property
    def thresholds(self) -> tuple[int, ...]:
        """The numbers of prompt tokens beyond which other rates hold, ascending."""
        return tuple(sorted({rate.above for rate in self.rates if rate.above}))

    @cached_property
    def bands(self) -> tuple["Band", ...]:
        """The rates below the first threshold, between each two, and beyond the last."""
        return tuple(Band(self, above) for above in (0, *self.thresholds))

    @cached_property
    def denominator(self) -> int:
        """What every cost of this sheet is a fraction of."""
        return BASIS_POINTS // self._common * lcm(*(rate.per for rate in self.rates))

    @cached_property
    def coefficients(self) -> dict[Rate, int]:
        """What a unit costs at each rate, in nanos times the denominator."""
        kept, units = (
            (BASIS_POINTS - self.discount_bp) // self._common,
            lcm(*(rate.per for rate in self.rates)),
        )
        return {rate: rate.amount_nanos * kept * (units // rate.per) for rate in self.rates}

    def band(self, prompt_tokens: int) -> "Band":
        """Return the rates for a call of so many prompt tokens."""
        return self.bands[bisect_left(self.thresholds, prompt_tokens)]

    @property
    def _common(self) -> int:
        return gcd(BASIS_POINTS, self.discount_bp)


class Band:
    """The rates that hold between two thresholds."""

    def __init__(self, sheet: Sheet, above: int) -> None:
        standing = sorted((rate for rate in sheet.rates if rate.above <= above), key=lambda rate: rate.above)
        # A later threshold's rate replaces an earlier one's.
        own = {rate.meter: rate for rate in standing}
        self._coefficients = sheet.coefficients
        self._billing: dict[str, Rate | None] = {
            meter: next((own[each] for each in chain if each in own), None) for meter, chain in CHAINS.items()
        }
        self._billing |= {meter: rate for meter, rate in own.items() if meter not in CHAINS}

    def rate(self, meter: str) -> Rate | None:
        """Return the rate that bills a meter: its own, or the one of the whole it is part of."""
        return self._billing.get(meter)

    def coefficient(self, meter: str) -> int:
        """Return what a unit of a meter costs, in nanos times the denominator; 0 without a rate."""
        rate = self.rate(meter)
        return 0 if rate is None else self._coefficients[rate]


def cost(used: Used, sheet: Sheet) -> int:
    """Return what a call costs under a sheet, rounded once, ties to the even neighbour.

    Units: nanos.
    """
    return sheet.formula(used)


def rounded(numerator: int, denominator: int) -> int:
    """Return a quotient of numbers that aren't negative as a whole number, ties to the even neighbour."""
    whole, rest = divmod(numerator, denominator)
    rest += rest
    return whole + 1 if rest > denominator or (rest == denominator and whole & 1) else whole


def _compile(sheet: Sheet) -> Callable[[Used], int]:
    denominator = sheet.denominator
    fee = [band.coefficient(REQUESTS) for band in sheet.bands]
    tokens = [marginal(band) for band in sheet.bands]
    has_fee = any(fee)
    thresholds = sheet.thresholds
    first = thresholds[0] if thresholds else None
    special = special_quantities(sheet)
    names = frozenset(special)
    extra = [quantity_differences(band, special) for band in sheet.bands]
    base = tokens[0]

    def formula(used: Used) -> int:
        quantities = used.quantities
        prompt = used.prompt_tokens or 0
        per_prompt, per_cached, per_written, per_completion, per_reasoning = base
        band = 0
        if first is not None and prompt > first:
            band = bisect_left(thresholds, prompt)
            per_prompt, per_cached, per_written, per_completion, per_reasoning = tokens[band]
        total = per_prompt * prompt + per_completion * (used.completion_tokens or 0)
        if part := used.cached_prompt_tokens:
            total += per_cached * part
        if part := used.cache_write_tokens:
            total += per_written * part
        if part := used.reasoning_tokens:
            total += per_reasoning * part
        if has_fee and used.succeeded:
            total += fee[band]
        if quantities is not None and not names.isdisjoint(quantities):
            return _with_quantities(total, quantities, extra[band], denominator)
        # As `rounded` does it, without the call.
        whole, rest = divmod(total, denominator)
        rest += rest
        return whole + 1 if rest > denominator or (rest == denominator and whole & 1) else whole

    return formula


def marginal(band: Band) -> tuple[int, int, int, int, int]:
    """Return what a token of a whole costs, and how much more or less one of a part does."""
    prompt = band.coefficient(PROMPT)
    cached, written, completion, reasoning = (band.coefficient(meter) for meter in _TOKENS)
    return prompt, cached - prompt, written - prompt, completion, reasoning - completion


def special_quantities(sheet: Sheet) -> dict[str, str]:
    """Return the quantities that make a difference to what a call costs, with their meters."""
    priced = {rate.meter for rate in sheet.rates} - {PROMPT, *_TOKENS, REQUESTS}
    kinds = {QUANTITY_OF[meter]: meter for meter in QUANTITY_OF if priced.intersection(CHAINS[meter])}
    return {**kinds, **{meter: meter for meter in priced if meter not in CHAINS}}


def quantity_differences(band: Band, special: dict[str, str]) -> dict[str, int]:
    """Return how much more or less the whole call costs for each unit of these quantities."""
    return {
        name: sum(change * band.coefficient(each) for each, change in unit(meter).items())
        for name, meter in special.items()
    }


def _with_quantities(
    total: int, quantities: Mapping[str, int | str], differences: dict[str, int], denominator: int
) -> int:
    whole: int | Fraction = total
    for name, difference in differences.items():
        value = quantities.get(name)
        if value is not None:
            whole += difference * amount(value)
    return rounded(whole.numerator, whole.denominator * denominator)
