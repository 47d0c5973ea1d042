"""Make the static files that are generated rather than kept in the repository."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from portal import assets


class Command(BaseCommand):
    """Writes the script that draws charts, unless it is up to date; needs no network."""

    help = "Make the static files that are generated: the script that draws charts."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        """Write what is missing or was made by another version."""
        written = assets.build()
        if options["verbosity"] > 0:
            self.stdout.write(f"{assets.path()} {'written' if written else 'is up to date'}")
