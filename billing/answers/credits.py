"""How grants and the ledger are written."""

from datetime import datetime
from typing import Any

from billing.ledger.queries import Standing, remaining_of, state_of
from billing.models import Grant, LedgerTransaction
from core.moments import format_moment
from usage.quantities import number


def standing(found: Standing | None) -> dict[str, Any] | None:
    """Write how an organization stands with an allowance; None where nothing was ever granted."""
    if found is None:
        return None
    return {
        "granted": number(found.granted),
        "consumed": number(found.consumed),
        "uncovered": number(found.uncovered),
        "overage": number(found.overage),
        "expired": number(found.expired),
        "revoked": number(found.revoked),
        "remaining": number(found.remaining),
    }


def grant(held: Grant, now: datetime) -> dict[str, Any]:
    """Write a grant."""
    return {
        "id": held.pk,
        "allowance": held.allowance,
        "state": state_of(held, now).value,
        "amount": number(held.amount),
        "remaining": number(remaining_of(held, now)),
        "priority": held.priority,
        "effectiveAt": format_moment(held.effective_at),
        "expiresAt": _moment(held.expires_at),
        "revokedAt": _moment(held.revoked_at),
        "reason": held.reason,
        "createdAt": format_moment(held.created_at),
    }


def movement(found: LedgerTransaction) -> dict[str, Any]:
    """Write a transaction of the ledger."""
    return {
        "id": found.pk,
        "allowance": found.allowance,
        "kind": found.kind,
        "postedAt": format_moment(found.posted_at),
        "records": _records(found),
        "postings": [
            {
                "account": posting.account.kind,
                "grantId": posting.account.grant_id,
                "amount": number(posting.amount),
            }
            for posting in found.postings.all()
        ],
    }


def _records(found: LedgerTransaction) -> dict[str, str] | None:
    if found.used_from is None or found.used_to is None or found.stored_at is None:
        return None
    return {
        "from": format_moment(found.used_from),
        "to": format_moment(found.used_to),
        "createdAt": format_moment(found.stored_at),
    }


def _moment(value: datetime | None) -> str | None:
    return None if value is None else format_moment(value)
