"""Reads of invoices."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from django.db.models import F, QuerySet
from django.db.models.expressions import OrderBy

from billing.models import Invoice, InvoiceLine
from billing.models.invoices import DRAFT
from core.problems import not_found

ORDERS: Final[Mapping[str, tuple[str, ...]]] = {
    "issued": ("issued_at", "period_start"),
    "period": ("period_start",),
    "due": ("due_at",),
    "total": ("currency", "total_minor"),
}
"""What invoices can be ordered by; amounts are compared with those of their own currency."""


@dataclass(frozen=True, slots=True)
class Document:
    """An invoice with its lines, in their order."""

    invoice: Invoice
    lines: tuple[InvoiceLine, ...]


def invoices(
    organization_id: int,
    *,
    state: str | None,
    kind: str | None,
    limit: int,
    offset: int,
    order: str = "issued",
    descending: bool = True,
) -> tuple[list[Invoice], int]:
    """Return a page of invoices in one of `ORDERS`, and how many there are; drafts are the newest.

    Tenancy: call in the tenant's scope.
    """
    found = _all(organization_id)
    if state is not None:
        found = found.filter(state=state)
    if kind is not None:
        found = found.filter(kind=kind)
    ordered = found.order_by(*(_by(name, descending) for name in (*ORDERS[order], "pk")))
    return list(ordered[offset : offset + limit]), found.count()


def document(organization_id: int, reference: str) -> Document:
    """Return an invoice by its number, or a draft by its name.

    Raises: `Problem` 404.
    Tenancy: call in the tenant's scope.
    """
    found = _all(organization_id)
    if reference.startswith(DRAFT):
        drafts = found.filter(number=None)
        invoice = next((one for one in drafts if one.reference == reference), None)
    else:
        invoice = found.filter(number=reference).first()
    if invoice is None:
        raise not_found(f"There is no invoice {reference[:80]!r} in this organization.")
    return Document(invoice, tuple(invoice.lines.order_by("position")))


def _by(name: str, descending: bool) -> OrderBy:
    # What was not issued yet comes after all that was.
    field = F(name)
    return field.desc(nulls_first=True) if descending else field.asc(nulls_last=True)


def _all(organization_id: int) -> QuerySet[Invoice]:
    return Invoice.objects.filter(organization_id=organization_id).select_related("credits", "credit_note")
