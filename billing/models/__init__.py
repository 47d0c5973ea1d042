"""Rows of prices, limits, grants and invoices."""

from billing.models.invoices import (
    Basis,
    Invoice,
    InvoiceKind,
    InvoiceLine,
    InvoiceState,
)
from billing.models.ledger import (
    Account,
    Allowance,
    Grant,
    LedgerAccount,
    LedgerPosting,
    LedgerTransaction,
    Movement,
)
from billing.models.limits import (
    Decision,
    DecisionKind,
    Enforcement,
    LimitState,
    Reservation,
    ReservationState,
    SpendBucket,
    SpendLimit,
    Window,
)
from billing.models.prices import (
    Discount,
    Price,
    PriceRate,
    Source,
)
from billing.models.repricing import Repricing, RepricingPart, RepricingState

__all__ = [
    "Account",
    "Allowance",
    "Basis",
    "Decision",
    "DecisionKind",
    "Discount",
    "Enforcement",
    "Grant",
    "Invoice",
    "InvoiceKind",
    "InvoiceLine",
    "InvoiceState",
    "LedgerAccount",
    "LedgerPosting",
    "LedgerTransaction",
    "LimitState",
    "Movement",
    "Price",
    "PriceRate",
    "Repricing",
    "RepricingPart",
    "RepricingState",
    "Reservation",
    "ReservationState",
    "Source",
    "SpendBucket",
    "SpendLimit",
    "Window",
]
