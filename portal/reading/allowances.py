"""What the Credits page shows: how the organization stands, and its grants."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Final

from billing.ledger import queries
from billing.ledger.queries import GrantState, Standing
from billing.models import Allowance, Grant
from core.periods import zone
from organizations.tenancy import Caller
from portal import numbers, times
from portal.tables import Cell, Column, Sorting, Table, sortable, turned_in_order

To = Callable[..., str]

_TONES: Final = {GrantState.ACTIVE: "good", GrantState.PENDING: "warn"}
SORTS: Final = tuple(queries.ORDERS)
RISING: Final = ("use", "effective", "expires")


@dataclass(frozen=True, slots=True)
class Gauge:
    """How the organization stands with one allowance; ``facts`` are names and figures."""

    label: str
    remaining: str
    share: str
    said: str
    facts: list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Credits:
    """The page."""

    gauges: list[Gauge]
    grants: Table


def read(caller: Caller, now: datetime, sort: Sorting, here: To) -> Credits:
    """Return the standings, and a page of grants.

    Tenancy: call in the tenant's scope.
    """
    standings = queries.standings(caller.organization_id, now)
    found = turned_in_order(partial(queries.grants, caller.organization_id, allowance=None), sort, here)
    columns = [
        Column("Grant"),
        Column("Status"),
        Column("Remaining", is_number=True),
        sortable("Granted", "amount", sort, here, meaning="sorted within each allowance"),
        sortable(
            "Priority", "use", sort, here, rising=True, is_number=True, meaning="the lowest is used first"
        ),
        sortable("Effective", "effective", sort, here, rising=True),
        sortable("Expires", "expires", sort, here, rising=True),
    ]
    return Credits(
        gauges=[
            _gauge(Allowance(name).label, standings[name]) for name in Allowance.values if name in standings
        ],
        grants=Table(
            id="grants",
            caption="In the order they are used" if sort.by == "use" and not sort.descending else "Grants",
            columns=columns,
            rows=[_row(held, caller, now) for held in found.rows],
            empty="No grants yet. Your Headroom operator grants credits and quota.",
            pages=found.pages,
            file="grants",
            stacks=True,
        ),
    )


def _gauge(label: str, standing: Standing) -> Gauge:
    left = max(standing.remaining, Decimal(0))
    share = left * 100 / standing.granted if standing.granted else Decimal(0)
    named = {
        "Granted to date": standing.granted,
        "Used": standing.consumed,
        "Used beyond grants": standing.uncovered + standing.overage,
        "Expired": standing.expired,
        "Revoked": standing.revoked,
    }
    return Gauge(
        label=label,
        remaining=numbers.exact(standing.remaining),
        share=f"{share:.1f}",
        said=f"{share:.0f}% remaining",
        facts=[(name, numbers.exact(value)) for name, value in named.items()],
    )


def _row(held: Grant, caller: Caller, now: datetime) -> list[Cell]:
    tz = zone(caller.timezone)
    state = queries.state_of(held, now)
    left = numbers.exact(queries.remaining_of(held, now))
    return [
        Cell(held.reason, note=Allowance(held.allowance).label),
        Cell(str(state.label), tone=_TONES.get(state, "plain")),
        Cell(left, is_number=True),
        Cell(numbers.exact(held.amount), is_number=True),
        Cell(str(held.priority), is_number=True),
        Cell(times.minute(held.effective_at, tz)),
        Cell("Never" if held.expires_at is None else times.minute(held.expires_at, tz)),
    ]
