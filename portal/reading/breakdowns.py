"""What use is made of: the first capabilities and keys, and where the rest of them are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from organizations.roles import Scope
from portal import measures, numbers
from portal.filters import Filters
from portal.measures import Measure
from portal.reading.asking import UNNAMED, Asker, keys_of, saying
from portal.reading.ranking import Names
from portal.reading.views import MAIN, VIEWS, headed
from portal.tables import Cell, Sorting, Table, cell, ranked, sortable
from usage.queries.facets import Facet
from usage.queries.rollups import Group

BREAKDOWN: Final = (measures.REQUESTS, measures.ERROR_RATE, measures.TOKENS, measures.COST)
NAME: Final = "name"
_MEASURES: Final = {one.name: one for one in (*BREAKDOWN, *(view.whole for view in VIEWS.values()))}
SORTS: Final = (NAME, *_MEASURES)
TOP: Final = 12
HEADINGS: Final = {Facet.CAPABILITY: "Capability", Facet.CLIENT: "API key"}
_FILES: Final = {Facet.CAPABILITY: "capabilities", Facet.CLIENT: "keys"}

To = Callable[..., str]


@dataclass(frozen=True, slots=True)
class Breakdown:
    """What use is made of; ``more`` leads to what the table leaves out, where it does."""

    table: Table
    more: str


def breakdown(asker: Asker, facet: Facet, by: Measure, sort: Sorting, to: To, here: To) -> Breakdown:
    """Return what some of a facet's values come to; the page of costs has all of them."""
    names = Names.of(keys_of() if facet is Facet.CLIENT else [])
    sorted_by = [] if sort.by == NAME else [_MEASURES[sort.by]]
    found = asker.by(facet, (*BREAKDOWN, measures.UNPRICED, by, *sorted_by))
    columns = BREAKDOWN if by in BREAKDOWN else (BREAKDOWN[0], by, *BREAKDOWN[1:])
    most = max((by.drawn(group) for group in found), default=0.0)
    currency = asker.caller.currency
    rows: list[list[Cell]] = []
    for group in _ordered(found, facet, names, sort)[:TOP]:
        cells = [
            cell(one, group, currency, share=_share(one, by, group, most), note=one.lacks(group))
            for one in columns
        ]
        rows.append([_named(asker.filters, facet, names, group, to), *cells])
    heading = HEADINGS[facet]
    heads = [
        sortable(heading, NAME, sort, here, rising=True),
        *(sortable(headed(one, asker.caller), one.name, sort, here) for one in columns),
    ]
    name = f"usage-by-{_FILES[facet]}"
    table = Table(
        f"by-{facet.value}", _caption(heading, sort, len(found)), heads, rows, file=name, stacks=True
    )
    return Breakdown(table, _rest(asker, facet, by, to) if len(found) > TOP else "")


def _caption(heading: str, sort: Sorting, count: int) -> str:
    if sort.by == NAME:
        order = "by name"
    else:
        first = "highest" if sort.descending else "lowest"
        order = f"by {_MEASURES[sort.by].label.lower()}, {first} first"
    return f"{heading} {order}" + (f"; first {TOP} of {numbers.exact(count)}" if count > TOP else "")


def _ordered(found: list[Group], facet: Facet, names: Names, sort: Sorting) -> list[Group]:
    if sort.by == NAME:
        return sorted(
            found, key=lambda group: names.label(facet, group.values[0]).lower(), reverse=sort.descending
        )
    return ranked(found, _MEASURES[sort.by].number, descending=sort.descending)


def _named(filters: Filters, facet: Facet, names: Names, group: Group, to: To) -> Cell:
    value = names.parameter(facet, group.values[0])
    if not value:
        return Cell(UNNAMED, url=to("logs", **filters.parameters, **saying(facet.value, "")))
    url = to("usage", **{**filters.parameters, facet.value: value})
    if facet is not Facet.CLIENT:
        return Cell(value, value=value, url=url)
    return Cell(names.keys[group.values[0]].name, value=value, note=value, url=url)


def _rest(asker: Asker, facet: Facet, by: Measure, to: To) -> str:
    """Return where all are: the page of costs, for who may see it, and for keys else their own page."""
    if Scope.BILLING_READ in asker.caller.scopes:
        sort = by.name if by in MAIN else ""
        return to("costs", **asker.filters.parameters, by=facet.value, sort=sort)
    return to("keys") if facet is Facet.CLIENT else ""


def _share(one: Measure, by: Measure, group: Group, most: float) -> str:
    """Return how long the bar of a row is, in hundredths of the longest."""
    return f"{by.drawn(group) / most * 100:.1f}" if one is by and most else ""
