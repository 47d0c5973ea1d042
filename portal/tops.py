"""The most used of everything: the first few models, keys and capabilities of the billing period."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from core.periods import Period
from organizations.models import Credential
from organizations.tenancy import Caller
from portal.measures import REQUESTS, Measure
from portal.reading.asking import UNNAMED, saying
from portal.reading.views import headed
from portal.tables import Cell, Column, Table, cell
from usage.queries.facets import Facet
from usage.queries.rollups import Group, RollupQuery, add_up

TOP: Final = 5
SUMS: Final = ("requests", "total_tokens", "cost_nanos", "unpriced")
FACETS: Final = {Facet.MODEL: "Models", Facet.CLIENT: "API keys", Facet.CAPABILITY: "Capabilities"}
_TOP: Final = {Facet.MODEL: "Top models", Facet.CLIENT: "Top API keys", Facet.CAPABILITY: "Top capabilities"}

To = Callable[..., str]


def read(caller: Caller, period: Period, measure: Measure, to: To) -> list[Table]:
    """Return a table each of models, keys and capabilities, the most of a measure first.

    What has no price at all comes last of costs.

    Tenancy: call in the tenant's scope.
    """
    found = {facet: _most(caller, period, measure, facet) for facet in FACETS}
    wanted = [group.values[0] for group in found[Facet.CLIENT][:TOP]]
    keys = {key.pk: key for key in Credential.objects.filter(pk__in=wanted)}
    return [_table(facet, groups, measure, caller, keys, to) for facet, groups in found.items()]


def _most(caller: Caller, period: Period, measure: Measure, facet: Facet) -> list[Group]:
    query = RollupQuery(
        caller.organization_id, caller.rollup_timezone, period, sums=SUMS, meters=False, group_by=(facet,)
    )
    return sorted(add_up(query), key=lambda group: _place(measure, group))


def _place(measure: Measure, group: Group) -> tuple[bool, Any, str]:
    number = measure.number(group)
    return number is None, -(number or 0), str(group.values[0])


def _table(
    facet: Facet, groups: list[Group], measure: Measure, caller: Caller, keys: dict[Any, Credential], to: To
) -> Table:
    label = FACETS[facet]
    hidden = len(groups) - TOP
    rest = f"; {TOP} of {len(groups)}" if hidden > 0 else ""
    most = measure.drawn(groups[0]) if groups else 0.0
    rows = [
        [
            _name(facet, group, measure, keys, to),
            cell(
                measure,
                group,
                caller.currency,
                url=_records(facet, group, keys, to),
                share=f"{measure.drawn(group) / most * 100:.1f}" if most else "",
                note=measure.lacks(group),
            ),
        ]
        for group in groups[:TOP]
    ]
    return Table(
        id=f"top-{facet.value}",
        caption=f"{_TOP[facet]} by {measure.label.lower()}{rest}",
        columns=[Column(label), Column(headed(measure, caller), is_number=True)],
        rows=rows,
        empty="No data in this period yet.",
    )


def _name(facet: Facet, group: Group, measure: Measure, keys: dict[Any, Credential], to: To) -> Cell:
    value = _parameter(facet, group, keys)
    if not value:
        return Cell(UNNAMED, url=_records(facet, group, keys, to))
    name = keys[group.values[0]].name if facet is Facet.CLIENT else value
    url = to("usage", range="month", view="" if measure is REQUESTS else measure.name, **{facet.value: value})
    return Cell(name, value=value, url=url)


def _parameter(facet: Facet, group: Group, keys: dict[Any, Credential]) -> str:
    """Return how addresses name what a row is about; nothing for what has no name."""
    return keys[group.values[0]].client_id if facet is Facet.CLIENT else str(group.values[0])


def _records(facet: Facet, group: Group, keys: dict[Any, Credential], to: To) -> str:
    return to("logs", range="month", **saying(facet.value, _parameter(facet, group, keys)))
