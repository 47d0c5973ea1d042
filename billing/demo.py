"""The demo's money: what was granted, limits, one of them nearly reached, and past invoices."""

from datetime import timedelta
from decimal import Decimal
from typing import Final

from django.db import transaction

from billing.invoices import services as invoices
from billing.ledger.services import grant
from billing.models import Allowance, Enforcement, Grant, Invoice, InvoiceState, SpendLimit
from billing.queries.spending import spent_since
from billing.services.limits import Terms, set_limit
from core import clock
from core.money import NANOS
from core.periods import billing_period
from organizations.models import Organization
from organizations.tenancy import tenant_scope
from usage.demo.cast import DOCUMENTS, STAGING
from usage.demo.load import Demo
from usage.imports.importer import importing

_WEEK: Final = timedelta(days=7)
_DAY: Final = timedelta(days=1)
_NEARLY: Final = Decimal("0.88")
"""Which share of the limit the last week has spent: past the warning at 80%, short of the next."""

_ISSUED_AFTER: Final = timedelta(days=2, hours=6)


def grant_allowances(demo: Demo) -> None:
    """Grant what the demo's records burn down; nothing when it was granted before."""
    organization_id, calendar = demo.organization.pk, demo.calendar
    with tenant_scope(organization_id):
        if Grant.objects.filter(organization_id=organization_id).exists():
            return
    for allowance, amount in ((Allowance.CREDITS, 320_000), (Allowance.QUOTA, 160_000_000)):
        grant(
            organization_id=organization_id,
            allowance=allowance,
            amount=Decimal(amount),
            reason="Annual contract",
            effective_at=calendar.start,
            expires_at=calendar.now + 275 * _DAY,
        )
    grant(
        organization_id=organization_id,
        allowance=Allowance.CREDITS,
        amount=Decimal(25_000),
        reason="Goodwill for the outage",
        priority=10,
        effective_at=calendar.incident.end + _DAY,
        expires_at=calendar.now + 45 * _DAY,
    )


def set_limits(demo: Demo) -> None:
    """Set a limit that the last week nearly reached, and two for keys, one of which only warns."""
    organization, calendar = demo.organization, demo.calendar
    if not organization.plan.spend_limit:
        return
    caller = importing(organization)
    with tenant_scope(organization.pk), transaction.atomic():
        if SpendLimit.objects.filter(organization_id=organization.pk).exists():
            return
        spent = spent_since(organization, None, calendar.now - _WEEK, calendar.now)
        set_limit(caller=caller, credential_id=None, terms=Terms(_whole_units(spent / _NEARLY)))
        for member, share, enforcement in (
            (DOCUMENTS, Decimal("0.62"), Enforcement.PAUSE),
            (STAGING, Decimal("0.31"), Enforcement.WARN),
        ):
            credential_id = demo.credentials[member.name].pk
            spent = spent_since(organization, credential_id, calendar.now - _WEEK, calendar.now)
            terms = Terms(_whole_units(spent / share), enforcement=enforcement)
            set_limit(caller=caller, credential_id=credential_id, terms=terms)


def invoice_past_months(demo: Demo) -> None:
    """Issue the invoices of the months that are over, each when it would have been."""
    organization, calendar = demo.organization, demo.calendar
    if not organization.plan.invoices:
        return
    moment = billing_period(calendar.start, calendar.tz).end
    while moment <= calendar.now:
        with clock.standing_at(moment + _ISSUED_AFTER):
            _invoice(organization)
        moment = billing_period(moment, calendar.tz).end


def _invoice(organization: Organization) -> None:
    invoices.draft_months(organization, clock.now())
    with tenant_scope(organization.pk):
        drafts = Invoice.objects.filter(organization_id=organization.pk, state=InvoiceState.DRAFT)
        due = list(drafts.order_by("period_start").values_list("pk", flat=True))
    for invoice_id in due:
        invoices.issue(organization_id=organization.pk, invoice_id=invoice_id)


def _whole_units(nanos: Decimal) -> int:
    """Return an amount as whole units of the currency, one at least."""
    return max(1, round(nanos / NANOS)) * NANOS
