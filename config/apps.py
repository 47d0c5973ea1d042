"""The Django application of the composition root."""

from __future__ import annotations

from django.apps import AppConfig


class ConfigConfig(AppConfig):
    """Registers the system checks and makes the room's commands, templates and static files known."""

    name = "config"
    verbose_name = "Configuration"

    def ready(self) -> None:
        """Import the checks, which register themselves."""
        from config import checks  # noqa: F401
