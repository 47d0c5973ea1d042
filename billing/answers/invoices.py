"""How invoices are written."""

from datetime import datetime
from typing import Any

from billing.invoices.queries import Document
from billing.models import Invoice, InvoiceLine
from core.moments import format_moment
from core.money import format_minor, format_money, from_minor
from core.periods import Period
from usage.answers import period
from usage.quantities import number


def summary(invoice: Invoice) -> dict[str, Any]:
    """Write an invoice without its lines."""
    credited_by = getattr(invoice, "credit_note", None)
    return {
        "reference": invoice.reference,
        "number": invoice.number,
        "kind": invoice.kind,
        "state": invoice.state,
        "period": period(Period(invoice.period_start, invoice.period_end)),
        "timezone": invoice.timezone,
        "currency": invoice.currency,
        "linesTotal": format_money(invoice.lines_nanos),
        "rounding": format_money(from_minor(invoice.total_minor, invoice.minor_places) - invoice.lines_nanos),
        "total": format_minor(invoice.total_minor, invoice.minor_places),
        "unpricedRecords": invoice.unpriced_records,
        "credits": None if invoice.credits is None else invoice.credits.number,
        "creditedBy": None if credited_by is None else credited_by.number,
        "reason": invoice.reason,
        "calculatedAt": format_moment(invoice.calculated_at),
        "issuedAt": _moment(invoice.issued_at),
        "dueAt": _moment(invoice.due_at),
    }


def document(found: Document) -> dict[str, Any]:
    """Write an invoice with its lines."""
    invoice = found.invoice
    return {
        **summary(invoice),
        "issuer": invoice.issuer,
        "recipient": invoice.recipient,
        "lines": [line(one) for one in found.lines],
    }


def line(one: InvoiceLine) -> dict[str, Any]:
    """Write a line."""
    return {
        "period": period(Period(one.period_start, one.period_end)),
        "basis": one.basis,
        "provider": one.provider or None,
        "model": one.model or None,
        "serviceTier": one.tier or None,
        "meter": one.meter,
        "above": one.above,
        "priceId": one.price_id,
        "rate": None if one.rate_nanos is None else format_money(one.rate_nanos),
        "per": one.per,
        "discountPercent": f"{one.discount_bp // 100}.{one.discount_bp % 100:02d}",
        "quantity": number(one.quantity),
        "cost": format_money(one.cost_nanos),
    }


def _moment(value: datetime | None) -> str | None:
    return None if value is None else format_moment(value)
