"""The Django application of the shared ground."""

from django.apps import AppConfig


class CoreConfig(AppConfig):
    """Makes the room's commands known; it has no tables."""

    name = "core"
    verbose_name = "Core"
