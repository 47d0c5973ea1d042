"""Reads of the ledger: how an organization stands, its grants, and what moved."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from django.db import connection
from django.db.models import F, Q, QuerySet, TextChoices

from billing.models import Grant, LedgerTransaction
from organizations.models import Plan
from usage.allowances import Allowance

_ZERO: Final = Decimal(0)


class GrantState(TextChoices):
    """What a grant can be at a moment."""

    PENDING = "pending"
    ACTIVE = "active"
    USED = "used"
    EXPIRED = "expired"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class Standing:
    """How an organization stands with an allowance; grants that begin later count for nothing yet.

    ``granted`` = ``consumed`` − ``uncovered`` − ``overage`` + ``expired`` + ``revoked`` + ``available``.
    """

    granted: Decimal
    consumed: Decimal
    uncovered: Decimal
    overage: Decimal
    expired: Decimal
    revoked: Decimal
    available: Decimal

    @property
    def remaining(self) -> Decimal:
        """What is left: below zero only by what the plan let be used beyond the grants."""
        return self.available - self.overage


# A grant that has expired is so at once, whenever that is posted.
_STANDINGS: Final = """
SELECT allowance,
       -sum(balance) FILTER (WHERE kind = 'granted') - coalesce(sum(amount) FILTER (WHERE pending), 0),
       sum(balance) FILTER (WHERE kind = 'consumed'),
       -sum(balance) FILTER (WHERE kind = 'uncovered'),
       -sum(balance) FILTER (WHERE kind = 'overage'),
       sum(balance) FILTER (WHERE kind = 'expired' OR lapsed),
       sum(balance) FILTER (WHERE kind = 'revoked')
           - coalesce(sum(amount) FILTER (WHERE pending AND revoked_at IS NOT NULL), 0),
       coalesce(sum(balance) FILTER (WHERE kind = 'available' AND NOT pending AND NOT lapsed), 0)
FROM (
    SELECT account.allowance, account.kind, account.balance, held.amount, held.revoked_at,
           coalesce(held.effective_at > %(now)s, false) AS pending,
           coalesce(held.expires_at <= %(now)s, false) AS lapsed
    FROM billing_ledgeraccount AS account LEFT JOIN billing_grant AS held ON held.id = account.grant_id
    WHERE account.organization_id = %(organization)s
) AS accounts
GROUP BY allowance
"""


def standings(organization_id: int, now: datetime) -> dict[str, Standing]:
    """Return how the organization stands, by allowance; one that was never granted is absent.

    Tenancy: call in the tenant's scope.
    """
    with connection.cursor() as cursor:
        cursor.execute(_STANDINGS, {"organization": organization_id, "now": now})
        return {allowance: Standing(*figures) for allowance, *figures in cursor.fetchall()}


@dataclass(frozen=True, slots=True)
class UsedShare:
    """How much of the grants that are in force has been used, and what was used beyond them."""

    used: Decimal
    granted: Decimal


_USED: Final = """
SELECT account.organization_id, account.allowance,
       coalesce(sum(held.amount - account.balance) FILTER (WHERE in_force), 0)
           - coalesce(sum(account.balance) FILTER (WHERE account.kind = 'overage'), 0),
       coalesce(sum(held.amount) FILTER (WHERE in_force), 0)
FROM billing_ledgeraccount AS account LEFT JOIN billing_grant AS held ON held.id = account.grant_id
CROSS JOIN LATERAL (
    SELECT held.revoked_at IS NULL AND held.effective_at <= %(now)s
        AND (held.expires_at IS NULL OR held.expires_at > %(now)s) AS in_force
) AS standing
WHERE account.organization_id = ANY(%(organizations)s) AND account.kind IN ('available', 'overage')
GROUP BY 1, 2
"""


def used_shares(organizations: Collection[int], now: datetime) -> dict[tuple[int, str], UsedShare]:
    """Return how much of what is granted now was used, by organization and allowance.

    Tenancy: call in the system's scope, or in that of the only tenant.
    """
    with connection.cursor() as cursor:
        cursor.execute(_USED, {"organizations": list(organizations), "now": now})
        return {(key, allowance): UsedShare(*figures) for key, allowance, *figures in cursor.fetchall()}


def left(organization_id: int, now: datetime) -> Mapping[str, Allowance]:
    """Return what was granted and what remains, by allowance, as the totals of usage show it.

    Tenancy: call in the tenant's scope.
    """
    return {
        name: Allowance(granted=standing.granted, remaining=standing.remaining)
        for name, standing in standings(organization_id, now).items()
    }


def overage_allowed(organization_id: int) -> bool:
    """Tell whether the organization's plan lets more be used than was granted.

    Tenancy: call in the tenant's scope.
    """
    return Plan.objects.filter(organizations=organization_id, overage=True).exists()


ORDERS: Final[Mapping[str, tuple[str, ...]]] = {
    "use": ("allowance", "priority", "expires_at"),
    "amount": ("allowance", "amount"),
    "effective": ("effective_at",),
    "expires": ("expires_at",),
}
"""What grants can be ordered by; ``use`` is how they are burnt down."""


def grants(
    organization_id: int,
    *,
    allowance: str | None,
    limit: int,
    offset: int,
    order: str = "use",
    descending: bool = False,
) -> tuple[list[Grant], int]:
    """Return a page of grants in one of `ORDERS`, and how many there are; never to expire is the latest.

    Tenancy: call in the tenant's scope.
    """
    found = Grant.objects.filter(organization_id=organization_id)
    if allowance is not None:
        found = found.filter(allowance=allowance)
    fields = [F(name) for name in (*ORDERS[order], "pk")]
    ordered = found.select_related("account").order_by(
        *(one.desc(nulls_first=True) if descending else one.asc(nulls_last=True) for one in fields)
    )
    return list(ordered[offset : offset + limit]), found.count()


def state_of(held: Grant, now: datetime) -> GrantState:
    """Return what a grant is at a moment."""
    if held.revoked_at is not None:
        return GrantState.REVOKED
    if held.effective_at > now:
        return GrantState.PENDING
    if not held.account.balance and not _lapsed(held, now):
        return GrantState.USED
    return GrantState.EXPIRED if _lapsed(held, now) else GrantState.ACTIVE


def remaining_of(held: Grant, now: datetime) -> Decimal:
    """Return what can still be used of a grant, now or once it begins."""
    return _ZERO if _lapsed(held, now) else held.account.balance


def movements(
    organization_id: int, *, allowance: str | None, take: int, descending: bool, after: int | None
) -> Sequence[LedgerTransaction]:
    """Return a page of the ledger's transactions with their postings.

    Tenancy: call in the tenant's scope.
    """
    found: QuerySet[LedgerTransaction] = LedgerTransaction.objects.filter(organization_id=organization_id)
    if allowance is not None:
        found = found.filter(allowance=allowance)
    if after is not None:
        found = found.filter(Q(pk__lt=after) if descending else Q(pk__gt=after))
    ordered = found.prefetch_related("postings__account").order_by("-pk" if descending else "pk")
    return list(ordered[:take])


def _lapsed(held: Grant, now: datetime) -> bool:
    return held.expires_at is not None and held.expires_at <= now
