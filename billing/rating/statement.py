"""A price as SQL, for what would take long to read call by call: the same numbers as `cost` gives."""

from typing import Final

from billing.rating.formula import Band, Sheet, marginal, quantity_differences, special_quantities
from billing.rating.meters import REQUESTS

_TOKENS: Final = (
    "prompt_tokens", "cached_prompt_tokens", "cache_write_tokens", "completion_tokens", "reasoning_tokens",
)  # fmt: skip


def cost_sql(sheet: Sheet) -> str:
    """Return the expression of what a call costs under a sheet, over a record's columns.

    Shape: no parameters; percent signs are doubled, for a statement that has some.
    Units: whole nanos, ``numeric``, rounded once for each record, ties to the even neighbour.
    """
    branches = [
        f"WHEN coalesce(prompt_tokens, 0) > {above} THEN {_numerator(sheet, band)}"
        for above, band in zip(reversed(sheet.thresholds), reversed(sheet.bands[1:]), strict=True)
    ]
    numerator = _numerator(sheet, sheet.bands[0])
    if branches:
        numerator = f"CASE {' '.join(branches)} ELSE {numerator} END"
    return (
        f"(SELECT whole + (2 * rest > {sheet.denominator} "
        f"OR 2 * rest = {sheet.denominator} AND mod(whole, 2) = 1)::integer "
        f"FROM (SELECT amount, div(amount, {sheet.denominator}) AS whole, "
        f"amount - div(amount, {sheet.denominator}) * {sheet.denominator} AS rest "
        # Kept apart, so that nothing is computed twice.
        f"FROM (SELECT ({numerator})::numeric AS amount OFFSET 0) AS summed OFFSET 0) AS divided)"
    )


def _numerator(sheet: Sheet, band: Band) -> str:
    """Return what a call costs in nanos times the denominator."""
    terms = [
        f"{coefficient}::numeric * coalesce({column}, 0)"
        for column, coefficient in zip(_TOKENS, marginal(band), strict=True)
        if coefficient
    ]
    if fee := band.coefficient(REQUESTS):
        terms.append(f"CASE WHEN succeeded THEN {fee} ELSE 0 END")
    special = special_quantities(sheet)
    terms += [
        f"{difference}::numeric * coalesce((quantities ->> {_literal(name)})::numeric, 0)"
        for name, difference in quantity_differences(band, special).items()
        if difference
    ]
    return " + ".join(terms) or "0"


def _literal(text: str) -> str:
    quoted = text.replace("'", "''").replace("%", "%%")
    # Backslashes mean themselves only as long as the server's standard strings do.
    return f"'{quoted}'" if "\\" not in quoted else "E'" + quoted.replace("\\", "\\\\") + "'"
