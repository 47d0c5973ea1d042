"""The operator's view of money."""

from billing.admin import invoices, ledger, limits, prices, repricings

__all__ = ["invoices", "ledger", "limits", "prices", "repricings"]
