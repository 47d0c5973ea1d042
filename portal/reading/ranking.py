"""What has most of something: the first few by name, and all others as one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from organizations.models import Credential
from portal.kinds import together
from portal.measures import Measure
from portal.reading.asking import UNNAMED, Asker, saying
from usage.queries.buckets import Buckets
from usage.queries.facets import Facet
from usage.queries.rollups import Group

SHOWN: Final = 7
"""How many have a colour of their own; the rest are one."""
OTHERS: Final = "Others"


@dataclass(frozen=True, slots=True)
class Standing:
    """One value of a facet, or all others: what adds up, in all and in each bucket.

    ``filter`` is what addresses of its records have, nothing for all others.
    """

    name: str
    total: Group
    points: list[Group]
    filter: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Names:
    """How the values of a facet are called: keys by their names, told apart where two have the same."""

    keys: Mapping[int, Credential]
    _repeated: frozenset[str]

    @classmethod
    def of(cls, keys: Sequence[Credential]) -> Names:
        """Return the names of an organization."""
        counts = Counter(key.name for key in keys)
        return cls({key.pk: key for key in keys}, frozenset(name for name in counts if counts[name] > 1))

    def label(self, facet: Facet, value: Any) -> str:
        """Return what a value is called."""
        if facet is not Facet.CLIENT:
            return str(value) or UNNAMED
        key = self.keys[value]
        return f"{key.name} ({key.client_id})" if key.name in self._repeated else key.name

    def parameter(self, facet: Facet, value: Any) -> str:
        """Return the value as addresses have it; empty for what can't be asked for."""
        return self.keys[value].client_id if facet is Facet.CLIENT else str(value)


NO_KEYS: Final = Names({}, frozenset())
"""For facets whose values are names already."""


def standings(
    asker: Asker,
    facet: Facet,
    totals: Sequence[Group],
    measures: Sequence[Measure],
    by: Measure,
    names: Names = NO_KEYS,
) -> list[Standing]:
    """Return the first values of a facet, most of the measure first, and the others as one.

    Shape: a point for each bucket of the bar's days.
    Tenancy: call in the tenant's scope.
    """
    filters = asker.filters
    series = Buckets.over(filters.period, filters.granularity, filters.zone)
    found: dict[Any, list[Group]] = {}
    for group in asker.by(facet, measures, series):
        found.setdefault(group.values[0], [Group(0) for _ in range(series.count)])[group.bucket] = group
    ranked = sorted(totals, key=lambda group: (-by.drawn(group), str(group.values[0])))
    shown = [
        Standing(
            names.label(facet, value), one, found[value], saying(facet.value, names.parameter(facet, value))
        )
        for one in ranked[:SHOWN]
        for value in one.values
    ]
    rest = ranked[SHOWN:]
    if rest:
        points = [together([found[one.values[0]][place] for one in rest]) for place in range(series.count)]
        shown.append(Standing(OTHERS, together(rest), points))
    return shown
