"""What the use over time is seen by: requests, tokens, cost, errors, latency, quota or credits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from organizations.tenancy import Caller
from portal import measures
from portal.measures import Measure


@dataclass(frozen=True, slots=True)
class View:
    """A way to see the use: what is drawn, and what is compared, averaged and told by hour.

    One that ``is_rare`` is offered where there is any use of its kind.
    """

    label: str
    whole: Measure
    drawn: tuple[Measure, ...]
    is_rare: bool = False

    @classmethod
    def of(cls, label: str, measure: Measure, *, is_rare: bool = False) -> View:
        """Return the view that draws what it is about."""
        return cls(label, measure, (measure,), is_rare)


VIEWS: Final = {
    "requests": View.of("Requests", measures.REQUESTS),
    "tokens": View("Tokens", measures.TOKENS, (measures.PROMPT, measures.COMPLETION)),
    "cost": View.of("Cost", measures.COST),
    "errors": View.of("Errors", measures.ERRORS),
    "latency": View.of("Latency", measures.LATENCY),
    "quota": View.of("Quota", measures.QUOTA, is_rare=True),
    "credits": View.of("Credits", measures.CREDITS, is_rare=True),
}
MAIN: Final = (measures.REQUESTS, measures.TOKENS, measures.COST)


def columns_of(columns: tuple[Measure, ...], whole: Measure) -> tuple[Measure, ...]:
    """Return what a table tells in a view: what it always does, and what the view is about."""
    return columns if whole in columns else (*columns, whole)


def headed(measure: Measure, caller: Caller) -> str:
    """Return what stands above a column, with its currency."""
    return f"{measure.label}, {caller.currency}" if measure.is_money else measure.label
