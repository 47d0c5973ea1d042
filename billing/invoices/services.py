"""Drafting, issuing and crediting invoices: each one transaction, in a snapshot of its organization."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Final

import structlog
from django.conf import settings
from django.db import IntegrityError, OperationalError
from django.db.models import Max

from billing.invoices.calculation import Calculated, calculate, standing
from billing.invoices.months import due
from billing.models import Invoice, InvoiceKind, InvoiceLine, InvoiceState
from core import clock
from core.currencies import minor_places
from core.money import to_minor
from core.periods import Period, local_date, zone
from core.problems import Problem, conflict, not_found
from organizations import queries as organizations
from organizations.models import Organization
from organizations.tenancy import Actor, system_scope, tenant_scope

LINES_AT_ONCE: Final = 1000
CALCULATED: Final = (
    "lines_nanos", "total_minor", "unpriced_records", "recipient", "issuer", "calculated_at",
)  # fmt: skip
ISSUED: Final = ("state", "number", "year", "sequence", "issued_at", "due_at")
_SERIALIZATION: Final = "40001"

log: Final = structlog.get_logger(__name__)


def draft_due(now: datetime) -> int:
    """Draft the months that are over, for every organization whose plan has invoices; return how many."""
    with system_scope():
        entitled = list(Organization.objects.filter(plan__invoices=True).order_by("pk"))
    return sum(draft_months(organization, now) for organization in entitled)


def issue_due(now: datetime) -> int:
    """Issue the drafts whose grace is over, and return how many."""
    with system_scope():
        ready = Invoice.objects.filter(
            state=InvoiceState.DRAFT,
            kind=InvoiceKind.INVOICE,
            period_end__lte=now - settings.INVOICE_GRACE,
        )
        drafts = list(ready.order_by("period_start", "pk").values_list("organization_id", "pk"))
    issued = 0
    for organization_id, invoice_id in drafts:
        try:
            issue(organization_id=organization_id, invoice_id=invoice_id)
        except Problem as problem:
            log.warning("invoice was not issued", invoice=invoice_id, reason=problem.detail)
        else:
            issued += 1
    return issued


def redraft(*, organization_id: int, invoice_id: int, actor: Actor | None = None) -> Invoice:
    """Draft the month of a credited invoice again.

    Raises: `Problem` 404, or 409 when the month has an invoice that was not credited.
    """
    with _changing(organization_id, actor):
        credited = _invoice(organization_id, invoice_id)
        period = Period(credited.period_start, credited.period_end)
        return _draft(organizations.organization(organization_id), period, clock.now())


def recalculate(*, organization_id: int, invoice_id: int, actor: Actor | None = None) -> Invoice:
    """Bring a draft up to date with the records.

    Raises: `Problem` 404, or 409 for what is no draft.
    """
    with _changing(organization_id, actor):
        invoice = _draft_of(organization_id, invoice_id)
        _fill(invoice, organizations.organization(organization_id), clock.now())
        invoice.save(update_fields=CALCULATED)
    return invoice


def issue(*, organization_id: int, invoice_id: int, actor: Actor | None = None) -> Invoice:
    """Bring a draft up to date for the last time, and number it.

    Raises: `Problem` 404, or 409 for what is no draft.
    Concurrency: of two who issue at once one is refused, and nothing of what it did remains.
    """
    now = clock.now()
    with _changing(organization_id, actor):
        invoice = _draft_of(organization_id, invoice_id)
        organization = organizations.organization(organization_id)
        _fill(invoice, organization, now)
        _issue(invoice, organization, now, due_at=now + settings.INVOICE_DUE)
    return invoice


def credit(*, organization_id: int, invoice_id: int, reason: str, actor: Actor | None = None) -> Invoice:
    """Take an issued invoice back as a whole, by a credit note; its month can be drafted again then.

    Raises: `Problem` 404, or 409 for what was not issued, or is credited.
    """
    now = clock.now()
    with _changing(organization_id, actor):
        credited = _invoice(organization_id, invoice_id)
        if not standing(organization_id).filter(pk=credited.pk).exists():
            raise conflict("Only an invoice that was issued and not credited can be credited.")
        note = Invoice.objects.create(
            organization_id=organization_id,
            kind=InvoiceKind.CREDIT_NOTE,
            period_start=credited.period_start,
            period_end=credited.period_end,
            timezone=credited.timezone,
            edition=credited.edition,
            currency=credited.currency,
            minor_places=credited.minor_places,
            lines_nanos=-credited.lines_nanos,
            total_minor=-credited.total_minor,
            issuer=credited.issuer,
            recipient=credited.recipient,
            credits=credited,
            reason=reason,
            created_at=now,
            calculated_at=now,
        )
        _reverse(credited, note)
        _issue(note, organizations.organization(organization_id), now, due_at=None)
    return note


def discard(*, organization_id: int, invoice_id: int, actor: Actor | None = None) -> None:
    """Remove a draft.

    Raises: `Problem` 404, or 409 for what is no draft.
    """
    with _changing(organization_id, actor):
        invoice = _draft_of(organization_id, invoice_id)
        invoice.lines.all().delete()
        invoice.delete()


@contextmanager
def _changing(organization_id: int, actor: Actor | None) -> Iterator[None]:
    """Open a snapshot to write from, and refuse when somebody else has written meanwhile."""
    try:
        with tenant_scope(organization_id, actor=actor, snapshot=True):
            yield
    except (IntegrityError, OperationalError) as error:
        if isinstance(error, OperationalError) and getattr(error.__cause__, "sqlstate", "") != _SERIALIZATION:
            raise
        raise conflict("The organization's invoices were changed at the same time: try again.") from error


def draft_months(organization: Organization, now: datetime) -> int:
    """Draft the organization's months that are over and not invoiced, and return how many."""
    drafted = 0
    tz = zone(organization.timezone)
    for period in due(now, tz, _ended(organization.pk)):
        try:
            with _changing(organization.pk, None):
                _draft(organizations.organization(organization.pk), period, now)
        except Problem as problem:
            log.warning("invoice was not drafted", organization=organization.slug, reason=problem.detail)
            break
        drafted += 1
    return drafted


def _ended(organization_id: int) -> datetime | None:
    with tenant_scope(organization_id):
        invoices = Invoice.objects.filter(organization_id=organization_id, kind=InvoiceKind.INVOICE)
        ended: datetime | None = invoices.aggregate(ended=Max("period_end"))["ended"]
    return ended


def _draft(organization: Organization, period: Period, now: datetime) -> Invoice:
    same = Invoice.objects.filter(
        organization=organization, kind=InvoiceKind.INVOICE, period_start=period.start
    )
    if same.filter(credit_note=None).exists():
        raise conflict("This month has an invoice: credit it before there can be another.")
    invoice = Invoice.objects.create(
        organization=organization,
        period_start=period.start,
        period_end=period.end,
        timezone=organization.timezone,
        edition=(same.aggregate(last=Max("edition"))["last"] or 0) + 1,
        currency=organization.currency,
        minor_places=minor_places(organization.currency),
        issuer=list(settings.INVOICE_ISSUER),
        recipient=organization.name,
        created_at=now,
    )
    _fill(invoice, organization, now)
    invoice.save(update_fields=CALCULATED)
    return invoice


def _fill(invoice: Invoice, organization: Organization, now: datetime) -> None:
    """Replace the lines by what the records now say; the caller saves the invoice."""
    found = calculate(organization, Period(invoice.period_start, invoice.period_end), now)
    invoice.lines.all().delete()
    InvoiceLine.objects.bulk_create(_lines(invoice, found), batch_size=LINES_AT_ONCE)
    invoice.lines_nanos = found.lines_nanos
    invoice.total_minor = to_minor(found.lines_nanos, invoice.minor_places)
    invoice.unpriced_records = found.unpriced_records
    invoice.recipient = organization.name
    invoice.issuer = list(settings.INVOICE_ISSUER)
    invoice.calculated_at = now


def _lines(invoice: Invoice, found: Calculated) -> Iterator[InvoiceLine]:
    position = 0
    for month in found.months:
        for item, quantity, cost_nanos in month.parts:
            position += 1
            yield InvoiceLine(
                organization_id=invoice.organization_id,
                invoice=invoice,
                position=position,
                period_start=month.period.start,
                period_end=month.period.end,
                quantity=quantity,
                cost_nanos=cost_nanos,
                **item._asdict(),
            )


def _reverse(credited: Invoice, note: Invoice) -> None:
    reversed_ = []
    for line in credited.lines.order_by("position"):
        line.pk = None
        line.invoice = note
        line.quantity, line.cost_nanos = -line.quantity, -line.cost_nanos
        reversed_.append(line)
    InvoiceLine.objects.bulk_create(reversed_, batch_size=LINES_AT_ONCE)


def _issue(invoice: Invoice, organization: Organization, now: datetime, *, due_at: datetime | None) -> None:
    year = local_date(now, zone(invoice.timezone)).year
    last = Invoice.objects.filter(organization=organization, year=year).aggregate(last=Max("sequence"))[
        "last"
    ]
    invoice.year, invoice.sequence = year, (last or 0) + 1
    invoice.number = f"{organization.slug.upper()}-{year}-{invoice.sequence:04d}"
    invoice.state = InvoiceState.ISSUED
    invoice.issued_at, invoice.due_at = now, due_at
    invoice.save(update_fields=(*CALCULATED, *ISSUED))


def _invoice(organization_id: int, invoice_id: int) -> Invoice:
    found = Invoice.objects.filter(organization_id=organization_id, pk=invoice_id).first()
    if found is None:
        raise not_found("There is no such invoice.")
    return found


def _draft_of(organization_id: int, invoice_id: int) -> Invoice:
    invoice = _invoice(organization_id, invoice_id)
    if invoice.state != InvoiceState.DRAFT:
        raise conflict("This invoice has been issued: it can be credited, and drafted again.")
    return invoice
