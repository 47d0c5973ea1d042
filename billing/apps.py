"""The Django application of the billing room."""

from typing import Final

from django.apps import AppConfig

AUDITED: Final = (
    (
        "spendLimit",
        "billing_spendlimitevent",
        "id",
        {
            "limit_nanos": "limit",
            "window_kind": "window",
            "warn_at": "warnAt",
            "enforcement": "enforcement",
        },
    ),
    (
        "grant",
        "billing_grantevent",
        "reason",
        {
            "allowance": "allowance",
            "amount": "amount",
            "priority": "priority",
            "effective_at": "effectiveAt",
            "expires_at": "expiresAt",
            "revoked_at": "revokedAt",
        },
    ),
    (
        "price",
        "billing_priceevent",
        "model",
        {
            "provider": "provider",
            "tier": "tier",
            "currency": "currency",
            "effective_from": "effectiveFrom",
            "effective_until": "effectiveUntil",
            "daily_from": "dailyFrom",
            "daily_until": "dailyUntil",
        },
    ),
    (
        "discount",
        "billing_discountevent",
        "model",
        {
            "basis_points": "basisPoints",
            "provider": "provider",
            "effective_from": "effectiveFrom",
            "effective_until": "effectiveUntil",
        },
    ),
    (
        "repricing",
        "billing_repricingevent",
        "id",
        {
            "state": "state",
            "dry_run": "dryRun",
            "window_start": "from",
            "window_end": "to",
            "error": "error",
        },
    ),
)
"""What the audit trail tells of: the kind, its events, what names a row, and the columns told."""


class BillingConfig(AppConfig):
    """Prices, limits and costs."""

    name = "billing"
    verbose_name = "Billing"

    def ready(self) -> None:
        """Have the audit trail tell of limits, grants, repricings, own prices and discounts."""
        from organizations import audit

        for name, table, subject, fields in AUDITED:
            audit.register(name, audit.AuditKind(table, "organization_id", subject, fields))
