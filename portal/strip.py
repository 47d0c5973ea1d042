"""The strip above every page: access is paused, or spending is close to a limit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from billing.queries.pressing import Pressing, pressing
from core.periods import zone
from organizations.roles import Scope
from organizations.tenancy import Caller
from portal import numbers, times

To = Callable[..., str]


@dataclass(frozen=True, slots=True)
class Strip:
    """What is said; ``tone`` is bad, warn or nothing, ``url`` leads to the limits for who may see them."""

    tone: str
    said: str
    detail: str
    url: str


def strip(caller: Caller, now: datetime, to: To) -> Strip | None:
    """Return what there is to say of the organization's limits, the gravest first; None for nothing.

    Who may not see costs is told of pauses alone, without amounts.
    Tenancy: call in the tenant's scope.
    """
    sees_costs = Scope.BILLING_READ in caller.scopes
    found = pressing(caller.organization_id, timezone=caller.timezone, now=now)
    told = [one for one in found if sees_costs or one.is_paused]
    if not told:
        return None
    # Of equally grave ones the first is the organization's own, then the fullest.
    first = max(told, key=lambda one: (one.is_paused, one.is_close))
    return Strip(
        tone=_tone(first),
        said=_said(first, caller, sees_costs=sees_costs),
        detail=_detail(first, len(told) - 1, caller),
        url=to("limits") if sees_costs else "",
    )


def _tone(found: Pressing) -> str:
    if found.is_paused:
        return "bad"
    return "warn" if found.is_close else ""


def _said(found: Pressing, caller: Caller, *, sees_costs: bool) -> str:
    if found.is_paused:
        return "Access is paused." if found.client_id is None else f"The key {found.name} is paused."
    whose = "" if found.client_id is None else f" for the key {found.name}"
    amounts = f"{numbers.short_money(found.spent_nanos)} of {numbers.short_money(found.limit_nanos)}"
    share = found.spent_nanos * 100 // found.limit_nanos
    return f"{share}% of the spend limit{whose} used: {amounts} {caller.currency}."


def _detail(first: Pressing, more: int, caller: Caller) -> str:
    parts = []
    if first.resets_at is not None:
        tz = zone(caller.timezone)
        when = f"{times.minute(first.resets_at, tz)} ({times.zone_label(tz, first.resets_at)})"
        if first.is_paused:
            parts.append(
                f"The spend limit has been reached. Requests resume on {when} if nothing more is spent."
            )
        else:
            parts.append(f"{_ahead(first)} It resets on {when}.")
    else:
        parts.append(_ahead(first))
    if more:
        parts.append(f"{more} more {'limit needs' if more == 1 else 'limits need'} attention.")
    return " ".join(part for part in parts if part)


def _ahead(found: Pressing) -> str:
    if found.is_paused:
        return "The spend limit has been reached. Requests are refused."
    return (
        "Requests are refused once it is reached."
        if found.pauses
        else "It only warns; no request is refused."
    )
