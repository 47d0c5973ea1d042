"""The chart of an e-mail, drawn from the figures that its event keeps."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import altair as alt
import structlog
import vl_convert

from core.periods import zone

WIDTH: Final = 520
HEIGHT: Final = 160
_INK: Final = "#4b5563"
_LINE: Final = "#2563eb"
_LIMIT: Final = "#b91c1c"

log: Final = structlog.get_logger(__name__)


def draw(chart: Mapping[str, Any]) -> bytes | None:
    """Return the chart as PNG; None when it can't be drawn, since the words are worth sending without it.

    Shape: ``points`` are pairs of a moment and an amount as text, ``threshold`` an amount or nothing,
    ``timezone`` the zone whose hours are written.
    """
    try:
        drawn: bytes = vl_convert.vegalite_to_png(specification(chart), scale=2)
    except (ValueError, KeyError, TypeError) as error:
        log.warning("a chart can't be drawn", error=type(error).__name__)
        return None
    return drawn


def specification(chart: Mapping[str, Any]) -> dict[str, Any]:
    """Return the chart's Vega-Lite specification."""
    local = zone(chart.get("timezone", "UTC"))
    rows = [
        {
            "at": datetime.fromisoformat(moment).astimezone(local).replace(tzinfo=None).isoformat(),
            "value": float(amount),
        }
        for moment, amount in chart["points"]
    ]
    base = alt.Chart(alt.InlineData(values=rows))
    line = base.mark_area(line={"color": _LINE}, color=_LINE, opacity=0.15).encode(
        x=alt.X("at:T", axis=alt.Axis(title=None, grid=False, labelColor=_INK, labelOverlap=True)),
        y=alt.Y("value:Q", axis=alt.Axis(title=chart.get("unit") or None, labelColor=_INK, tickCount=4)),
    )
    layers = [line]
    if chart.get("threshold") is not None:
        limit = alt.Chart(alt.InlineData(values=[{"value": float(chart["threshold"])}]))
        layers.append(limit.mark_rule(color=_LIMIT, strokeDash=[4, 3]).encode(y="value:Q"))
    whole = alt.layer(*layers).properties(width=WIDTH, height=HEIGHT, background="white")
    described: dict[str, Any] = whole.to_dict()
    return described
