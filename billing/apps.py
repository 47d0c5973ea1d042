"""The Django application of the billing room."""

from django.apps import AppConfig


class BillingConfig(AppConfig):
    """Prices, limits and costs."""

    name = "billing"
    verbose_name = "Billing"

    def ready(self) -> None:
        """Have the audit trail tell of spend limits."""
        from organizations import audit

        fields = {
            "limit_nanos": "limit",
            "window_kind": "window",
            "warn_at": "warnAt",
            "enforcement": "enforcement",
        }
        audit.register(
            "spendLimit", audit.AuditKind("billing_spendlimitevent", "organization_id", "id", fields)
        )
