"""Models, or capabilities, against each other: trends, shares, and a leaderboard (S4, S5)."""

from dataclasses import dataclass, field
from typing import Final

from core.periods import Period
from usage.queries.buckets import Buckets
from usage.queries.facets import Facet
from usage.queries.rollups import Group, RollupQuery, add_up
from usage.queries.totals import Subject

_SUMS: Final = (
    "requests",
    "errors",
    "prompt_tokens",
    "completion_tokens",
    "total_tokens",
    "cost_nanos",
    "latency_records",
    "latency_us",
)


@dataclass(slots=True)
class Standing:
    """One model, or capability, over a window: what adds up, in all and in each bucket that has any."""

    name: str
    total: Group
    points: dict[int, Group] = field(default_factory=dict)


def standings(subject: Subject, period: Period, buckets: Buckets, facet: Facet) -> list[Standing]:
    """Return the values of a facet with their use, most requests first, then by name.

    Tenancy: call in the tenant's scope.
    """
    query = RollupQuery(
        subject.organization_id,
        subject.rollup_timezone,
        period,
        buckets=buckets,
        sums=_SUMS,
        group_by=(facet,),
        filters={} if subject.credential_id is None else {Facet.CLIENT: subject.credential_id},
    )
    found: dict[str, Standing] = {}
    for group in add_up(query):
        name = group.values[0]
        standing = found.setdefault(name, Standing(name, Group(0, group.values, dict.fromkeys(_SUMS, 0))))
        standing.points[group.bucket] = group
        for measure in _SUMS:
            standing.total.sums[measure] += group.sums[measure]
    return sorted(found.values(), key=lambda standing: (-standing.total.sums["requests"], standing.name))
