"""The operator's view of invoices: drafted, issued, credited, and never edited."""

from collections.abc import Callable
from functools import partial
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from billing.invoices import services
from billing.models import Invoice, InvoiceLine
from core.problems import Problem
from organizations.admin import ReadOnlyAdmin, ReadOnlyInline
from organizations.confirming import confirmed

_CREDITED = "Credited by the operator."


class LineInline(ReadOnlyInline):
    """What an invoice comes to."""

    model = InvoiceLine
    fields = (
        "position", "period_start", "provider", "model", "tier", "meter", "above", "quantity", "rate_nanos",
        "per", "discount_bp", "cost_nanos",
    )  # fmt: skip


@admin.register(Invoice)
class InvoiceAdmin(ReadOnlyAdmin):
    """Invoices and credit notes."""

    list_display = (
        "reference", "organization", "kind", "state", "period_start", "edition", "total_minor", "currency",
        "issued_at",
    )  # fmt: skip
    list_filter = ("state", "kind", "currency")
    list_select_related = ("organization",)
    search_fields = ("number", "organization__slug")
    ordering = ("-period_start", "-id")
    inlines = (LineInline,)
    actions = ("recalculate", "issue", "credit", "draft_again", "discard")

    @admin.action(description="Bring drafts up to date", permissions=["bill"])
    @confirmed("These drafts are calculated anew.")
    def recalculate(self, request: HttpRequest, queryset: QuerySet[Invoice]) -> None:
        """Recalculate the chosen drafts."""
        self._each(request, queryset, "Brought up to date", services.recalculate)

    @admin.action(description="Issue, for good", permissions=["bill"])
    @confirmed("An issued invoice keeps its number and sum for good: it can be credited, not changed.")
    def issue(self, request: HttpRequest, queryset: QuerySet[Invoice]) -> None:
        """Issue the chosen drafts, the oldest first."""
        self._each(request, queryset.order_by("period_start", "pk"), "Issued", services.issue)

    @admin.action(description="Credit as a whole", permissions=["bill"])
    @confirmed("Each gets a credit note over its whole sum.")
    def credit(self, request: HttpRequest, queryset: QuerySet[Invoice]) -> None:
        """Credit the chosen invoices."""

        self._each(request, queryset, "Credited", partial(services.credit, reason=_CREDITED))

    @admin.action(description="Draft the month again", permissions=["bill"])
    @confirmed("A new draft is made of each month that was credited.")
    def draft_again(self, request: HttpRequest, queryset: QuerySet[Invoice]) -> None:
        """Draft the months of the chosen invoices, which were credited."""
        self._each(request, queryset, "Drafted", services.redraft)

    @admin.action(description="Discard drafts", permissions=["bill"])
    @confirmed("These drafts are removed; a month can be drafted again.")
    def discard(self, request: HttpRequest, queryset: QuerySet[Invoice]) -> None:
        """Remove the chosen drafts."""
        self._each(request, queryset, "Discarded", services.discard)

    def has_bill_permission(self, request: HttpRequest) -> bool:
        """Only those who may change invoices."""
        return request.user.has_perm("billing.change_invoice")

    def _each(
        self, request: HttpRequest, queryset: QuerySet[Invoice], done: str, work: Callable[..., Any]
    ) -> None:
        count = 0
        for invoice in queryset:
            try:
                work(organization_id=invoice.organization_id, invoice_id=invoice.pk)
            except Problem as problem:
                self.message_user(request, f"{invoice.reference}: {problem.detail}", messages.WARNING)
            else:
                count += 1
        self.message_user(request, f"{done}: {count}.", messages.SUCCESS)
