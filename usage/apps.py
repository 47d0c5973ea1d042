"""The Django application of usage."""

from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate


def make_partitions(using: str, **kwargs: Any) -> None:
    """Make the partitions of the coming weeks at every start, before the first record arrives."""
    from core import clock
    from usage import partitions

    if using == "owner":
        partitions.make_ahead(clock.now(), using=using)


class UsageConfig(AppConfig):
    """Records, rollups and the questions they answer."""

    name = "usage"
    verbose_name = "Usage"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Tie the start to the partitions, and the fields to the OpenAPI document."""
        from usage import schema  # noqa: F401 registers its extensions

        post_migrate.connect(make_partitions, sender=self, dispatch_uid="usage.make_partitions")
