"""The PDF of an invoice: set from its stored lines, the same bytes each time."""

import json
from functools import cache
from pathlib import Path
from typing import Final

import typst

from billing.invoices.queries import Document
from billing.invoices.shown import show

MEDIA_TYPE: Final = "application/pdf"
_TEMPLATE: Final = Path(__file__).with_name("invoice.typ")
# For archives: fonts embedded, nothing that depends on where it is read.
_STANDARD: Final = "a-2b"


def pdf(document: Document) -> bytes:
    """Return an invoice as a PDF.

    Concurrency: takes some tens of milliseconds of one processor.
    """
    invoice = document.invoice
    shown = show(invoice, document.lines)
    made = typst.compile(
        _source(),
        font_paths=_fonts(),
        format="pdf",
        sys_inputs={"invoice": json.dumps(shown.as_dict())},
        pdf_standards=[_STANDARD],
        timestamp=int((invoice.issued_at or invoice.calculated_at).timestamp()),
    )
    return bytes(made)


@cache
def _source() -> bytes:
    return _TEMPLATE.read_bytes()


@cache
def _fonts() -> typst.Fonts:
    """Return the fonts of the package alone: every machine sets the same document."""
    return typst.Fonts(include_system_fonts=False)
