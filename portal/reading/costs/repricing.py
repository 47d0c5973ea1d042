"""What the Costs page says of repricing: how far the one under way is, and what the last one came to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from billing.models import RepricingPart
from billing.repricings.queries import Standing, standing_of
from core.periods import zone
from organizations.tenancy import Caller
from portal import numbers, times

RECENT: Final = timedelta(days=7)
"""For so long the last one is told of, even where everything has a price by now."""

To = Callable[..., str]


@dataclass(frozen=True, slots=True)
class Repricings:
    """What is said; while one is under way, ``done`` of ``total`` requests, None until they are counted."""

    is_under_way: bool
    said: str
    done: int
    total: int | None
    last: str
    url: str


def read(caller: Caller, now: datetime, *, has_unpriced: bool, to: To) -> Repricings | None:
    """Return what is said; None when there is nothing to say.

    Tenancy: call in the tenant's scope.
    """
    standing = standing_of(caller.organization_id)
    last = _last(standing.last, caller)
    if standing.under_way is None and not (last and (has_unpriced or _is_recent(standing.last, now))):
        return None
    part = standing.part
    return Repricings(
        is_under_way=standing.under_way is not None,
        said=_said(standing, caller),
        done=0 if part is None else part.looked_at,
        total=None if part is None else max(part.records_total, part.looked_at),
        last=last,
        url=to("costs-repricing"),
    )


def _said(standing: Standing, caller: Caller) -> str:
    if standing.under_way is None:
        return ""
    part = standing.part
    if part is None or not part.looked_at:
        return "Requests without a price are about to be priced."
    total = max(part.records_total, part.looked_at)
    looked_at = f"{numbers.exact(part.looked_at)} of {_requests(total)} looked at"
    return f"{looked_at}, {numbers.exact(part.priced)} priced so far: {_cost(part, caller)}."


def _last(part: RepricingPart | None, caller: Caller) -> str:
    """Say what the last one came to; empty where there was none."""
    if part is None:
        return ""
    ended = part.finished_at or part.repricing.finished_at or part.repricing.created_at
    when = times.minute(ended, zone(caller.timezone))
    if not part.looked_at:
        return f"Last repriced {when}: there was nothing to price."
    priced = f"{_requests(part.priced)} priced, {_cost(part, caller)}"
    left = f"; {numbers.exact(part.left_records)} had no price in the price book" if part.left_records else ""
    stopped = "" if part.finished_at else ". It was stopped before the end"
    return f"Last repriced {when}: {priced}{left}{stopped}."


def _is_recent(part: RepricingPart | None, now: datetime) -> bool:
    ended = None if part is None else part.finished_at or part.repricing.finished_at
    return ended is not None and now - ended < RECENT


def _requests(count: int) -> str:
    return f"{numbers.exact(count)} request{'' if count == 1 else 's'}"


def _cost(part: RepricingPart, caller: Caller) -> str:
    return f"{numbers.exact_money(int(part.cost_nanos))} {caller.currency}"
