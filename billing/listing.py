"""Pages of decisions and of the ledger, and the cursors between them."""

from typing import Any

from billing.ledger.queries import movements
from billing.models import Decision, LedgerTransaction
from billing.queries.limits import decisions
from core.paging import CursorPage, encode_cursor, fingerprint, invalid_cursor


def decision_page(
    organization_id: int, page: CursorPage, *, credential_id: int | None, kind: str | None
) -> tuple[list[Decision], str | None]:
    """Return a page of decisions, and the cursor of the next one if there is one.

    Raises: `Problem` 400 for a cursor that other pages gave out.
    Tenancy: call in the tenant's scope.
    """
    tied_to = fingerprint(
        {"decisions": organization_id, "of": credential_id, "kind": kind, "order": page.order}
    )
    found = decisions(
        organization_id,
        credential_id=credential_id,
        kind=kind,
        take=page.take + 1,
        descending=page.descending,
        after=_number(page.position(tied_to)),
    )
    shown = found[: page.take]
    cursor = encode_cursor([shown[-1].pk], tied_to) if len(found) > page.take else None
    return shown, cursor


def movement_page(
    organization_id: int, page: CursorPage, *, allowance: str | None
) -> tuple[list[LedgerTransaction], str | None]:
    """Return a page of the ledger's transactions, and the cursor of the next one if there is one.

    Raises: `Problem` 400 for a cursor that other pages gave out.
    Tenancy: call in the tenant's scope.
    """
    tied_to = fingerprint({"ledger": organization_id, "allowance": allowance, "order": page.order})
    found = movements(
        organization_id,
        allowance=allowance,
        take=page.take + 1,
        descending=page.descending,
        after=_number(page.position(tied_to)),
    )
    shown = list(found[: page.take])
    cursor = encode_cursor([shown[-1].pk], tied_to) if len(found) > page.take else None
    return shown, cursor


def _number(position: list[Any] | None) -> int | None:
    match position:
        case None:
            return None
        case [int(last)]:
            return last
    raise invalid_cursor()
