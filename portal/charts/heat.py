"""Hours of the day by days of the week, the busier the stronger."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from functools import cache
from typing import Any, Final

import altair as alt

WEEKDAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
HOURS: Final = range(24)
_ROWS: Final = "cells"


def heat(
    values: Mapping[tuple[int, int], tuple[float, str, str]], *, title: str, nothing: str = "0"
) -> dict[str, Any]:
    """Return the specification of a map of weekdays (Monday is 0) and hours to a value.

    Each value comes with its words and where a click leads; ``nothing`` are the words of an hour that is
    left out.
    """
    specification = copy.deepcopy(_skeleton(title))
    rows = []
    for weekday, name in enumerate(WEEKDAYS):
        for hour in HOURS:
            value, exact, url = values.get((weekday, hour), (0.0, nothing, ""))
            row = {"day": name, "hour": f"{hour:02}", "value": value, "exact": exact, "url": url}
            rows.append(row | {"label": f"{name} {hour:02}:00"})
    specification["datasets"] = {_ROWS: rows}
    return specification


@cache
def _skeleton(title: str) -> dict[str, Any]:
    chart = (
        alt.Chart(alt.NamedData(_ROWS))
        .mark_rect(aria=False)
        .encode(
            x=alt.X(
                "hour:O",
                axis=alt.Axis(title=None, labelAngle=0, labelOverlap=True, domain=False),
                scale=alt.Scale(paddingInner=0.08),
            ),
            y=alt.Y(
                "day:O",
                sort=list(WEEKDAYS),
                axis=alt.Axis(title=None, domain=False, grid=False),
                scale=alt.Scale(paddingInner=0.1),
            ),
            color=alt.Color("value:Q", legend=None, scale=alt.Scale(domainMin=0)),
            href="url:N",
            tooltip=[alt.Tooltip("label:N", title="Time"), alt.Tooltip("exact:N", title=title)],
        )
        .properties(width="container", height="container")
    )
    result: dict[str, Any] = chart.to_dict()
    del result["config"]
    return result
