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
_ABOVE: Final = 1.25
_LINE: Final = 15
"""The height of a row of names."""
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
    late = tuple(_is_late(one.at, moments) for one in marks)
    named = [asdict(one) | {"row": row} for row, one in enumerate(marks)]
    specification = copy.deepcopy(_skeleton(any(one.limit is not None for one in points), late))
    if marks:
        # The names stand above whatever is drawn.
        highest = max((max(one.value or 0, one.limit or 0) for one in points), default=0)
        specification["layer"][0]["encoding"]["y"]["scale"] = {"domainMax": highest * _ABOVE or 1}
    specification["datasets"] = {_POINTS: [asdict(one) for one in points], _MARKS: named}
    return specification


def _is_late(at: str, moments: Sequence[str]) -> bool:
    return moments.index(at) > _ROOM * (len(moments) - 1)


@cache
def _skeleton(limited: bool, late: tuple[bool, ...]) -> dict[str, Any]:
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
    layers += _marked(x, late)
    layers.append(base.mark_point(aria=False, opacity=0, size=400).encode(y="value:Q", tooltip=said))
    chart = alt.layer(*layers).properties(width="container", height="container")
    result: dict[str, Any] = chart.to_dict()
    del result["config"]
    return result


def _marked(x: Any, late: tuple[bool, ...]) -> list[Any]:
    """Return upright lines with their names, each in a row of its own, and before a line that is late."""
    if not late:
        return []
    marks = alt.Chart(alt.NamedData(_MARKS)).encode(x=x)
    layers = [marks.mark_rule(aria=False, style="moment")]
    for row, is_late in enumerate(late):
        text = marks.transform_filter(f"datum.row == {row}").mark_text(
            aria=False,
            style="moment-name",
            align="right" if is_late else "left",
            dx=-5 if is_late else 5,
            baseline="top",
        )
        layers.append(text.encode(y=alt.value(_LINE * row), text="name:N"))
    return layers
