"""Granting, revoking and expiring: each a transaction of the ledger in its organization's scope."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Final

from django.db import connection

from billing.ledger.burning import LATE
from billing.models import (
    Account,
    Allowance,
    Grant,
    LedgerAccount,
    LedgerPosting,
    LedgerTransaction,
    Movement,
)
from billing.models.ledger import DEFAULT_PRIORITY, PLACES
from core import clock
from core.problems import conflict, invalid_field, not_found
from organizations.tenancy import system_scope, tenant_scope

SHARED: Final = tuple(kind for kind in Account if kind != Account.AVAILABLE)
_STEP: Final = Decimal(1).scaleb(-PLACES)
_MOST: Final = Decimal(10**15)
"""As much as a record can use, and far below what a column holds, so that balances have room."""


def grant(
    *,
    organization_id: int,
    allowance: str,
    amount: Decimal,
    reason: str,
    priority: int = DEFAULT_PRIORITY,
    effective_at: datetime | None = None,
    expires_at: datetime | None = None,
    granted_by_id: int | None = None,
) -> Grant:
    """Give the organization an amount to use, from now or from ``effective_at`` on.

    Raises: `Problem` 422 for an amount or a time that won't do.
    """
    now = clock.now()
    starts = effective_at or now
    check_terms(amount, starts, expires_at)
    with tenant_scope(organization_id):
        made = Grant.objects.create(
            organization_id=organization_id,
            allowance=Allowance(allowance),
            amount=amount,
            priority=priority,
            effective_at=starts,
            expires_at=expires_at,
            reason=reason,
            granted_by_id=granted_by_id,
            created_at=now,
        )
        shared = _open_ledger(made)
        available = LedgerAccount.objects.create(
            organization_id=organization_id, allowance=made.allowance, kind=Account.AVAILABLE, grant=made
        )
        _post(made, Movement.GRANT, {available: amount, shared[Account.GRANTED]: -amount}, now)
    return made


def check_terms(amount: Decimal, effective_at: datetime, expires_at: datetime | None) -> None:
    """Go on only with an amount that the ledger can hold, and a time that is not over.

    Raises: `Problem` 422.
    """
    check_end(effective_at, expires_at)
    check_amount(amount)


def check_end(effective_at: datetime, expires_at: datetime | None) -> None:
    """Go on only with a time that is not over.

    Raises: `Problem` 422.
    """
    if expires_at is not None and expires_at <= max(effective_at, clock.now()):
        raise invalid_field(
            "/expiresAt", "invalid_window", "A grant expires after it begins, and later than now."
        )


def check_amount(amount: Decimal) -> None:
    """Go on only with an amount that the ledger can hold.

    Raises: `Problem` 422.
    """
    if not amount.is_finite() or not 0 < amount <= _MOST or amount != amount.quantize(_STEP):
        raise invalid_field(
            "/amount",
            "invalid",
            f"An amount is more than 0, at most {_MOST:f}, with at most {PLACES} decimal places.",
        )


def revoke_grant(*, organization_id: int, grant_id: int) -> Grant:
    """Take back what is left of a grant.

    Raises: `Problem` 404, or 409 when it was revoked before.
    """
    now = clock.now()
    with tenant_scope(organization_id):
        found = Grant.objects.filter(organization_id=organization_id, pk=grant_id).first()
        if found is None:
            raise not_found("There is no such grant.")
        _lock(found)
        if not Grant.objects.filter(pk=grant_id, revoked_at=None).update(revoked_at=now):
            raise conflict("This grant has been revoked before.")
        found.revoked_at = now
        _close(found, Movement.REVOCATION, Account.REVOKED, now)
    return found


def expire_due(now: datetime) -> int:
    """Post what is left of grants that expired as expired, and return how many that were.

    Uses that arrive late are waited for; until then the grant counts as expired all the same.
    """
    with system_scope():
        due = list(Grant.objects.filter(expires_at__lte=now - LATE, account__balance__gt=0).order_by("pk"))
    expired = 0
    for one in due:
        with tenant_scope(one.organization_id):
            _lock(one)
            expired += _close(one, Movement.EXPIRY, Account.EXPIRED, now)
    return expired


def _lock(held: Grant) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT billing_ledger_lock(%s, %s)", [held.organization_id, held.allowance])


def _open_ledger(held: Grant) -> Mapping[str, LedgerAccount]:
    """Return the accounts that all grants of the allowance share, made with the first of them."""
    LedgerAccount.objects.bulk_create(
        [
            LedgerAccount(organization_id=held.organization_id, allowance=held.allowance, kind=kind)
            for kind in SHARED
        ],
        ignore_conflicts=True,
    )
    _lock(held)
    return _shared(held)


def _shared(held: Grant) -> Mapping[str, LedgerAccount]:
    found = LedgerAccount.objects.filter(
        organization_id=held.organization_id, allowance=held.allowance, grant=None
    )
    return {account.kind: account for account in found}


def _close(held: Grant, why: Movement, to: Account, now: datetime) -> bool:
    """Move what is left of a grant to another account; the ledger is locked. False when nothing is left."""
    account = LedgerAccount.objects.get(grant=held)
    if not account.balance:
        return False
    _post(held, why, {account: -account.balance, _shared(held)[to]: account.balance}, now)
    return True


def _post(held: Grant, why: Movement, amounts: Mapping[LedgerAccount, Decimal], now: datetime) -> None:
    movement = LedgerTransaction.objects.create(
        organization_id=held.organization_id, allowance=held.allowance, kind=why, posted_at=now
    )
    LedgerPosting.objects.bulk_create(_postings(movement, amounts.items()))


def _postings(
    movement: LedgerTransaction, amounts: Iterable[tuple[LedgerAccount, Decimal]]
) -> list[LedgerPosting]:
    return [
        LedgerPosting(
            organization_id=movement.organization_id, transaction=movement, account=account, amount=amount
        )
        for account, amount in amounts
    ]
