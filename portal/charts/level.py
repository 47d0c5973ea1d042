"""How something went over time, and the threshold that it was held against."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any, Final

import altair as alt

from portal.charts.daily import AMOUNTS

_POINTS: Final = "points"
_LIMIT: Final = "limit"


@dataclass(frozen=True, slots=True)
class Level:
    """A value at a moment; ``at`` is the organization's wall clock, as ISO 8601 that ends in Z."""

    at: str
    label: str
    value: float
    exact: str


def level(points: Sequence[Level], threshold: float | None) -> dict[str, Any]:
    """Return the specification of a line with what it was held against, if anything."""
    specification = copy.deepcopy(_skeleton(threshold is not None))
    specification["datasets"] = {_POINTS: [asdict(one) for one in points]}
    if threshold is not None:
        specification["datasets"][_LIMIT] = [{"value": threshold}]
    return specification


@cache
def _skeleton(limited: bool) -> dict[str, Any]:
    base = alt.Chart(alt.NamedData(_POINTS)).encode(
        x=alt.X(
            "at:T",
            scale=alt.Scale(type="utc"),
            axis=alt.Axis(title=None, grid=False, labelOverlap=True, tickCount=6),
        )
    )
    drawn = base.mark_area(aria=False, line=True).encode(
        y=alt.Y("value:Q", axis=alt.Axis(title=None, labelExpr=AMOUNTS, tickCount=4))
    )
    layers: list[Any] = [drawn]
    if limited:
        rule = alt.Chart(alt.NamedData(_LIMIT)).mark_rule(aria=False, style="average")
        layers.append(rule.encode(y="value:Q"))
    said = [alt.Tooltip("label:N", title="When"), alt.Tooltip("exact:N", title="Value")]
    layers.append(base.mark_point(aria=False, opacity=0, size=400).encode(y="value:Q", tooltip=said))
    chart = alt.layer(*layers).properties(width="container", height="container")
    result: dict[str, Any] = chart.to_dict()
    del result["config"]
    return result
