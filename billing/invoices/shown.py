"""An invoice as people read it, the same on the page and in the PDF. No database, no clock."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from decimal import Decimal
from itertools import groupby
from typing import Any, Final

from billing.models import Basis, Invoice, InvoiceKind, InvoiceLine, InvoiceState
from billing.rating.meters import CHAINS, REQUESTS
from core.money import PLACES, from_minor
from core.periods import local_date, zone

_LEAST_PLACES: Final = 2
_PLAIN: Final = re.compile(r"[A-Za-z][A-Za-z0-9]*")
_WORDS: Final = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|[0-9]+[a-z]*")


@dataclass(frozen=True, slots=True)
class ShownLine:
    """One line."""

    what: str
    quantity: str
    rate: str
    amount: str


@dataclass(frozen=True, slots=True)
class ShownGroup:
    """The lines of one model."""

    title: str
    lines: tuple[ShownLine, ...]
    amount: str


@dataclass(frozen=True, slots=True)
class ShownMonth:
    """The models of one month; the title is empty for the invoice's own."""

    title: str
    groups: tuple[ShownGroup, ...]


@dataclass(frozen=True, slots=True)
class Shown:
    """A document: who to whom, for when, what, and how much."""

    title: str
    reference: str
    is_draft: bool
    issuer: tuple[str, ...]
    recipient: str
    facts: tuple[tuple[str, str], ...]
    months: tuple[ShownMonth, ...]
    currency: str
    lines_total: str
    rounding: str
    total: str
    notes: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return asdict(self)


def show(invoice: Invoice, lines: Sequence[InvoiceLine]) -> Shown:
    """Return an invoice as it is shown."""
    places = max((_LEAST_PLACES, *(_needed(nanos) for nanos in (invoice.lines_nanos, *_costs(lines)))))
    total = from_minor(invoice.total_minor, invoice.minor_places)
    rounding = total - invoice.lines_nanos
    return Shown(
        title=_title(invoice),
        reference=invoice.number or "not numbered yet",
        is_draft=invoice.state == InvoiceState.DRAFT,
        issuer=tuple(invoice.issuer),
        recipient=invoice.recipient,
        facts=tuple(_facts(invoice)),
        months=tuple(_months(invoice, lines, places)),
        currency=invoice.currency,
        lines_total=amount(invoice.lines_nanos, places),
        rounding=amount(rounding, places) if rounding else "",
        total=amount(total, invoice.minor_places),
        notes=tuple(_notes(invoice)),
    )


def amount(nanos: int, places: int) -> str:
    """Write an amount with its thousands grouped and so many places, as many as it needs or more."""
    return f"{Decimal(nanos).scaleb(-PLACES):,.{places}f}".replace("-", "−")


def day(value: date) -> str:
    """Write a day: ``1 November 2026``."""
    return f"{value.day} {value:%B %Y}"


def label(meter: str) -> str:
    """Return what a meter is called: ``Cached prompt tokens``."""
    if not _PLAIN.fullmatch(meter):
        return meter
    words = " ".join(word if word.isupper() else word.lower() for word in _WORDS.findall(meter))
    named = f"{words} tokens" if meter in CHAINS else words
    return named[:1].upper() + named[1:]


def _title(invoice: Invoice) -> str:
    if invoice.kind == InvoiceKind.CREDIT_NOTE:
        return "Credit note"
    return "Draft invoice" if invoice.state == InvoiceState.DRAFT else "Invoice"


def _facts(invoice: Invoice) -> Iterable[tuple[str, str]]:
    tz = zone(invoice.timezone)
    if invoice.issued_at is not None:
        yield "Issued", day(local_date(invoice.issued_at, tz))
    if invoice.due_at is not None:
        yield "Due", day(local_date(invoice.due_at, tz))
    yield "Period", f"{day(invoice.first_day)} to {day(invoice.last_day)}"
    yield "Time zone", invoice.timezone
    if invoice.credits is not None:
        yield "Takes back", invoice.credits.reference


def _notes(invoice: Invoice) -> Iterable[str]:
    if invoice.kind == InvoiceKind.CREDIT_NOTE and invoice.credits is not None:
        yield f"Takes back invoice {invoice.credits.reference} as a whole. {invoice.reason}".strip()
    if invoice.unpriced_records:
        count = f"{invoice.unpriced_records:,} {'record' if invoice.unpriced_records == 1 else 'records'}"
        yield f"{count} of this period had no price yet; a later invoice has what they come to."
    if invoice.state == InvoiceState.DRAFT:
        yield "A draft: it changes with the records until it is issued."


def _months(invoice: Invoice, lines: Sequence[InvoiceLine], places: int) -> Iterable[ShownMonth]:
    for start, found in groupby(lines, key=lambda line: line.period_start):
        of = local_date(start, zone(invoice.timezone))
        title = "" if start == invoice.period_start else f"Made up for {of:%B %Y}"
        yield ShownMonth(title, tuple(_groups(found, places)))


def _groups(lines: Iterable[InvoiceLine], places: int) -> Iterable[ShownGroup]:
    for names, found in groupby(lines, key=lambda line: (line.provider, line.model, line.tier)):
        of_model = list(found)
        cost = sum(line.cost_nanos for line in of_model)
        shown = tuple(_line(line, places) for line in of_model)
        yield ShownGroup(_model(*names), shown, amount(cost, places))


def _model(provider: str, model: str, tier: str) -> str:
    named = f"{provider} / {model}" if provider and model else model or provider or "No model named"
    return f"{named} ({tier})" if tier not in ("", "standard") else named


def _line(line: InvoiceLine, places: int) -> ShownLine:
    return ShownLine(
        what=_what(line),
        quantity=f"{line.quantity.normalize():,f}".replace("-", "−"),
        rate=_rate(line),
        amount=amount(line.cost_nanos, places),
    )


def _what(line: InvoiceLine) -> str:
    if line.basis == Basis.REPORTED:
        return "Requests, at the cost reported with them"
    if line.basis == Basis.WHOLE:
        return "Requests, rated one by one"
    above = f", requests over {line.above:,}" if line.above else ""
    return f"{label(line.meter)}{above}"


def _rate(line: InvoiceLine) -> str:
    if line.rate_nanos is None or line.per is None:
        return ""
    places = max(_LEAST_PLACES, _needed(line.rate_nanos))
    per = "each" if line.per == 1 and line.meter == REQUESTS else f"per {line.per:,}"
    discount = f" − {Decimal(line.discount_bp) / 100:f}%" if line.discount_bp else ""
    return f"{amount(line.rate_nanos, places)} {per}{discount}"


def _costs(lines: Sequence[InvoiceLine]) -> list[int]:
    return [line.cost_nanos for line in lines]


def _needed(nanos: int) -> int:
    """Return how many places an amount needs so that none is cut."""
    digits = f"{abs(nanos):0{PLACES}d}"[-PLACES:]
    return len(digits.rstrip("0"))
