"""The operator's view of money."""

from billing.admin import invoices, ledger, limits, prices

__all__ = ["invoices", "ledger", "limits", "prices"]
