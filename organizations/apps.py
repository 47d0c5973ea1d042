"""The Django application of organizations."""

from django.apps import AppConfig


class OrganizationsConfig(AppConfig):
    """Owns tenants, people, plans, credentials and the audit trail."""

    name = "organizations"
    verbose_name = "Organizations"
    default_auto_field = "django.db.models.BigAutoField"
