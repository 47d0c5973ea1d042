"""The Django application of the alerts room."""

from django.apps import AppConfig


class AlertsConfig(AppConfig):
    """Rules and who is told."""

    name = "alerts"
    verbose_name = "Alerts"
