"""How something went over time, what it was held against, and what happened meanwhile."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any, Final

import altair as alt

from portal.charts.daily import AMOUNTS

_POINTS: Final = "points"
_MARKS: Final = "marks"
_FORMATS: Final = {
    **dict.fromkeys(("minutes", "hours"), "%H:%M"),
    **dict.fromkeys(("date", "day", "week"), "%-d %b"),
    "month": "%b",
    "year": "%Y",
}
_ROOM: Final = 0.75
"""From which share of the width on a mark's name stands before it."""


@dataclass(frozen=True, slots=True)
class Level:
    """A value at a moment; ``at`` is the organization's wall clock, as ISO 8601 that ends in Z.

    Without a value there is a gap. ``limit`` is what it was held against, None where nothing was; ``exact``
    and ``held`` are both in words.
    """

    at: str
    label: str
    value: float | None
    exact: str
    limit: float | None = None
    held: str = ""


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that happened at a moment, named in a word."""

    at: str
    name: str


def level(points: Sequence[Level], marks: Sequence[Mark] = ()) -> dict[str, Any]:
    """Return the specification of a line, with what it was held against and what happened, if anything."""
    moments = sorted([one.at for one in points] + [one.at for one in marks])
    named = [asdict(one) | {"late": _is_late(one.at, moments)} for one in marks]
    sides = tuple(sorted({bool(one["late"]) for one in named}))
    specification = copy.deepcopy(_skeleton(any(one.limit is not None for one in points), sides))
    specification["datasets"] = {_POINTS: [asdict(one) for one in points], _MARKS: named}
    return specification


def _is_late(at: str, moments: Sequence[str]) -> bool:
    return moments.index(at) > _ROOM * (len(moments) - 1)


@cache
def _skeleton(limited: bool, sides: tuple[bool, ...]) -> dict[str, Any]:
    axis = alt.Axis(title=None, grid=False, labelOverlap=True, tickCount=6, format=_FORMATS)
    x = alt.X("at:T", scale=alt.Scale(type="utc"), axis=axis)
    base = alt.Chart(alt.NamedData(_POINTS)).encode(x=x)
    drawn = base.mark_area(aria=False, line=True).encode(
        y=alt.Y("value:Q", axis=alt.Axis(title=None, labelExpr=AMOUNTS, tickCount=4))
    )
    layers: list[Any] = [drawn]
    said = [alt.Tooltip("label:N", title="When"), alt.Tooltip("exact:N", title="Value")]
    if limited:
        held = base.transform_filter("isValid(datum.limit)")
        layers.append(held.mark_line(aria=False, style="average").encode(y="limit:Q"))
        said.append(alt.Tooltip("held:N", title="Threshold"))
    layers += _marked(x, sides)
    layers.append(base.mark_point(aria=False, opacity=0, size=400).encode(y="value:Q", tooltip=said))
    chart = alt.layer(*layers).properties(width="container", height="container")
    result: dict[str, Any] = chart.to_dict()
    del result["config"]
    return result


def _marked(x: Any, sides: tuple[bool, ...]) -> list[Any]:
    """Return upright lines with their names, before those that are late, where there is room, else after."""
    if not sides:
        return []
    marks = alt.Chart(alt.NamedData(_MARKS)).encode(x=x)
    layers = [marks.mark_rule(aria=False, style="moment")]
    for late in sides:
        some = marks.transform_filter("datum.late" if late else "!datum.late")
        text = some.mark_text(
            aria=False,
            style="moment-name",
            align="right" if late else "left",
            dx=-5 if late else 5,
            baseline="top",
        )
        layers.append(text.encode(y=alt.value(0), text="name:N"))
    return layers
