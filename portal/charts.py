"""Charts as Vega-Lite specifications. Their colours and sizes are the page's, or whoever draws them."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any, Final

import altair as alt

SHAPES: Final = ("bars", "area")
_ROWS: Final = "days"
# Billions are B here, where the format's own prefixes say G.
_COUNTS: Final = "replace(format(datum.value, '~s'), 'G', 'B')"


@dataclass(frozen=True, slots=True)
class Day:
    """A day's value: what is drawn, and what is read.

    ``day`` is a local date in ISO 8601; ``partial`` marks the day that isn't over.
    """

    day: str
    label: str
    value: float
    exact: str
    partial: bool


def daily(days: Iterable[Day], *, shape: str, title: str) -> dict[str, Any]:
    """Return the specification of a daily chart, with its data.

    ``title`` names the values where one is pointed at.
    """
    specification = copy.deepcopy(_skeleton(shape, title))
    specification["datasets"] = {_ROWS: [asdict(one) for one in days]}
    return specification


@cache
def _skeleton(shape: str, title: str) -> dict[str, Any]:
    chart = alt.Chart(alt.NamedData(_ROWS), width="container", height="container")
    drawn = _bars(chart) if shape == "bars" else _area(chart)
    encoded = drawn.encode(
        x=alt.X(
            "day:T",
            # The dates are the organization's own days: the reader's zone has no part in them.
            timeUnit=alt.TimeUnitParams(unit="yearmonthdate", utc=True),
            axis=alt.Axis(format="%-d %b", title=None, grid=False, labelOverlap=True, tickCount=8),
        ),
        y=alt.Y("value:Q", axis=alt.Axis(title=None, labelExpr=_COUNTS, tickCount=4), stack=None),
        tooltip=[alt.Tooltip("label:N", title="Day"), alt.Tooltip("exact:N", title=title)],
    )
    result: dict[str, Any] = encoded.to_dict()
    # Its sizes for charts of fixed width; the page has its own.
    del result["config"]
    return result


def _bars(chart: Any) -> Any:
    faded = alt.condition("datum.partial", alt.value(0.5), alt.value(1))
    return chart.mark_bar(aria=False).encode(opacity=faded)


def _area(chart: Any) -> Any:
    return chart.mark_area(aria=False, line=True, interpolate="monotone")
