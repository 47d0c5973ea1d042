"""Migrate as the role that owns the tables."""

from typing import Any

from django.core.management.base import CommandParser
from django.core.management.commands import migrate

from core import privileges


class Command(migrate.Command):
    """Django's `migrate`, with the owner's connection as its default."""

    def add_arguments(self, parser: CommandParser) -> None:
        """Make ``--database`` default to the connection that may change tables."""
        super().add_arguments(parser)
        parser.set_defaults(database="owner")

    def handle(self, *args: Any, **options: Any) -> None:
        """Grant the application's role its privileges on what is about to be made, then migrate."""
        if not options["plan"] and not options["check_unapplied"]:
            privileges.grant_defaults(options["database"])
        super().handle(*args, **options)
