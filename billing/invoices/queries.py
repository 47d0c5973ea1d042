"""Reads of invoices."""

from dataclasses import dataclass

from django.db.models import F, QuerySet

from billing.models import Invoice, InvoiceLine
from billing.models.invoices import DRAFT
from core.problems import not_found


@dataclass(frozen=True, slots=True)
class Document:
    """An invoice with its lines, in their order."""

    invoice: Invoice
    lines: tuple[InvoiceLine, ...]


def invoices(
    organization_id: int, *, state: str | None, kind: str | None, limit: int, offset: int
) -> tuple[list[Invoice], int]:
    """Return a page of invoices, newest first, drafts before what is issued, and how many there are.

    Tenancy: call in the tenant's scope.
    """
    found = _all(organization_id)
    if state is not None:
        found = found.filter(state=state)
    if kind is not None:
        found = found.filter(kind=kind)
    ordered = found.order_by(F("issued_at").desc(nulls_first=True), "-period_start", "-pk")
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


def _all(organization_id: int) -> QuerySet[Invoice]:
    return Invoice.objects.filter(organization_id=organization_id).select_related("credits", "credit_note")
