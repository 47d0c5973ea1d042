"""Figures on cards: the value short and exact, its change, and a sparkline."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from portal import numbers, sparkline
from portal.kinds import MONEY
from portal.measures import PER_MILLION, Measure, is_unknown
from portal.numbers import Change
from usage.queries.rollups import Group


@dataclass(frozen=True, slots=True)
class Card:
    """One figure of a window; ``unit`` is the currency of an amount, ``url`` leads to what it is made of."""

    name: str
    label: str
    short: str
    exact: str
    unit: str = ""
    meaning: str = ""
    change: Change | None = None
    before: str | None = None
    spark: str = ""
    note: str = ""
    url: str = ""
    is_main: bool = False

    @property
    def plain(self) -> str:
        """The exact figure as a machine reads it."""
        return self.exact.replace(",", "")


def card(
    measure: Measure,
    now: Group,
    before: Group | None,
    series: list[Group],
    currency: str,
    **more: Any,
) -> Card:
    """Return the card of a measure; ``before`` is None where nothing can be compared with."""
    unit = currency if measure.writer in (MONEY, PER_MILLION) else ""
    return Card(
        name=measure.name.replace(".", "-"),
        label=measure.label,
        short=measure.short(now),
        exact=measure.exact(now),
        unit="" if measure.number(now) is None else unit,
        meaning=measure.meaning,
        change=None if before is None else _change(measure, now, before),
        before=None if before is None else measure.exact(before),
        spark=sparkline.path([measure.drawn(group) for group in series], from_zero=measure.metric.adds_up),
        **more,
    )


def _change(measure: Measure, now: Group, before: Group) -> Change | None:
    value, earlier = measure.number(now), measure.number(before)
    if value is None or (measure.is_money and is_unknown(before)):
        return None
    if earlier is None:
        return numbers.UNPRECEDENTED
    return numbers.change(Decimal(str(value)), Decimal(str(earlier)))
