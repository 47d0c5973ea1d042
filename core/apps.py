"""The Django application of the shared ground."""

from django.apps import AppConfig
from django.db.models.signals import pre_migrate


class CoreConfig(AppConfig):
    """Registers what has to happen before any table is made."""

    name = "core"
    verbose_name = "Core"

    def ready(self) -> None:
        """Connect the default privileges to the start of a migration."""
        from core import privileges

        pre_migrate.connect(privileges.grant_defaults, sender=self, dispatch_uid="core.privileges")
