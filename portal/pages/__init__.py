"""The pages: each reads what it shows in one call, and draws it. To be imported is to be registered."""

from portal.pages import (
    alerts,
    allowances,
    channels,
    costs,
    deliveries,
    exports,
    invoices,
    keys,
    logs,
    models,
    organizations,
    overview,
    reference,
    rules,
    settings,
    usage,
)

__all__ = [
    "alerts",
    "allowances",
    "channels",
    "costs",
    "deliveries",
    "exports",
    "invoices",
    "keys",
    "logs",
    "models",
    "organizations",
    "overview",
    "reference",
    "rules",
    "settings",
    "usage",
]
