"""Invoices: a month's charges, drafted, issued for good, taken back by credit notes.

`calculation` says what a month comes to, `services` drafts, issues and credits, `document` writes the PDF.
"""
