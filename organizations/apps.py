"""The Django application of organizations."""

from django.apps import AppConfig


class OrganizationsConfig(AppConfig):
    """Owns tenants, people, plans, credentials and the audit trail."""

    name = "organizations"
    verbose_name = "Organizations"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Make the door known to the OpenAPI document."""
        from core import schema as core_schema  # noqa: F401 registers itself
        from organizations import schema  # noqa: F401 registers itself
