"""Values over time: one or several series as stacked bars, stacked areas, or lines."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, Final

import altair as alt

from core.periods import Granularity
from portal.charts.daily import AMOUNTS, whole_steps

_MARKS: Final = "marks"
_PLACES: Final = "places"
_AVERAGE: Final = "average"
_FORMATS: Final = {Granularity.HOUR: "%H:%M", Granularity.MONTH: "%b %Y"}
_DATE: Final = "%-d %b"
_SYMBOLS: Final[dict[bool, dict[str, Any]]] = {
    False: {"symbolType": "square"},
    True: {"symbolType": "stroke", "symbolStrokeWidth": 3},
}
"""How a legend shows what is filled, and what is a line."""


@dataclass(frozen=True, slots=True)
class Bucket:
    """A stretch of time on the axis, and what is read there.

    ``start`` and ``end`` are local times in ISO 8601, written as if they were UTC; ``exact`` are the values
    of the series in words. ``partial`` marks what isn't over; ``url`` is where a click leads.
    """

    start: str
    end: str
    label: str
    exact: tuple[str, ...]
    partial: bool = False
    url: str = ""


@dataclass(frozen=True, slots=True)
class Series:
    """A value for each bucket, None where nothing is drawn."""

    name: str
    values: tuple[float | None, ...]


def series(
    buckets: Sequence[Bucket],
    lines: Sequence[Series],
    *,
    shape: str,
    granularity: Granularity,
    average: Sequence[float | None] = (),
) -> dict[str, Any]:
    """Return the specification of a chart over time, with its data.

    ``shape`` is bars, area or lines; ``average`` is drawn as a line above them, None where there is none.
    Shape: every series has as many values as there are buckets.
    """
    names = tuple(line.name for line in lines)
    specification = copy.deepcopy(_skeleton(names, shape, _FORMATS.get(granularity, _DATE), bool(average)))
    specification["datasets"] = {
        _MARKS: _marks(buckets, lines, stacked=shape != "lines"),
        _PLACES: [_place(bucket) for bucket in buckets],
        _AVERAGE: [
            {"x": bucket.start, "x2": bucket.end, "value": value}
            for bucket, value in zip(buckets, average, strict=False)
            if value is not None and not bucket.partial
        ],
    }
    for layer in specification["layer"]:
        layer["encoding"]["x"]["axis"] |= _labelled(buckets, granularity)
    whole_steps(specification, [value for line in lines for value in line.values if value is not None])
    return specification


def _labelled(buckets: Sequence[Bucket], granularity: Granularity) -> dict[str, Any]:
    """Have days and months named in their middle, the last one first, and other buckets where they begin."""
    if granularity not in (Granularity.DAY, Granularity.MONTH):
        return {}
    middles = [_middle(bucket) for bucket in buckets[:: -max(len(buckets) // 8, 1)]]
    return {"values": {"expr": str(middles)}}


def _middle(bucket: Bucket) -> int:
    start, end = (datetime.fromisoformat(text).timestamp() for text in (bucket.start, bucket.end))
    return int((start + end) * 500)


def _marks(buckets: Sequence[Bucket], lines: Sequence[Series], *, stacked: bool) -> list[dict[str, Any]]:
    heights = [0.0] * len(buckets)
    marks = []
    for line in lines:
        for place, (bucket, value) in enumerate(zip(buckets, line.values, strict=True)):
            if value is None:
                continue
            low = heights[place] if stacked else 0.0
            heights[place] = low + value
            marks.append(
                {
                    "x": bucket.start,
                    "x2": bucket.end,
                    "low": low,
                    "value": low + value,
                    "series": line.name,
                    "partial": bucket.partial,
                }
            )
    return marks


def _place(bucket: Bucket) -> dict[str, Any]:
    said = {f"exact{number}": text for number, text in enumerate(bucket.exact)}
    return {"x": bucket.start, "x2": bucket.end, "label": bucket.label, "url": bucket.url, **said}


@cache
def _skeleton(names: tuple[str, ...], shape: str, form: str, averaged: bool) -> dict[str, Any]:
    axis = alt.Axis(format=form, title=None, grid=False, labelOverlap=True, tickCount=8)
    x = alt.X("x:T", scale=alt.Scale(type="utc"), axis=axis)
    y = alt.Y("value:Q", axis=alt.Axis(title=None, labelExpr=AMOUNTS, tickCount=4))
    marks = alt.Chart(alt.NamedData(_MARKS)).encode(x=x, y=y)
    layers: list[Any] = [_drawn(marks, shape, names)]
    if averaged:
        line = alt.Chart(alt.NamedData(_AVERAGE)).mark_line(
            aria=False, style="average", interpolate="monotone"
        )
        layers.append(line.encode(x=x, y=y))
    layers.append(_pointed_at(x, names))
    chart = alt.layer(*layers).properties(width="container", height="container")
    result: dict[str, Any] = chart.to_dict()
    del result["config"]
    return result


def _drawn(marks: Any, shape: str, names: tuple[str, ...]) -> Any:
    if len(names) > 1:
        legend = alt.Legend(
            title=None,
            orient="top",
            direction="horizontal",
            columns=alt.ExprRef("max(1, floor(width / 165))"),
            **_SYMBOLS[shape == "lines"],
        )
        marks = marks.encode(color=alt.Color("series:N", scale=alt.Scale(domain=list(names)), legend=legend))
    if shape == "bars":
        faded = alt.condition("datum.partial", alt.value(0.5), alt.value(1))
        return marks.mark_bar(aria=False, x2Offset=-1).encode(x2="x2:T", y2="low:Q", opacity=faded)
    over = marks.transform_filter("!datum.partial")
    if shape == "area":
        return over.mark_area(aria=False, interpolate="monotone").encode(y2="low:Q")
    return over.mark_line(aria=False, interpolate="monotone")


def _pointed_at(x: Any, names: tuple[str, ...]) -> Any:
    """Return what is seen nowhere, answers the pointer over the height of a bucket, and leads on."""
    said = [alt.Tooltip(f"exact{number}:N", title=name) for number, name in enumerate(names)]
    return (
        alt.Chart(alt.NamedData(_PLACES))
        .mark_bar(aria=False, opacity=0)
        .encode(
            x=x,
            x2="x2:T",
            y=alt.value(0),
            y2=alt.value("height"),
            tooltip=[alt.Tooltip("label:N", title="Time"), *said],
            href="url:N",
        )
    )
