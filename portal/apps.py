"""The Django application of the portal room."""

from django.apps import AppConfig


class PortalConfig(AppConfig):
    """The pages."""

    name = "portal"
    verbose_name = "Portal"
