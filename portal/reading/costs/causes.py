"""What costs are made of: by model, capability and API key; and what has no price."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from portal import measures, numbers
from portal.measures import COST, Measure
from portal.reading.asking import saying
from portal.reading.costs.places import Places
from portal.reading.ranking import Names
from portal.tables import Cell, Column, Sorting, Table, cell, paged, ranked, sortable
from usage.queries.facets import Facet
from usage.queries.rollups import Group

DIMENSIONS: Final = {
    "model": (Facet.MODEL, "Model"),
    "capability": (Facet.CAPABILITY, "Capability"),
    "clientId": (Facet.CLIENT, "API key"),
}
"""By what costs are told apart: each with its facet and what it is called."""
SAID: Final = {"model": "model", "capability": "capability", "clientId": "API key"}
COLUMNS: Final = (
    COST,
    measures.REQUESTS,
    measures.TOKENS,
    measures.PER_MILLION_TOKENS,
    measures.UNPRICED,
)
NAME: Final = "name"
SORTS: Final = (NAME, *(measure.name for measure in COLUMNS))
BESIDE: Final = 8
"""How many rows the tables of the other dimensions have."""

To = Callable[..., str]


@dataclass(frozen=True, slots=True)
class Beside:
    """What costs are made of by another dimension; ``more`` leads to all of it."""

    label: str
    table: Table
    more: str


@dataclass(frozen=True, slots=True)
class Unpriced:
    """Requests that no price fits: how many, and of which models."""

    said: str
    table: Table


def causes(
    totals: Sequence[Group],
    by: str,
    names: Names,
    sort: Sorting,
    here: To,
    places: Places,
) -> Table:
    shown, pages = paged(_sorted(totals, by, names, sort), sort, here)
    currency, whole = places.currency, sum(COST.number(group) or 0 for group in totals)
    rows = [
        [
            _named(group, by, names, here),
            _cost_of(group, by, names, whole, places),
            _share_of(group, whole),
            *(_measured(measure, group, currency) for measure in COLUMNS[1:]),
        ]
        for group in shown
    ]
    label = DIMENSIONS[by][1]
    columns = [
        sortable(label, NAME, sort, here, rising=True),
        sortable(f"Cost, {currency}", COST.name, sort, here),
        Column("Share", is_number=True),
        *(
            sortable(_headed(measure, currency), measure.name, sort, here, meaning=measure.meaning)
            for measure in COLUMNS[1:]
        ),
    ]
    return Table("causes", f"By {SAID[by]}", columns, rows, pages=pages, file="costs", stacks=True)


def _headed(measure: Measure, currency: str) -> str:
    return f"{measure.label}, {currency}" if measure.is_money else measure.label


def _sorted(totals: Sequence[Group], by: str, names: Names, sort: Sorting) -> list[Group]:
    facet = DIMENSIONS[by][0]
    if sort.by == NAME:
        return sorted(
            totals, key=lambda group: names.label(facet, group.values[0]).lower(), reverse=sort.descending
        )
    measure = next(measure for measure in COLUMNS if measure.name == sort.by)
    return ranked(totals, measure.number, descending=sort.descending)


def _named(group: Group, by: str, names: Names, here: To) -> Cell:
    """Return the cell of what caused costs, which leads to its costs alone."""
    facet = DIMENSIONS[by][0]
    label, value = names.label(facet, group.values[0]), names.parameter(facet, group.values[0])
    if not value:
        return Cell(label)
    note = value if facet is Facet.CLIENT else ""
    return Cell(label, value=value, url=here(**{facet.value: value}), note=note)


def _cost_of(group: Group, by: str, names: Names, whole: int, places: Places) -> Cell:
    """Return the cell of a cost, which leads to its records."""
    facet = DIMENSIONS[by][0]
    value = names.parameter(facet, group.values[0])
    share = f"{Decimal(COST.number(group) or 0) * 100 / whole:.1f}" if whole else ""
    url = places.records(**saying(facet.value, value))
    if measures.is_unknown(group):
        return Cell(measures.NONE, exact="Unpriced", url=url, is_number=True)
    return cell(COST, group, places.currency, share=share, url=url)


def _measured(measure: Measure, group: Group, currency: str) -> Cell:
    if measure.is_money and measures.is_unknown(group):
        return Cell(measures.NONE, exact="Unpriced", is_number=True)
    return cell(measure, group, currency)


def _share_of(group: Group, whole: int) -> Cell:
    if not whole or measures.is_unknown(group):
        return Cell(measures.NONE, is_number=True)
    share = Decimal(COST.number(group)) / whole
    text = f"{share:.1%}" if not 0 < share < Decimal("0.0005") else "<0.1%"
    return Cell(text, value=f"{share:.6f}", is_number=True)


def beside(totals: Sequence[Group], by: str, names: Names, here: To, places: Places) -> Beside:
    label, whole = DIMENSIONS[by][1], sum(COST.number(group) or 0 for group in totals)
    costliest = ranked(totals, COST.number, descending=True)
    rows = [
        [
            _named(group, by, names, here),
            _cost_of(group, by, names, whole, places),
            _share_of(group, whole),
        ]
        for group in costliest[:BESIDE]
    ]
    columns = [
        Column(label),
        Column(f"Cost, {places.currency}", is_number=True),
        Column("Share", is_number=True),
    ]
    rest = f"; top {BESIDE} of {len(costliest)}" if len(costliest) > BESIDE else ""
    caption = f"By {SAID[by]}, highest cost first{rest}"
    table = Table(f"by-{by}", caption, columns, rows, file=f"costs-by-{by}", stacks=True)
    return Beside(f"By {SAID[by]}", table, here(by=by))


def unpriced(models: Sequence[Group], names: Names, places: Places) -> Unpriced | None:
    found = [group for group in models if measures.UNPRICED.number(group)]
    if not found:
        return None
    rows = []
    for group in ranked(found, measures.UNPRICED.number, descending=True):
        model = str(group.values[0])
        url = places.records(**saying("model", model))
        rows.append(
            [
                Cell(names.label(Facet.MODEL, model), value=model, url=url),
                cell(measures.UNPRICED, group),
                cell(measures.REQUESTS, group),
            ]
        )
    columns = [Column("Model"), Column("Unpriced", is_number=True), Column("Requests", is_number=True)]
    count = sum(measures.UNPRICED.number(group) for group in found)
    said = f"{numbers.exact(count)} {'request has' if count == 1 else 'requests have'} no price"
    return Unpriced(
        said, Table("unpriced", "Most requests first", columns, rows, file="unpriced", stacks=True)
    )
