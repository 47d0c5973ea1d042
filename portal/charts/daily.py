"""A value for each of many days, as bars or as an area."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any, Final

import altair as alt

SHAPES: Final = ("bars", "area")
_ROWS: Final = "days"
# As figures beside the chart are written: K, M, B, T, and fractions not in thousandths.
AMOUNTS: Final = (
    "abs(datum.value) < 1 ? format(datum.value, '~r')"
    " : replace(replace(format(datum.value, '~s'), 'G', 'B'), 'k', 'K')"
)
_OVER: Final = "!datum.partial"


@dataclass(frozen=True, slots=True)
class Day:
    """A day's value: what is drawn, and what is read.

    ``day`` is a local date in ISO 8601; ``partial`` marks the day that isn't over; ``url`` is where a click
    leads.
    """

    day: str
    label: str
    value: float
    exact: str
    partial: bool
    url: str = ""


def daily(days: Iterable[Day], *, shape: str, title: str) -> dict[str, Any]:
    """Return the specification of a daily chart, with its data.

    ``title`` names the values where one is pointed at.
    """
    rows = [asdict(one) for one in days]
    specification = copy.deepcopy(_skeleton(shape, title))
    specification["datasets"] = {_ROWS: rows}
    labelled = {"expr": str(_weekly([row["day"] for row in rows]))}
    for layer in specification["layer"]:
        layer["encoding"]["x"]["axis"]["values"] = labelled
    whole_steps(specification, [row["value"] for row in rows])
    return specification


def whole_steps(specification: dict[str, Any], values: Iterable[float]) -> None:
    """Keep the axis of values that are whole free of fractions."""
    if not all(float(value).is_integer() for value in values):
        return
    for layer in specification["layer"]:
        if axis := layer["encoding"].get("y", {}).get("axis"):
            axis["tickMinStep"] = 1


def _weekly(days: list[str]) -> list[int]:
    """Return the middle of every seventh day, the last day first, where its label belongs.

    Units: Unix milliseconds.
    """
    noon = [datetime.fromisoformat(day).replace(hour=12, tzinfo=UTC) for day in days[::-7]]
    return [int(moment.timestamp() * 1000) for moment in noon]


@cache
def _skeleton(shape: str, title: str) -> dict[str, Any]:
    base = alt.Chart(alt.NamedData(_ROWS)).encode(
        x=alt.X(
            "day:T",
            # The dates are the organization's own days: the reader's zone has no part in them.
            timeUnit=alt.TimeUnitParams(unit="yearmonthdate", utc=True),
            axis=alt.Axis(format="%-d %b", title=None, grid=False, labelOverlap=True),
        )
    )
    amounts = base.encode(y=alt.Y("value:Q", axis=alt.Axis(title=None, labelExpr=AMOUNTS, tickCount=4)))
    layers = _bars(amounts) if shape == "bars" else _area(amounts)
    chart = alt.layer(*layers, _pointed_at(base, title)).properties(width="container", height="container")
    result: dict[str, Any] = chart.to_dict()
    # Its sizes for charts of fixed width; the page has its own.
    del result["config"]
    return result


def _bars(amounts: Any) -> list[Any]:
    faded = alt.condition("datum.partial", alt.value(0.5), alt.value(1))
    return [amounts.mark_bar(aria=False, width={"band": 0.8}).encode(opacity=faded)]


def _area(amounts: Any) -> list[Any]:
    line = amounts.mark_area(aria=False, line=True, interpolate="monotone").transform_filter(_OVER)
    # A line down to the day that has only begun would look like a fall.
    today = amounts.mark_point(aria=False).transform_filter("datum.partial")
    return [line, today]


def _pointed_at(base: Any, title: str) -> Any:
    """Return what is seen nowhere and answers the pointer over the whole height of a day."""
    tooltip = [alt.Tooltip("label:N", title="Day"), alt.Tooltip("exact:N", title=title)]
    unseen = base.mark_bar(aria=False, opacity=0, width={"band": 1})
    return unseen.encode(y=alt.value(0), y2=alt.value("height"), tooltip=tooltip, href="url:N")
