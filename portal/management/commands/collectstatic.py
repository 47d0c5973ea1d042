"""Collect static files, the generated ones among them."""

from __future__ import annotations

from typing import Any

from django.contrib.staticfiles.management.commands import collectstatic

from portal import assets


class Command(collectstatic.Command):
    """Makes the generated files first, so that none is missing from what is collected."""

    def handle(self, **options: Any) -> str | None:
        """Make what is generated, then collect."""
        assets.build()
        return super().handle(**options)
