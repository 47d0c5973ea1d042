"""What the use over time is seen by: requests, tokens, cost, errors, latency, quota or credits."""

from __future__ import annotations

from typing import Final

from organizations.tenancy import Caller
from portal import measures
from portal.measures import Measure

VIEWS: Final = {
    "requests": (measures.REQUESTS,),
    "tokens": (measures.PROMPT, measures.COMPLETION),
    "cost": (measures.COST,),
    "errors": (measures.ERRORS,),
    "latency": (measures.LATENCY,),
    "quota": (measures.QUOTA,),
    "credits": (measures.CREDITS,),
}
VIEW_NAMES: Final = {
    "requests": "Requests",
    "tokens": "Tokens",
    "cost": "Cost",
    "errors": "Errors",
    "latency": "Latency",
    "quota": "Quota",
    "credits": "Credits",
}
WHOLE: Final = {
    "requests": measures.REQUESTS,
    "tokens": measures.TOKENS,
    "cost": measures.COST,
    "errors": measures.ERRORS,
    "latency": measures.LATENCY,
    "quota": measures.QUOTA,
    "credits": measures.CREDITS,
}
"""What each view is about: what is compared, averaged and told by hour."""
RARE: Final = ("quota", "credits")
"""The views that are offered where there is any use of their kind."""
MAIN: Final = (measures.REQUESTS, measures.TOKENS, measures.COST)


def columns_of(columns: tuple[Measure, ...], whole: Measure) -> tuple[Measure, ...]:
    """Return what a table tells in a view: what it always does, and what the view is about."""
    return columns if whole in columns else (*columns, whole)


def headed(measure: Measure, caller: Caller) -> str:
    """Return what stands above a column, with its currency."""
    return f"{measure.label}, {caller.currency}" if measure.is_money else measure.label
