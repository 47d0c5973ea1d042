"""The operator's view of invoices: drafted, issued, credited, and never edited."""

from collections.abc import Callable
from functools import partial
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from billing.invoices import services
from billing.models import Invoice, InvoiceLine
from core.money import format_minor
from core.periods import local_date, zone
from core.problems import Problem
from core.written import exact, exact_money
from organizations.admin import OrganizationFilter, ReadOnlyAdmin, ReadOnlyInline
from organizations.admin.showing import EMPTY, linked, money, number
from organizations.confirming import confirmed

_CREDITED = "Credited by the operator."


class LineInline(ReadOnlyInline):
    """What an invoice comes to."""

    model = InvoiceLine
    fields = (
        "position", "used", "priced", "meter", number("quantity", "quantity"), "number_rate",
        "number_discount", "number_cost",
    )  # fmt: skip
    readonly_fields = fields
    verbose_name_plural = "lines"

    def get_queryset(self, request: HttpRequest) -> QuerySet[InvoiceLine]:
        """Return the lines with the invoice, whose currency is theirs."""
        found: QuerySet[InvoiceLine] = super().get_queryset(request).select_related("invoice")
        return found

    @admin.display(description="month")
    def used(self, line: InvoiceLine) -> str:
        """Say when it was used, in the organization's zone."""
        return f"{local_date(line.period_start, zone(line.invoice.timezone)):%b %Y}"

    @admin.display(description="model")
    def priced(self, line: InvoiceLine) -> str:
        """Say what was used."""
        named = "/".join(part for part in (line.provider, line.model) if part)
        return f"{named} ({line.tier})" if named and line.tier else named or EMPTY

    @admin.display(description="rate")
    def number_rate(self, line: InvoiceLine) -> str:
        """Say what so many units cost, before the discount."""
        if line.rate_nanos is None or line.per is None:
            return EMPTY
        beyond = f", above {exact(line.above)}" if line.above else ""
        return f"{exact_money(line.rate_nanos)} per {exact(line.per)}{beyond}"

    @admin.display(description="discount")
    def number_discount(self, line: InvoiceLine) -> str:
        """Say by how much less."""
        return f"{line.discount_bp / 100:g}%" if line.discount_bp else EMPTY

    @admin.display(description="cost")
    def number_cost(self, line: InvoiceLine) -> str:
        """Say what it costs."""
        return f"{exact_money(line.cost_nanos)} {line.invoice.currency}"


@admin.register(Invoice)
class InvoiceAdmin(ReadOnlyAdmin):
    """Invoices and credit notes."""

    list_display = (
        "reference", linked("organization"), "kind", "state", "month", "number_total", "issued_at", "due_at",
    )  # fmt: skip
    list_filter = (OrganizationFilter, "state", "kind")
    list_select_related = ("organization",)
    search_fields = ("number__exact", "organization__slug__exact")
    search_help_text = "A whole number, or an organization's slug."
    ordering = ("-id",)
    fieldsets = (
        (None, {"fields": ("reference", "organization", "kind", "state", linked("credits"), "reason")}),
        ("Period", {"fields": ("month", "period_start", "period_end", "timezone", "edition")}),
        (
            "Amounts",
            {
                "fields": (
                    "number_total", money("lines_nanos", "lines"),
                    number("unpriced_records", "records without a price"),
                )
            },
        ),
        ("Parties", {"fields": ("issued_by", "recipient")}),
        ("Times", {"fields": ("created_at", "calculated_at", "issued_at", "due_at")}),
    )  # fmt: skip
    inlines = (LineInline,)
    actions = ("recalculate", "issue", "credit", "draft_again", "discard")

    @admin.display(description="month")
    def month(self, invoice: Invoice) -> str:
        """Name the period by its first month."""
        return f"{invoice.first_day:%b %Y}"

    @admin.display(description="total")
    def number_total(self, invoice: Invoice) -> str:
        """Write what is to be paid."""
        return f"{format_minor(invoice.total_minor, invoice.minor_places)} {invoice.currency}"

    @admin.display(description="issued by")
    def issued_by(self, invoice: Invoice) -> str:
        """Write the issuer in one line."""
        return ", ".join(invoice.issuer)

    @admin.action(description="Bring drafts up to date", permissions=["bill"])
    @confirmed("These drafts are calculated anew.", done="Brought up to date")
    def recalculate(self, request: HttpRequest, queryset: QuerySet[Invoice]) -> list[Invoice]:
        """Recalculate the chosen drafts."""
        return self._each(request, queryset, services.recalculate)

    @admin.action(description="Issue", permissions=["bill"])
    @confirmed(
        "An issued invoice keeps its number and sum for good: it can be credited, not changed.", done="Issued"
    )
    def issue(self, request: HttpRequest, queryset: QuerySet[Invoice]) -> list[Invoice]:
        """Issue the chosen drafts, the oldest first."""
        return self._each(request, queryset.order_by("period_start", "pk"), services.issue)

    @admin.action(description="Credit", permissions=["bill"])
    @confirmed("Each gets a credit note over its whole sum.", done="Credited")
    def credit(self, request: HttpRequest, queryset: QuerySet[Invoice]) -> list[Invoice]:
        """Credit the chosen invoices."""
        return self._each(request, queryset, partial(services.credit, reason=_CREDITED))

    @admin.action(description="Draft the month again", permissions=["bill"])
    @confirmed("A new draft is made of each month that was credited.", done="Drafted")
    def draft_again(self, request: HttpRequest, queryset: QuerySet[Invoice]) -> list[Invoice]:
        """Draft the months of the chosen invoices, which were credited."""
        return self._each(request, queryset, services.redraft)

    @admin.action(description="Discard drafts", permissions=["bill"])
    @confirmed("These drafts are removed; a month can be drafted again.", done="Discarded")
    def discard(self, request: HttpRequest, queryset: QuerySet[Invoice]) -> list[Invoice]:
        """Remove the chosen drafts."""
        return self._each(request, queryset, services.discard)

    def has_bill_permission(self, request: HttpRequest) -> bool:
        """Only those who may change invoices."""
        return request.user.has_perm("billing.change_invoice")

    def _each(
        self, request: HttpRequest, queryset: QuerySet[Invoice], work: Callable[..., Any]
    ) -> list[Invoice]:
        done = []
        for invoice in queryset:
            try:
                work(organization_id=invoice.organization_id, invoice_id=invoice.pk)
            except Problem as problem:
                self.message_user(request, f"{invoice.reference}: {problem.detail}", messages.WARNING)
            else:
                done.append(invoice)
        return done
