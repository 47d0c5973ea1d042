"""Invoices: the list of them, one of them, and its document."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from billing.api.invoices import as_pdf
from billing.invoices import queries
from billing.invoices.shown import show
from core.params import Params
from organizations.models import User
from organizations.roles import Scope
from organizations.tenancy import Caller
from portal import tables
from portal.filters import cleaned
from portal.links import ORGANIZATION
from portal.reading import invoices as reading
from portal.registry import Entry, Group, page
from portal.showing import Showing


@page(Entry("invoices", "invoices/", Scope.BILLING_READ, label="Invoices", group=Group.MONEY, place=5))
def invoices(request: HttpRequest, user: User, caller: Caller) -> HttpResponse:
    """Show what was billed."""
    showing = Showing(request, user, caller, "invoices")
    params = Params(cleaned(request.GET), (ORGANIZATION, *tables.PARAMETERS))
    sort = tables.sorting(params, reading.SORTS, "issued")
    context = {
        "invoices": reading.read(caller, sort, showing.to, showing.here),
        "here": showing.here(**{name: params.text(name, "") or "" for name in tables.PARAMETERS}),
    }
    return showing.render("portal/invoices.html", context)


@page(Entry("invoice", "invoices/<str:reference>/", Scope.BILLING_READ, under="invoices"))
def invoice(request: HttpRequest, user: User, caller: Caller, reference: str) -> HttpResponse:
    """Show one invoice with its lines."""
    showing = Showing(request, user, caller, "invoice")
    found = queries.document(caller.organization_id, reference)
    state, tone = reading.state_of(found.invoice)
    note = getattr(found.invoice, "credit_note", None)
    shown = show(found.invoice, found.lines)
    context = {
        "shown": shown,
        "months": reading.with_ways(found.invoice, found.lines, shown, showing.to),
        "total": reading.total_of(found.invoice),
        "state": state,
        "tone": tone,
        "back": showing.to("invoices"),
        "file": showing.to("invoice-file", reference),
        "credited": None if note is None else showing.to("invoice", note.reference),
        "note": note,
    }
    return showing.render("portal/invoice.html", context)


@page(Entry("invoice-file", "invoices/<str:reference>/pdf/", Scope.BILLING_READ, under="invoices"))
def file(request: HttpRequest, user: User, caller: Caller, reference: str) -> HttpResponse:
    """Answer an invoice as a PDF."""
    return as_pdf(queries.document(caller.organization_id, reference))
