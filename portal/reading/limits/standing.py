"""How spend limits stand: what was spent, is held and is left, and when that changes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from django.urls import reverse

from billing.models import Enforcement, LimitState, Window
from billing.queries.limits import Standing, standings
from billing.queries.pressing import is_close
from core.moments import format_moment
from core.periods import local_date, zone
from organizations.models import Credential
from organizations.roles import Scope
from organizations.tenancy import Caller
from portal import numbers, times
from portal.limit_forms import ORGANIZATION_WIDE
from portal.reading.facts import Fact
from portal.tables import Pages, turned

SHOWN: Final = 12
"""How many limits a page shows."""
FULL: Final = 100
WINDOWS: Final = {Window.ROLLING: "Rolling 7 days", Window.WEEK: "Calendar week"}

To = Callable[..., str]


@dataclass(frozen=True, slots=True)
class Tick:
    """A share of the limit that is warned at, and where it stands on the meter."""

    share: int
    place: str


@dataclass(frozen=True, slots=True)
class Meter:
    """How full a limit is, in hundredths of the meter's length."""

    spent: str
    reserved: str
    ticks: list[Tick]
    tone: str
    said: str


@dataclass(frozen=True, slots=True)
class LimitPanel:
    """A limit as it stands; ``client_id`` is empty for the organization's."""

    client_id: str
    name: str
    state: str
    tone: str
    headline: str
    exact: str
    meter: Meter
    facts: list[Fact]
    records: str
    change: str
    api: str


@dataclass(frozen=True, slots=True)
class LimitsPage:
    """The limits, the organization's first."""

    panels: list[LimitPanel]
    pages: Pages | None


def read(caller: Caller, now: datetime, number: int, to: To, here: To) -> LimitsPage:
    """Read a page of limits.

    Tenancy: call in the tenant's scope.
    """
    found = turned(
        lambda offset: standings(
            caller.organization_id, timezone=caller.timezone, now=now, limit=SHOWN, offset=offset
        ),
        number,
        here,
        size=SHOWN,
    )
    names = dict(Credential.objects.values_list("client_id", "name"))
    return LimitsPage(
        panels=[_panel(one, names, caller, now, to) for one in found.rows],
        pages=found.pages,
    )


def money(nanos: int, caller: Caller) -> str:
    """Write an amount with its currency."""
    return f"{numbers.exact_money(nanos)} {caller.currency}"


def _panel(found: Standing, names: Mapping[str, str], caller: Caller, now: datetime, to: To) -> LimitPanel:
    client_id = found.client_id or ""
    mine = {"clientId": client_id} if client_id else {}
    state, tone = _state(found)
    query = f"?clientId={client_id}" if client_id else ""
    return LimitPanel(
        client_id=client_id,
        name=names.get(client_id, client_id) or ORGANIZATION_WIDE,
        state=state,
        tone=tone,
        headline=f"{numbers.short_money(found.spent_nanos)} of {numbers.short_money(found.limit_nanos)} "
        f"{caller.currency} spent",
        exact=f"{money(found.spent_nanos, caller)} of {money(found.limit_nanos, caller)}",
        meter=_meter(found, caller),
        facts=_facts(found, caller, now, to),
        records=records_of(found, caller, now, to),
        change=to("limit-set", **mine) if Scope.BILLING_WRITE in caller.scopes else "",
        api=f"{reverse('spend-limit')}{query}",
    )


def _state(found: Standing) -> tuple[str, str]:
    if found.state == LimitState.PAUSED:
        return "Paused", "bad"
    if found.spent_nanos >= found.limit_nanos:
        return "Exceeded", "bad"
    reached = [share for share in found.warn_at if found.spent_nanos * FULL >= share * found.limit_nanos]
    if reached:
        return f"Above {reached[-1]}%", "warn" if is_close(reached[-1], found.warn_at) else ""
    return "Within limit", "good"


def _meter(found: Standing, caller: Caller) -> Meter:
    whole = max(found.limit_nanos, found.spent_nanos + found.reserved_nanos)
    spent, reserved = (Decimal(part) * FULL / whole for part in (found.spent_nanos, found.reserved_nanos))
    length = Decimal(found.limit_nanos) / whole
    _, tone = _state(found)
    return Meter(
        spent=f"{spent:.2f}",
        reserved=f"{reserved:.2f}",
        ticks=[Tick(share, f"{share * length:.2f}") for share in found.warn_at],
        tone=tone,
        said=f"Spent {money(found.spent_nanos, caller)} of {money(found.limit_nanos, caller)}, "
        f"reserved {money(found.reserved_nanos, caller)}, left {money(found.remaining_nanos, caller)}",
    )


def _facts(found: Standing, caller: Caller, now: datetime, to: To) -> list[Fact]:
    tz = zone(caller.timezone)
    share = Decimal(found.spent_nanos) * FULL / found.limit_nanos
    return [
        _amount("Limit", found.limit_nanos, caller, WINDOWS[found.window]),
        _amount("Spent", found.spent_nanos, caller, f"{share:.1f}%", records_of(found, caller, now, to)),
        _amount("Reserved", found.reserved_nanos, caller, "for requests in progress"),
        _amount("Left", found.remaining_nanos, caller),
        Fact("Period start", times.minute(found.period.start, tz)),
        *_ends(found, caller),
        _rate(found, caller),
        Fact("Warns at", ", ".join(f"{share}%" for share in found.warn_at) or "Never"),
        Fact(
            "When reached",
            "Requests are refused" if found.enforcement == Enforcement.PAUSE else "Warn only",
        ),
    ]


def _amount(label: str, nanos: int, caller: Caller, note: str = "", url: str = "") -> Fact:
    short = f"{numbers.short_money(nanos)} {caller.currency}"
    exact = money(nanos, caller)
    return Fact(label, short, note, url, exact="" if exact == short else exact)


def _ends(found: Standing, caller: Caller) -> list[Fact]:
    tz = zone(caller.timezone)
    facts = []
    if found.paused_at is not None:
        facts.append(Fact("Paused since", times.minute(found.paused_at, tz)))
    label = "Resumes" if found.state == LimitState.PAUSED else "Resets"
    if found.resets_at is None:
        return [*facts, Fact(label, "Nothing spent in this period")]
    if found.state == LimitState.PAUSED:
        said = "if nothing more is spent"
    elif found.window == Window.WEEK:
        said = "when the week ends"
    else:
        said = "as the oldest spending leaves the 7 days"
    return [*facts, Fact(label, times.minute(found.resets_at, tz), said)]


def _rate(found: Standing, caller: Caller) -> Fact:
    tz, pausing = zone(caller.timezone), found.pausing
    label = "Forecast"
    if found.enforcement != Enforcement.PAUSE:
        return Fact(label, "Never pauses")
    if found.state == LimitState.PAUSED:
        return Fact(label, "Paused now")
    if pausing.at is None:
        end = "this week" if found.window == Window.WEEK else "in the next 7 days"
        sooner = pausing.earliest
        note = "" if sooner is None else f"at the highest rate {times.minute(sooner, tz)}"
        return Fact(label, f"Not reached {end}", note)
    latest = "possibly not at all" if pausing.latest is None else times.minute(pausing.latest, tz)
    earliest = "" if pausing.earliest is None else f"{times.minute(pausing.earliest, tz)} at the earliest, "
    later = f"{latest} at the latest" if pausing.latest is not None else latest
    return Fact(label, f"Pauses {times.minute(pausing.at, tz)}", f"{earliest}{later}")


def records_of(found: Standing, caller: Caller, now: datetime, to: To) -> str:
    """Return where the records are that a limit adds up."""
    tz = zone(caller.timezone)
    mine = {"clientId": found.client_id} if found.client_id else {}
    last = local_date(max(found.period.end - timedelta(microseconds=1), now), tz)
    days = {"from_": local_date(found.period.start, tz).isoformat(), "to": last.isoformat()}
    since = {"since": format_moment(found.period.start)}
    return to("logs", range="custom", **days, **mine, **since)
