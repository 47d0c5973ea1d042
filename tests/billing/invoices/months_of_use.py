"""Months of use to be invoiced."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from billing.invoices import services
from billing.invoices.queries import Document, document
from billing.models import Invoice
from billing.rating import Rate
from core import clock
from core.money import NANOS
from core.periods import Period
from organizations.tenancy import tenant_scope
from tests.billing.pricing import price
from tests.usage.factories import Tenant, at, record

JUNE: Final = Period(datetime(2026, 5, 31, 22, tzinfo=UTC), datetime(2026, 6, 30, 22, tzinfo=UTC))
"""June in Berlin; tests that stop the clock stand in July."""
JULY: Final = Period(JUNE.end, datetime(2026, 7, 31, 22, tzinfo=UTC))
IN_JUNE: Final = datetime(2026, 6, 10, 12, tzinfo=UTC)
MILLION: Final = 1_000_000


def list_price(**terms: Any) -> int:
    """Put gpt-4o into the list: for a million tokens, 3 euros a prompt, 0.3 cached, 15 a completion."""
    terms.setdefault("currency", "EUR")
    terms.setdefault(
        "rates",
        (
            Rate("prompt", 3 * NANOS, MILLION),
            Rate("cachedPrompt", 3 * NANOS // 10, MILLION),
            Rate("completion", 15 * NANOS, MILLION),
        ),
    )
    return price(**terms).pk


def call(record_id: str | None = None, moment: datetime = IN_JUNE, **fields: Any) -> dict[str, Any]:
    """Return a record of gpt-4o in June: 1000 prompt tokens, 400 of them cached, 100 completion tokens."""
    usual = {"provider": "openai", "model": "gpt-4o", "timestamp": at(moment)}
    tokens = {"prompt": 1000, "cachedPrompt": 400, "completion": 100}
    return record(record_id, **{**usual, "tokens": tokens, **fields})


def month_before(now: datetime) -> datetime:
    """Return a moment in the month before this one."""
    return now.replace(day=1) - timedelta(days=2)


def issue(tenant: Tenant, now: datetime | None = None) -> Document:
    """Draft what is due and issue the newest draft."""
    services.draft_due(now or clock.now())
    with tenant_scope(tenant.id):
        draft = Invoice.objects.filter(state="draft", organization_id=tenant.id).latest("period_start")
    issued = services.issue(organization_id=tenant.id, invoice_id=draft.pk)
    return read(tenant, issued.reference)


def read(tenant: Tenant, reference: str) -> Document:
    """Return an invoice with its lines."""
    with tenant_scope(tenant.id):
        return document(tenant.id, reference)


def amounts(found: Document) -> dict[str, tuple[Any, int]]:
    """Return quantity and cost of each line, by model and meter."""
    return {f"{one.model}:{one.meter}": (one.quantity, one.cost_nanos) for one in found.lines}
