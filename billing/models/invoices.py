"""Invoices and their lines."""

from datetime import date, timedelta
from typing import Final

from django.db import models
from django.db.models import F, Q

from core import clock
from core.periods import local_date, zone
from organizations.models import Organization

DRAFT: Final = "draft-"


class InvoiceKind(models.TextChoices):
    """What a document is."""

    INVOICE = "invoice", "Invoice"
    CREDIT_NOTE = "creditNote", "Credit note"


class InvoiceState(models.TextChoices):
    """Whether a document still changes."""

    DRAFT = "draft", "Draft"
    ISSUED = "issued", "Issued"


class Basis(models.TextChoices):
    """Why a line costs what it costs.

    ``rated``: by a rate of a price. ``reported``: the client said so. ``whole``: by a price, but not divided
    among its rates.
    """

    RATED = "rated", "Rated"
    REPORTED = "reported", "Reported"
    WHOLE = "whole", "Rated as a whole"


class Invoice(models.Model):
    """A month's charges, or a credit note that takes an invoice back. Immutable once issued, by trigger.

    ``lines_nanos`` is the exact sum of the lines, ``total_minor`` what is to be paid: that sum, rounded once.
    ``number`` is without gaps in an organization's year.
    Units: ``total_minor`` in units of 10 to the power of minus ``minor_places``; the period is half-open.
    Tenancy: row-level security shows only the tenant's.
    """

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+")
    kind = models.CharField(max_length=10, choices=InvoiceKind.choices, default=InvoiceKind.INVOICE)
    state = models.CharField(max_length=6, choices=InvoiceState.choices, default=InvoiceState.DRAFT)
    number = models.CharField(max_length=80, unique=True, null=True)
    year = models.PositiveSmallIntegerField(null=True)
    sequence = models.PositiveIntegerField(null=True)
    period_start = models.DateTimeField()
    period_end = models.DateTimeField()
    timezone = models.CharField(max_length=64)
    edition = models.PositiveSmallIntegerField(
        default=1, help_text="Counts the invoices of a period, of which one at most is not credited."
    )
    currency = models.CharField(max_length=3)
    minor_places = models.PositiveSmallIntegerField()
    lines_nanos = models.BigIntegerField(default=0)
    total_minor = models.BigIntegerField(default=0)
    unpriced_records = models.BigIntegerField(default=0)
    issuer = models.JSONField()
    recipient = models.CharField(max_length=200)
    credits = models.OneToOneField("self", models.PROTECT, null=True, related_name="credit_note")
    reason = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(default=clock.now)
    calculated_at = models.DateTimeField(default=clock.now)
    issued_at = models.DateTimeField(null=True)
    due_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("organization", "-period_start", "-id")
        constraints = (
            models.UniqueConstraint(
                fields=["organization", "period_start", "edition"],
                condition=Q(kind="invoice"),
                name="invoice_edition_once",
            ),
            models.UniqueConstraint(
                fields=["organization", "year", "sequence"], name="invoice_sequence_once"
            ),
            models.CheckConstraint(condition=Q(kind__in=InvoiceKind.values), name="invoice_kind_known"),
            models.CheckConstraint(condition=Q(state__in=InvoiceState.values), name="invoice_state_known"),
            models.CheckConstraint(
                condition=Q(period_end__gt=F("period_start")), name="invoice_period_ordered"
            ),
            models.CheckConstraint(
                condition=Q(state="draft", number=None, year=None, sequence=None, issued_at=None, due_at=None)
                | Q(
                    state="issued",
                    number__isnull=False,
                    year__isnull=False,
                    sequence__isnull=False,
                    issued_at__isnull=False,
                ),
                name="invoice_issued_is_numbered",
            ),
            models.CheckConstraint(
                condition=Q(kind="creditNote", credits__isnull=False) | Q(kind="invoice", credits=None),
                name="invoice_credit_note_credits",
            ),
        )

    def __str__(self) -> str:
        return self.reference

    @property
    def reference(self) -> str:
        """What names the document: its number, or for a draft the first day of its period."""
        return self.number or f"{DRAFT}{self.first_day.isoformat()}"

    @property
    def first_day(self) -> date:
        """The first local day of the period."""
        return local_date(self.period_start, zone(self.timezone))

    @property
    def last_day(self) -> date:
        """The last local day of the period."""
        return local_date(self.period_end - timedelta(microseconds=1), zone(self.timezone))


class InvoiceLine(models.Model):
    """What one rate, or one report, came to in a month. Immutable once its invoice is issued, by trigger.

    ``period_start`` and ``period_end`` are those of the use: an earlier month's on a line that makes up for
    what an earlier invoice did not have yet.
    Units: ``rate_nanos`` nanos for ``per`` units, before the discount; ``cost_nanos`` after it.
    Tenancy: row-level security shows only the tenant's.
    """

    organization = models.ForeignKey(Organization, models.PROTECT, db_index=False, related_name="+")
    invoice = models.ForeignKey(Invoice, models.PROTECT, db_index=False, related_name="lines")
    position = models.PositiveIntegerField()
    period_start = models.DateTimeField()
    period_end = models.DateTimeField()
    basis = models.CharField(max_length=8, choices=Basis.choices)
    provider = models.CharField(max_length=200, blank=True)
    model = models.CharField(max_length=200, blank=True)
    tier = models.CharField(max_length=8, blank=True)
    meter = models.CharField(max_length=200)
    above = models.BigIntegerField(default=0)
    price_id = models.BigIntegerField(null=True)
    discount_bp = models.PositiveSmallIntegerField(default=0)
    rate_nanos = models.BigIntegerField(null=True)
    per = models.BigIntegerField(null=True)
    quantity = models.DecimalField(max_digits=38, decimal_places=9)
    cost_nanos = models.BigIntegerField()

    class Meta:
        ordering = ("invoice", "position")
        indexes = (models.Index(fields=["organization", "period_start"], name="invoice_line_month"),)
        constraints = (
            models.UniqueConstraint(fields=["invoice", "position"], name="invoice_line_position"),
            models.CheckConstraint(condition=Q(basis__in=Basis.values), name="invoice_line_basis"),
        )

    def __str__(self) -> str:
        return f"{self.model or 'no model'} {self.meter}"
