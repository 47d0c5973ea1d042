"""The kinds of figures that pages show: where each is read from, and how it is written."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from portal import numbers
from portal.numbers import Number
from usage.queries.rollups import Group
from usage.queries.totals import Totals

RATE_PLACES: Final = 4
NOTHING: Final = Group(0)
"""What adds up where nothing happened."""


def together(groups: Iterable[Group]) -> Group:
    """Return what groups come to together."""
    total = Group(0)
    for group in groups:
        for name, value in group.sums.items():
            total.sums[name] = total.sums.get(name, 0) + value
        for name, amount in group.meters.items():
            total.meters[name] = total.meters.get(name, Decimal(0)) + amount
    return total


@dataclass(frozen=True, slots=True)
class Writer:
    """How values of a kind are written, in little room and in full."""

    short: Callable[[Any], str]
    exact: Callable[[Any], str]


def _as_the_api(value: Number) -> Decimal:
    return Decimal(str(round(float(value), RATE_PLACES)))


COUNT: Final = Writer(numbers.short, numbers.exact)
MONEY: Final = Writer(numbers.short_money, numbers.exact_money)
RATE: Final = Writer(
    lambda value: numbers.short(_as_the_api(value)), lambda value: numbers.exact(_as_the_api(value))
)


@dataclass(frozen=True, slots=True)
class Kind:
    """A figure that can be shown: how it is called, read from totals and from a day, and written."""

    name: str
    label: str
    of: Callable[[Totals], Number]
    of_day: Callable[[Group], Number]
    writer: Writer = COUNT
    meaning: str = ""
    is_main: bool = False

    @property
    def is_money(self) -> bool:
        """Whether its values are amounts in nanos."""
        return self.writer is MONEY

    def drawn(self, group: Group) -> float:
        """Return a day's value as a chart draws it."""
        return float(Decimal(self.of_day(group)).scaleb(-9 if self.is_money else 0))


def _sum(name: str) -> Callable[[Group], Number]:
    return lambda group: group.sums.get(name, 0)


def _meter(name: str) -> Callable[[Group], Number]:
    return lambda group: group.meters.get(name, Decimal(0))


def _rate(number: Callable[[Totals], int]) -> Callable[[Totals], Number]:
    return lambda sums: number(sums) / sums.minutes if sums.minutes else Decimal(0)


REQUESTS: Final = Kind("requests", "Requests", lambda sums: sums.requests, _sum("requests"), is_main=True)
TOKENS: Final = Kind("tokens", "Tokens", lambda sums: sums.total_tokens, _sum("total_tokens"), is_main=True)
COST: Final = Kind(
    "cost", "Cost", lambda sums: sums.cost_nanos, _sum("cost_nanos"), writer=MONEY, is_main=True
)
KINDS: Final = (
    REQUESTS,
    TOKENS,
    COST,
    Kind("quota", "Quota used", lambda sums: sums.meter("quota"), _meter("quota")),
    Kind("credits", "Credits used", lambda sums: sums.meter("credits"), _meter("credits")),
    Kind(
        "rpm", "Average RPM", _rate(lambda sums: sums.requests), _sum("requests"), RATE, "requests per minute"
    ),
    Kind(
        "tpm",
        "Average TPM",
        _rate(lambda sums: sums.total_tokens),
        _sum("total_tokens"),
        RATE,
        "tokens per minute",
    ),
)
