"""What the Invoices pages show: what was billed, and one bill in full."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from itertools import groupby
from typing import Final

from billing.invoices import queries
from billing.invoices.shown import Shown, ShownGroup, ShownMonth, amount, day
from billing.models import Invoice, InvoiceKind, InvoiceLine, InvoiceState
from core.money import format_minor, from_minor
from core.periods import Period, local_date, zone
from organizations.tenancy import Caller
from portal import windows
from portal.tables import Cell, Column, Sorting, Table, sortable, turned_in_order

To = Callable[..., str]

SORTS: Final = tuple(queries.ORDERS)


def read(caller: Caller, sort: Sorting, to: To, here: To) -> Table:
    """Return a page of the organization's invoices.

    Tenancy: call in the tenant's scope.
    """
    found = turned_in_order(
        partial(queries.invoices, caller.organization_id, state=None, kind=None), sort, here
    )
    columns = [
        sortable("Invoice", "issued", sort, here, is_number=False, meaning="by when it was issued"),
        sortable("Period", "period", sort, here, is_number=False),
        Column("Status"),
        sortable("Due", "due", sort, here, is_number=False),
        sortable("Total", "total", sort, here, meaning="sorted within each currency"),
        Column("Currency"),
    ]
    return Table(
        id="invoices",
        caption="Newest first" if sort == Sorting("issued", True, sort.page) else "Invoices",
        columns=columns,
        rows=[_row(invoice, to) for invoice in found.rows],
        empty=_empty(caller),
        pages=found.pages,
        file="invoices",
        stacks=True,
    )


def total_of(invoice: Invoice) -> str:
    """Return what is to be paid, with the currency."""
    return f"{_amount(invoice)} {invoice.currency}"


def with_ways(
    invoice: Invoice, lines: Sequence[InvoiceLine], shown: Shown, to: To
) -> list[tuple[ShownMonth, list[tuple[ShownGroup, str]]]]:
    """Return what is billed with the ways to the records of each model."""
    tz = zone(invoice.timezone)
    ways = [
        windows.records(to, Period(start, end), tz, **_named(provider, model))
        for (start, end, provider, model, _), _ in groupby(lines, key=_group)
    ]
    following = iter(ways)
    return [(month, [(group, next(following)) for group in month.groups]) for month in shown.months]


def _group(line: InvoiceLine) -> tuple[datetime, datetime, str, str, str]:
    return line.period_start, line.period_end, line.provider, line.model, line.tier


def _named(provider: str, model: str) -> dict[str, str]:
    return {name: value for name, value in (("provider", provider), ("model", model)) if value}


def state_of(invoice: Invoice) -> tuple[str, str]:
    """Return what an invoice is, and the tone of it."""
    if invoice.state == InvoiceState.DRAFT:
        return "Draft", "warn"
    if invoice.kind == InvoiceKind.CREDIT_NOTE:
        return "Credit note", ""
    return ("Credited", "") if hasattr(invoice, "credit_note") else ("Issued", "good")


def _row(invoice: Invoice, to: To) -> list[Cell]:
    state, tone = state_of(invoice)
    due = "" if invoice.due_at is None else day(local_date(invoice.due_at, zone(invoice.timezone)))
    return [
        Cell(invoice.number or "Draft", url=to("invoice", invoice.reference)),
        Cell(f"{day(invoice.first_day)} to {day(invoice.last_day)}"),
        Cell(state, tone=tone or "plain"),
        Cell(due or "–"),
        Cell(_amount(invoice), value=_plain(invoice), is_number=True),
        Cell(invoice.currency),
    ]


def _amount(invoice: Invoice) -> str:
    return amount(from_minor(invoice.total_minor, invoice.minor_places), invoice.minor_places)


def _plain(invoice: Invoice) -> str:
    """Return what is to be paid as the API writes it."""
    return format_minor(invoice.total_minor, invoice.minor_places)


def _empty(caller: Caller) -> str:
    if not caller.plan.invoices:
        return f"Your plan, {caller.plan.name}, does not include invoices."
    return "No invoices yet. The first draft is created when this month ends."
