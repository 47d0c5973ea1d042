"""What the same use would have cost on other models."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from django.http import QueryDict
from django.urls import reverse

from billing import book
from billing.api.comparison import refuse_too_many
from billing.queries.comparison import Part, comparison
from billing.queries.prices import priced_models
from core.problems import invalid_parameter
from organizations.tenancy import Caller
from portal import measures, numbers
from portal.filters import Filters
from portal.measures import NONE
from portal.reading.asking import UNNAMED, Asker
from portal.tables import Cell, Column, Table
from usage.queries.facets import Facet
from usage.queries.totals import Subject

MOST: Final = 4
"""How many other models are compared with at once: each rates every call anew."""
OFFERED: Final = 6
_DETAILED: Final = 12

To = Callable[..., str]


@dataclass(frozen=True, slots=True)
class Other:
    """Another model, by the provider and the name that the price book has."""

    provider: str
    model: str

    @property
    def name(self) -> str:
        """How addresses and lists call it: the provider is what comes before the first slash."""
        return f"{self.provider}/{self.model}"


@dataclass(frozen=True, slots=True)
class WhatIfPage:
    """What use cost, and what it would have; ``chosen`` are the other models with the ways to drop them."""

    chosen: list[tuple[str, str]]
    offered: list[tuple[str, str]]
    choices: list[str]
    summary: str
    together: Table | None
    by_model: Table | None
    unpriced: str
    may_add: bool


def parse(text: str) -> Other:
    """Read a model as addresses have it.

    Raises: `Problem` 400 for what has no slash.
    """
    provider, slash, model = text.strip().partition("/")
    if not slash or not model:
        detail = f"{text[:80]!r} is not in the form provider/model. Choose a model that has a price."
        raise invalid_parameter("others", detail)
    return Other(provider, model)


def read(
    caller: Caller, filters: Filters, others: Sequence[Other], now: datetime, *, to: To, here: To
) -> WhatIfPage:
    """Compare the use of the bar's days with the other models.

    Raises: `Problem` 400 for too many of them, too many records, and models without a price.
    Tenancy: call in the tenant's scope.
    """
    known = priced_models(caller.organization_id, caller.currency, now)
    found = _compared(caller, filters, others, now) if others else []
    names = [other.name for other in others]
    return WhatIfPage(
        chosen=[(name, here(others=",".join(each for each in names if each != name))) for name in names],
        offered=[] if len(others) >= MOST else _offered(Asker(caller, filters), known, names, here),
        choices=[Other(*each).name for each in known if "," not in "".join(each)],
        summary=_summary(others, found, caller),
        together=_together(others, found, filters, caller) if found else None,
        by_model=_by_model(others, found, caller, filters, to) if found else None,
        unpriced=_unpriced(found),
        may_add=len(others) < MOST,
    )


def _compared(caller: Caller, filters: Filters, others: Sequence[Other], now: datetime) -> list[list[Part]]:
    if len(others) > MOST:
        raise invalid_parameter("others", f"Compare with at most {MOST} models at once.")
    subject = Subject(caller.organization_id, caller.rollup_timezone, filters.credential_id)
    refuse_too_many(subject, filters.period, now)
    chosen: dict[Facet, str | int] = {
        facet: value for facet, value in filters.facets.items() if facet is not Facet.CLIENT
    }
    found = []
    for other in others:
        names = (other.provider or None, other.model, None)
        sheet = book.sheet(caller.organization_id, caller.currency, *names, now)
        if sheet is None:
            raise invalid_parameter("others", f"There is no price for {other.name[:80]!r} now.")
        found.append(comparison(subject, filters.period, sheet, chosen))
    return found


def _offered(
    asker: Asker, known: Sequence[tuple[str, str]], names: Sequence[str], here: To
) -> list[tuple[str, str]]:
    """Return the models that are used most and have a price, with the ways to compare with them."""
    priced = set(known)
    used = [group.values for group in asker.by(Facet.MODEL, (measures.REQUESTS,), None, Facet.PROVIDER)]
    offered = [Other(provider, model).name for model, provider in used if (provider, model) in priced]
    ways = [(name, here(others=",".join([*names, name]))) for name in offered if name not in names]
    return ways[:OFFERED]


def _summary(others: Sequence[Other], found: Sequence[Sequence[Part]], caller: Caller) -> str:
    if not found:
        return ""
    totals = [sum(part.other_nanos for part in parts) for parts in found]
    paid = sum(part.cost_nanos for part in found[0])
    least = min(range(len(totals)), key=totals.__getitem__)
    if not sum(part.records for part in found[0]):
        return "No priced requests with tokens in this period."
    difference = totals[least] - paid
    said = "less" if difference < 0 else "more"
    amount = numbers.short_money(abs(difference))
    return f"{others[least].model} would have cost {amount} {caller.currency} {said}."


def _together(
    others: Sequence[Other], found: Sequence[Sequence[Part]], filters: Filters, caller: Caller
) -> Table:
    paid = sum(part.cost_nanos for part in found[0])
    totals = [sum(part.other_nanos for part in parts) for parts in found]
    most = max([paid, *totals])
    rows = [
        [
            Cell("Actual"),
            _money(paid, most),
            Cell(NONE, is_number=True),
            Cell("1", is_number=True),
            Cell(""),
        ]
    ]
    for other, total in zip(others, totals, strict=True):
        rows.append(
            [
                Cell(other.model, value=other.name, note=other.provider),
                _money(total, most),
                _difference(total - paid),
                _ratio(total, paid),
                Cell("API", url=_api(other, filters)),
            ]
        )
    columns = [
        Column("Model"),
        Column(f"Cost, {caller.currency}", is_number=True),
        Column("Difference", is_number=True),
        Column("Ratio", is_number=True, meaning="to the actual cost"),
        Column("Figures"),
    ]
    caption = f"{filters.said}, {numbers.exact(sum(part.records for part in found[0]))} requests with tokens"
    return Table("what-if", caption, columns, rows, file="what-if", stacks=True)


def _by_model(
    others: Sequence[Other], found: Sequence[Sequence[Part]], caller: Caller, filters: Filters, to: To
) -> Table:
    each = [{(part.model, part.provider): part for part in parts} for parts in found]
    used = [part for part in found[0] if part.records]
    rows = [
        [
            _used(part, filters, to),
            Cell(numbers.exact(part.records), is_number=True),
            _money(part.cost_nanos),
            *(_money(parts[part.model, part.provider].other_nanos) for parts in each),
        ]
        for part in used[:_DETAILED]
    ]
    columns = [
        Column("Model used"),
        Column("Requests", is_number=True),
        Column(f"Cost, {caller.currency}", is_number=True),
        *(Column(f"On {other.model}", is_number=True) for other in others),
    ]
    rest = f"; top {_DETAILED} of {len(used)}" if len(used) > _DETAILED else ""
    caption = f"Highest cost first{rest}"
    return Table("what-if-models", caption, columns, rows, file="what-if-models", stacks=True)


def _used(part: Part, filters: Filters, to: To) -> Cell:
    """Return the cell of a model, which leads to its records."""
    unsaid = [name for name in ("model", "provider") if not getattr(part, name)]
    places = {**filters.parameters, "provider": part.provider, "missing": ",".join(unsaid)}
    places |= {"model": part.model} if part.model else {}
    return Cell(part.model or UNNAMED, value=part.model, note=part.provider, url=to("logs", **places))


def _unpriced(found: Sequence[Sequence[Part]]) -> str:
    count = sum(part.unpriced for part in found[0]) if found else 0
    if not count:
        return ""
    if count == 1:
        return "One request is unpriced and not included."
    return f"{numbers.exact(count)} requests are unpriced and not included."


def _money(nanos: int, most: int = 0) -> Cell:
    exact = numbers.exact_money(nanos)
    share = f"{Decimal(nanos) * 100 / most:.1f}" if most else ""
    return Cell(
        numbers.short_money(nanos), exact=exact, value=exact.replace(",", ""), is_number=True, share=share
    )


def _difference(nanos: int) -> Cell:
    sign = "+" if nanos > 0 else ""
    exact = numbers.exact_money(nanos)
    return Cell(
        f"{sign}{numbers.short_money(nanos)}".replace("-", "−"),
        exact=exact,
        value=exact.replace(",", ""),
        is_number=True,
    )


def _ratio(total: int, paid: int) -> Cell:
    if not paid:
        return Cell(NONE, is_number=True)
    ratio = Decimal(total) / paid
    return Cell(numbers.short(ratio), exact=f"{ratio:.6f}", value=f"{ratio:.6f}", is_number=True)


def _api(other: Other, filters: Filters) -> str:
    asked = filters.of_api
    of_use = {"ofModel": asked.pop("model", ""), "ofCapability": asked.pop("capability", "")}
    query = QueryDict(mutable=True)
    given = {**asked, **of_use, "model": other.model, "provider": other.provider}
    query.update({name: value for name, value in given.items() if value})
    return f"{reverse('costs-compare')}?{query.urlencode()}"
