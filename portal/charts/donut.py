"""Shares of a whole as a ring."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any, Final

import altair as alt

_ROWS: Final = "slices"


@dataclass(frozen=True, slots=True)
class Slice:
    """A share: its name, its size, and both in words; ``url`` is where a click leads."""

    name: str
    value: float
    exact: str
    share: str
    url: str = ""


def donut(slices: Sequence[Slice], *, title: str) -> dict[str, Any]:
    """Return the specification of a ring, in the order given; ``title`` names the values."""
    specification = copy.deepcopy(_skeleton(tuple(one.name for one in slices), title))
    rows = [{**asdict(one), "place": place} for place, one in enumerate(slices)]
    specification["datasets"] = {_ROWS: rows}
    return specification


@cache
def _skeleton(names: tuple[str, ...], title: str) -> dict[str, Any]:
    legend = alt.Legend(title=None, orient="right", symbolType="square", labelLimit=150)
    chart = (
        alt.Chart(alt.NamedData(_ROWS))
        .mark_arc(aria=False, innerRadius={"expr": "min(width, height) / 3.6"}, padAngle=0.01)
        .encode(
            theta=alt.Theta("value:Q", stack=True),
            order=alt.Order("place:Q"),
            color=alt.Color("name:N", scale=alt.Scale(domain=list(names)), legend=legend),
            tooltip=[
                alt.Tooltip("name:N", title="Model"),
                alt.Tooltip("exact:N", title=title),
                alt.Tooltip("share:N", title="Share"),
            ],
            href="url:N",
        )
        .properties(width="container", height="container")
    )
    result: dict[str, Any] = chart.to_dict()
    del result["config"]
    return result
