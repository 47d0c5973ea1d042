"""What moved in the ledger of credits and quota, a page at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

from django.http import QueryDict
from django.urls import reverse

from billing.listing import movement_page
from billing.models import Account, Allowance, Grant, LedgerTransaction, Movement
from core.moments import format_moment
from core.paging import CursorPage
from core.periods import Period, zone
from organizations.tenancy import Caller
from portal import numbers, times, windows
from portal.tables import Cell, Column, Table
from portal.timeline import Timeline, of_api

TAKEN: Final = 25
BEYOND: Final = "Beyond grants"
_HELD: Final = (Account.AVAILABLE, Account.UNCOVERED, Account.OVERAGE)
_TONES: Final = {Movement.GRANT: "good", Movement.EXPIRY: "warn", Movement.REVOCATION: "warn"}

To = Callable[..., str]


@dataclass(frozen=True, slots=True)
class Ledger:
    """A page of transactions; ``following`` is the cursor to go on from, if there are more."""

    table: Table
    following: str | None
    api: str


def read(caller: Caller, line: Timeline, to: To) -> Ledger:
    """Return a page of transactions; a use leads to the records that it is made of.

    Raises: `Problem` 400 for a cursor that isn't one.
    Tenancy: call in the tenant's scope.
    """
    page = line.page(TAKEN)
    found, following = movement_page(caller.organization_id, page, allowance=None)
    wanted = {posting.account.grant_id for one in found for posting in one.postings.all()}
    grants = Grant.objects.in_bulk([pk for pk in wanted if pk is not None])
    table = Table(
        "transactions",
        line.said,
        [
            line.column(),
            Column("Event"),
            Column("Allowance"),
            Column("Amount", is_number=True, meaning="what was added to or taken from what is left"),
            Column("Grants"),
        ],
        [_row(one, grants, caller, to) for one in found],
        "No transactions yet. Each grant and each use of it will be listed here.",
        file="credit-transactions",
        stacks=True,
    )
    return Ledger(table, following, _api(page))


def _api(page: CursorPage) -> str:
    query = QueryDict(mutable=True)
    query.update(of_api(page))
    return f"{reverse('credit-transactions')}?{query.urlencode()}"


def _row(found: LedgerTransaction, grants: Mapping[int, Grant], caller: Caller, to: To) -> list[Cell]:
    kind, postings = Movement(found.kind), found.postings.all()
    held = [posting for posting in postings if posting.account.kind in _HELD]
    moved = sum((posting.amount for posting in held), Decimal(0))
    names = [BEYOND if one.account.grant_id is None else grants[one.account.grant_id].reason for one in held]
    return [
        Cell(times.second(found.posted_at, zone(caller.timezone)), value=format_moment(found.posted_at)),
        Cell(str(kind.label), value=kind.value, tone=_TONES.get(kind, "plain")),
        Cell(str(Allowance(found.allowance).label), value=found.allowance),
        Cell(
            _signed(moved),
            value=f"{moved.normalize():f}",
            url=_records(found, zone(caller.timezone), to),
            is_number=True,
        ),
        Cell(", ".join(dict.fromkeys(names))),
    ]


def _records(found: LedgerTransaction, tz: ZoneInfo, to: To) -> str:
    """Return where the records of a use are; empty for what is made of none."""
    if found.used_from is None or found.used_to is None or found.stored_at is None:
        return ""
    window = Period(found.used_from, found.used_to)
    return windows.records(to, window, tz, createdAt=format_moment(found.stored_at))


def _signed(amount: Decimal) -> str:
    sign = "+" if amount > 0 else "−" if amount < 0 else ""
    return f"{sign}{numbers.exact(abs(amount))}"
