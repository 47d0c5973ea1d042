"""How much of the spend limit is left: what is spent, when it resets, when at this rate it pauses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_FLOOR, Decimal
from typing import Final

from billing.models import Enforcement, LimitState, Window
from billing.queries.limits import Standing, standing
from core.periods import zone
from organizations.roles import Scope
from organizations.tenancy import Caller
from portal import numbers, times
from portal.reading.limits.standing import records_of
from portal.tables import Cell

WINDOWS: Final = {Window.ROLLING: "in the last 7 days", Window.WEEK: "this week"}
_WHOLE: Final = 100
_CLOSE: Final = 80


@dataclass(frozen=True, slots=True)
class Headroom:
    """How the organization's limit stands; without one, ``limit`` is None.

    ``share`` is what is spent and reserved, in hundredths of the limit, at most 100 as ``drawn``;
    ``records`` leads to those that it adds up.
    """

    limit: Cell | None = None
    spent: Cell | None = None
    records: str = ""
    left: Cell | None = None
    share: str = ""
    is_held: bool = False
    drawn: str = ""
    tone: str = ""
    window: str = ""
    state: str = ""
    forecast: str = ""
    facts: tuple[tuple[str, str], ...] = ()
    url: str = ""
    may_set: bool = False


def read(caller: Caller, now: datetime, to: Callable[..., str]) -> Headroom | None:
    """Return how the limit stands; None for those who may not know, and where none is and none may be.

    Tenancy: call in the tenant's scope.
    """
    if Scope.BILLING_READ not in caller.scopes:
        return None
    found = standing(caller.organization_id, None, timezone=caller.timezone, now=now)
    if found is None:
        may_set = Scope.BILLING_WRITE in caller.scopes
        return Headroom(url=to("limits"), may_set=may_set) if caller.plan.spend_limit else None
    return _of(found, caller, now, to)


def _of(found: Standing, caller: Caller, now: datetime, to: Callable[..., str]) -> Headroom:
    used = found.spent_nanos + found.reserved_nanos
    share = share_of(used, found.limit_nanos)
    return Headroom(
        limit=_money(found.limit_nanos, caller),
        spent=_money(found.spent_nanos, caller),
        records=records_of(found, caller, now, to),
        left=_money(found.remaining_nanos, caller),
        share=f"{share}%",
        is_held=bool(found.reserved_nanos),
        drawn=str(min(share, _WHOLE)),
        tone=tone_of(found, share),
        window=WINDOWS[found.window],
        state=_state(found, caller),
        forecast=_forecast(found, caller),
        facts=tuple(_facts(found, caller)),
        url=to("limits"),
    )


def share_of(used_nanos: int, limit_nanos: int) -> int:
    """Return how much of a limit is used, rounded down: 100 only once it is all used.

    Units: hundredths.
    """
    return int((Decimal(used_nanos) * _WHOLE / limit_nanos).to_integral_value(ROUND_FLOOR))


def tone_of(found: Standing, share: int) -> str:
    """Return how a limit's state is to be shown: good, warn or bad."""
    if found.state == LimitState.PAUSED or share >= _WHOLE:
        return "bad"
    return "warn" if share >= _CLOSE or found.pausing.at is not None else "good"


def _state(found: Standing, caller: Caller) -> str:
    if found.state == LimitState.PAUSED:
        since = "" if found.paused_at is None else f" since {_at(found.paused_at, caller)}"
        return f"Paused{since}"
    return "Within limit" if found.enforcement == Enforcement.PAUSE else "Warn only"


def _forecast(found: Standing, caller: Caller) -> str:
    """Say when the limit will pause at this rate."""
    if found.state == LimitState.PAUSED:
        return "Requests are refused until the limit resets or is raised."
    if found.enforcement != Enforcement.PAUSE:
        return "This limit only warns; it never pauses requests."
    coming = found.pausing
    if coming.at is None:
        risk = (
            ""
            if coming.earliest is None
            else f" At the highest rate it would be reached on {_at(coming.earliest, caller)}."
        )
        return f"At the current rate the limit will not be reached.{risk}"
    if coming.earliest is None:
        return f"At the current rate the limit is reached on {_at(coming.at, caller)}."
    until = "never" if coming.latest is None else _at(coming.latest, caller)
    between = f"between {_at(coming.earliest, caller)} and {until}"
    return f"At the current rate the limit is reached on {_at(coming.at, caller)} ({between})."


def _facts(found: Standing, caller: Caller) -> list[tuple[str, str]]:
    facts = [("State", _state(found, caller))]
    if found.reserved_nanos:
        facts.append(("Reserved", _written(found.reserved_nanos, caller)))
    if found.resets_at is not None:
        # An open limit over the last days has no end: what was spent leaves it bit by bit.
        slides = found.window == Window.ROLLING and found.state == LimitState.OPEN
        facts.append(("Spending drops from" if slides else "Resets", _at(found.resets_at, caller)))
    facts.append(("Warns at", ", ".join(f"{share}%" for share in found.warn_at) or "Never"))
    return facts


def _money(nanos: int, caller: Caller) -> Cell:
    exact = numbers.exact_money(nanos)
    return Cell(numbers.short_money(nanos), exact=f"{exact} {caller.currency}", value=exact.replace(",", ""))


def _written(nanos: int, caller: Caller) -> str:
    return f"{numbers.short_money(nanos)} {caller.currency}"


def _at(moment: datetime, caller: Caller) -> str:
    local = moment.astimezone(zone(caller.timezone))
    return f"{local:%a} {times.minute(moment, zone(caller.timezone))}"
