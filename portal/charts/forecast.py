"""Days that were and days that are to come: bars, then a line within its band."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any, Final

import altair as alt

from portal.charts.daily import AMOUNTS

_PAST: Final = "past"
_COMING: Final = "coming"


@dataclass(frozen=True, slots=True)
class Past:
    """A day that has begun; ``day`` is a local date in ISO 8601."""

    day: str
    label: str
    value: float
    exact: str
    partial: bool = False


@dataclass(frozen=True, slots=True)
class Coming:
    """A day to come, what is expected of it, and between which bounds it will most likely be."""

    day: str
    label: str
    expected: float
    low: float
    high: float
    said: str
    between: str


def forecast(past: Sequence[Past], coming: Sequence[Coming], *, title: str) -> dict[str, Any]:
    """Return the specification of a forecast, with its data; ``title`` names the values."""
    specification = copy.deepcopy(_skeleton(title))
    specification["datasets"] = {
        _PAST: [asdict(one) for one in past],
        _COMING: [asdict(one) for one in coming],
    }
    return specification


@cache
def _skeleton(title: str) -> dict[str, Any]:
    x = alt.X(
        "day:T",
        # The dates are the organization's own days: the reader's zone has no part in them.
        timeUnit=alt.TimeUnitParams(unit="yearmonthdate", utc=True),
        axis=alt.Axis(format="%-d %b", title=None, grid=False, labelOverlap=True, tickCount=8),
    )
    axis = alt.Axis(title=None, labelExpr=AMOUNTS, tickCount=4)
    past = alt.Chart(alt.NamedData(_PAST)).encode(x=x)
    coming = alt.Chart(alt.NamedData(_COMING)).encode(x=x)
    faded = alt.condition("datum.partial", alt.value(0.5), alt.value(1))
    layers = [
        past.mark_bar(aria=False, width={"band": 0.8}).encode(y=alt.Y("value:Q", axis=axis), opacity=faded),
        coming.mark_area(aria=False, interpolate="monotone").encode(y=alt.Y("low:Q", axis=axis), y2="high:Q"),
        coming.mark_line(aria=False, interpolate="monotone").encode(y=alt.Y("expected:Q", axis=axis)),
        _pointed_at(past, [alt.Tooltip("label:N", title="Day"), alt.Tooltip("exact:N", title=title)]),
        _pointed_at(
            coming,
            [
                alt.Tooltip("label:N", title="Day"),
                alt.Tooltip("said:N", title=f"{title} expected"),
                alt.Tooltip("between:N", title="80% likely"),
            ],
        ),
    ]
    chart = alt.layer(*layers).properties(width="container", height="container")
    result: dict[str, Any] = chart.to_dict()
    del result["config"]
    return result


def _pointed_at(days: Any, tooltip: list[Any]) -> Any:
    """Return what is seen nowhere and answers the pointer over the whole height of a day."""
    unseen = days.mark_bar(aria=False, opacity=0, width={"band": 1})
    return unseen.encode(y=alt.value(0), y2=alt.value("height"), tooltip=tooltip)
