"""What the use over time is seen by: requests, tokens, cost, errors or latency."""

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
}
VIEW_NAMES: Final = {
    "requests": "Requests",
    "tokens": "Tokens",
    "cost": "Cost",
    "errors": "Errors",
    "latency": "Latency",
}
WHOLE: Final = {
    "requests": measures.REQUESTS,
    "tokens": measures.TOKENS,
    "cost": measures.COST,
    "errors": measures.ERRORS,
    "latency": measures.LATENCY,
}
"""What each view is about: what is compared, averaged and told by hour."""
MAIN: Final = (measures.REQUESTS, measures.TOKENS, measures.COST)


def headed(measure: Measure, caller: Caller) -> str:
    """Return what stands above a column, with its currency."""
    return f"{measure.label}, {caller.currency}" if measure.is_money else measure.label
