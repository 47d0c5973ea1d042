"""The Django application of the alerts room."""

from django.apps import AppConfig


class AlertsConfig(AppConfig):
    """Rules and who is told."""

    name = "alerts"
    verbose_name = "Alerts"

    def ready(self) -> None:
        """Give new organizations their rules, and have the audit trail tell of what is kept here."""
        from django.db.models.signals import post_save

        from alerts.rules.defaults import make_defaults
        from organizations import audit
        from organizations.models import Organization

        post_save.connect(make_defaults, sender=Organization, dispatch_uid="alerts.default_rules")
        fields = {
            "name": "name",
            "metric": "metric",
            "condition": "condition",
            "scope_kind": "scope",
            "value": "scopeValue",
            "window": "window",
            "thresholds": "threshold",
            "severity": "severity",
            "least_requests": "leastRequests",
            "hysteresis": "hysteresis",
            "quiet_minutes": "quietMinutes",
            "enabled": "enabled",
        }
        audit.register("alertRule", audit.AuditKind("alerts_ruleevent", "organization_id", "name", fields))
        channel = {
            "kind": "kind",
            "name": "name",
            "shown": "target",
            "enabled": "enabled",
            "disabled_because": "disabledBecause",
        }
        audit.register(
            "alertChannel", audit.AuditKind("alerts_channelevent", "organization_id", "name", channel)
        )
        report = {name: name for name in ("name", "cadence", "hour", "enabled")}
        audit.register("report", audit.AuditKind("alerts_reportevent", "organization_id", "name", report))
