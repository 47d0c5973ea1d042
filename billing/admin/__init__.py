"""The operator's view of money."""

from billing.admin import invoices, ledger, prices

__all__ = ["invoices", "ledger", "prices"]
