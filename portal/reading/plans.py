"""What the Billing page shows: the plan, what it entitles to, and what higher ones would add."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from billing.invoices.queries import invoices
from billing.ledger.queries import standings
from billing.models import Allowance
from billing.queries.costs import spans, spent
from billing.queries.prices import PriceQuery, find_prices
from core.periods import billing_period, zone
from organizations.models import Plan
from organizations.tenancy import Caller
from portal import numbers, times
from portal.reading.facts import Fact
from portal.reading.invoices import state_of, total_of
from portal.tables import Cell, Column, Table
from usage import reading
from usage.queries.totals import Subject

YES: Final = "Yes"
NO: Final = "No"

To = Callable[..., str]


@dataclass(frozen=True, slots=True)
class Entitlement:
    """Something that plans differ in, and how it is written."""

    label: str
    of: Callable[[Plan], int | None]
    write: Callable[[int | None], str]


def _flag(value: int | None) -> str:
    return YES if value else NO


def _days(value: int | None) -> str:
    return "Unlimited" if value is None else f"{numbers.exact(value)} days"


def _number(value: int | None) -> str:
    return numbers.exact(value or 0)


ENTITLEMENTS: Final = (
    Entitlement("History", lambda plan: plan.history_days, _days),
    Entitlement("Requests per minute", lambda plan: plan.requests_per_minute, _number),
    Entitlement("Gateway access", lambda plan: plan.api_access, _flag),
    Entitlement("Exports", lambda plan: plan.exports, _flag),
    Entitlement("Spend limits", lambda plan: plan.spend_limit, _flag),
    Entitlement("Invoices", lambda plan: plan.invoices, _flag),
    Entitlement("Usage beyond granted credits and quota", lambda plan: plan.overage, _flag),
)


@dataclass(frozen=True, slots=True)
class Way:
    """A page that belongs to billing, with what it says in short."""

    label: str
    said: str
    url: str


@dataclass(frozen=True, slots=True)
class BillingPage:
    """The plan, and the ways to what belongs to it."""

    plan: str
    facts: list[Fact]
    plans: Table
    ways: list[Way]
    has_higher: bool


def read(caller: Caller, now: datetime, to: To) -> BillingPage:
    """Read the page.

    Tenancy: call in the tenant's scope.
    """
    own = Plan.objects.get(slug=caller.plan.slug)
    higher = list(Plan.objects.filter(position__gt=own.position))
    return BillingPage(
        plan=own.name,
        facts=_facts(own, caller, now),
        plans=_plans(own, higher, caller),
        ways=_ways(caller, now, to),
        has_higher=bool(higher),
    )


def _facts(own: Plan, caller: Caller, now: datetime) -> list[Fact]:
    tz = zone(caller.timezone)
    since = reading.history_of(caller, now)
    per_minute = caller.plan.requests_per_minute
    begins = f"since {times.minute(since, tz)}" if own.history_days else ""
    granted = (
        "custom for your organization" if per_minute != own.requests_per_minute else "included in the plan"
    )
    return [
        Fact("History", _days(own.history_days), begins),
        Fact("Requests per minute", numbers.exact(per_minute), granted),
        *(Fact(one.label, one.write(one.of(own))) for one in ENTITLEMENTS[2:]),
        Fact("Billing period", times.days(billing_period(now, tz), tz), times.zone_label(tz, now)),
        Fact("Currency", caller.currency),
    ]


def _plans(own: Plan, higher: list[Plan], caller: Caller) -> Table:
    columns = [Column("Feature"), Column(f"{own.name} (current)"), *(Column(plan.name) for plan in higher)]
    rows = []
    for one in ENTITLEMENTS:
        mine = caller.plan.requests_per_minute if one.label == "Requests per minute" else one.of(own)
        rows.append(
            [
                Cell(one.label),
                Cell(one.write(mine)),
                *(_compared(one, one.of(plan), mine) for plan in higher),
            ]
        )
    return Table("plans", "Improvements over your plan are highlighted", columns, rows, stacks=True)


def _compared(one: Entitlement, theirs: int | None, mine: int | None) -> Cell:
    endless = float("inf")
    more = (endless if theirs is None else theirs) > (endless if mine is None else mine)
    return Cell(one.write(theirs), tone="good" if more else "", value=one.write(theirs))


def _ways(caller: Caller, now: datetime, to: To) -> list[Way]:
    organization_id, currency = caller.organization_id, caller.currency
    subject = Subject(organization_id, caller.rollup_timezone)
    windows = spans(now, zone(caller.timezone), reading.history_of(caller, now))
    period = spent(subject, windows.billing_period)
    _, prices = find_prices(PriceQuery(organization_id, currency, now, 1, 0))
    _, own = find_prices(PriceQuery(organization_id, currency, now, 1, 0, own=True))
    return [
        Way("Costs", f"{numbers.short_money(period)} {currency} this billing period", to("costs")),
        Way("Credits", _credits(organization_id, now), to("credits")),
        Way("Invoices", _invoice(organization_id), to("invoices")),
        Way(
            "Prices",
            f"{numbers.exact(prices)} in force" + (f", {numbers.exact(own)} custom" if own else ""),
            to("prices"),
        ),
    ]


def _credits(organization_id: int, now: datetime) -> str:
    found = standings(organization_id, now)
    left = [
        f"{numbers.exact(found[name].remaining)} {Allowance(name).label.lower()} left"
        for name in Allowance.values
        if name in found
    ]
    return ", ".join(left) or "No grants yet"


def _invoice(organization_id: int) -> str:
    found, total = invoices(organization_id, state=None, kind=None, limit=1, offset=0)
    if not total:
        return "No invoices yet"
    state, _ = state_of(found[0])
    return f"{found[0].number or 'Draft'}: {total_of(found[0])}, {state.lower()} ({total} total)"
