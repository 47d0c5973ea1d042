"""The charts of e-mails, drawn from the figures that an event or a report keeps."""

from collections.abc import Callable, Mapping
from datetime import date, datetime
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
_BEFORE: Final = "#f97316"
_REPORT_WIDTH: Final = 400
_REPORT_HEIGHT: Final = 180
_FONT: Final = 13
"""Large enough to be read on a telephone, where the picture is half as wide."""
_WEEK: Final = 7

log: Final = structlog.get_logger(__name__)


def draw(chart: Mapping[str, Any]) -> bytes | None:
    """Return the chart as PNG; None when it can't be drawn, since the words are worth sending without it.

    Shape: ``points`` are pairs of a moment and an amount as text, ``threshold`` an amount or nothing,
    ``timezone`` the zone whose hours are written.
    """
    return _drawn(specification, chart)


def draw_report(data: Mapping[str, Any]) -> bytes | None:
    """Return the chart of a report's days as PNG; None when it can't be drawn."""
    return _drawn(report_specification, data)


def _drawn(
    described: Callable[[Mapping[str, Any]], dict[str, Any]], figures: Mapping[str, Any]
) -> bytes | None:
    try:
        drawn: bytes = vl_convert.vegalite_to_png(described(figures), scale=2)
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


def report_specification(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the Vega-Lite specification of a report's days, with those of the period before as marks.

    Shape: ``data`` is that of a report's message.
    """
    by = data["movers"]["by"]
    days, before = data["daily"], data["dailyBefore"]
    is_week = len(days) <= _WEEK
    labels = [_label(date.fromisoformat(one["date"]), is_week=is_week) for one in days]
    now, then = ("This week", "The week before") if is_week else ("This month", "The month before")
    rows = [
        {"day": label, "value": float(one[by]), "of": now} for label, one in zip(labels, days, strict=True)
    ]
    # Of a longer month, the days that this one has not are left out.
    marks = [
        {"day": label, "value": float(one[by]), "of": then}
        for label, one in zip(labels, before, strict=False)
    ]
    legend = alt.Legend(title=None, orient="top", labelColor=_INK, symbolType="square") if marks else None
    scale = alt.Scale(domain=[now, then] if marks else [now], range=[_LINE, _BEFORE])
    axes = {
        "x": alt.X(
            "day:O",
            sort=labels,
            axis=alt.Axis(title=None, grid=False, labelColor=_INK, labelOverlap=True, labelAngle=0),
        ),
        "y": alt.Y(
            "value:Q",
            axis=alt.Axis(
                title=data["currency"] if by == "cost" else "requests",
                titleColor=_INK,
                labelColor=_INK,
                tickCount=4,
                format="~s" if by != "cost" else ",.3~r",
            ),
        ),
        "color": alt.Color("of:N", scale=scale, legend=legend),
    }
    bars = alt.Chart(alt.InlineData(values=rows)).mark_bar(cornerRadiusEnd=2).encode(**axes)
    ticks = alt.Chart(alt.InlineData(values=marks)).mark_tick(thickness=3, opacity=1).encode(**axes)
    whole = alt.layer(*([bars, ticks] if marks else [bars]))
    sized = whole.properties(width=_REPORT_WIDTH, height=_REPORT_HEIGHT, background="white", padding=8)
    described: dict[str, Any] = sized.configure(
        axis=alt.AxisConfig(labelFontSize=_FONT, titleFontSize=_FONT),
        legend=alt.LegendConfig(labelFontSize=_FONT, symbolOpacity=1),
    ).to_dict()
    return described


def _label(day: date, *, is_week: bool) -> str:
    return f"{day:%a} {day.day}" if is_week else str(day.day)
