"""Migrate as the role that owns the tables."""

from argparse import ArgumentParser

from django.core.management.commands import migrate


class Command(migrate.Command):
    """Django's `migrate`, with the owner's connection as its default."""

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Make ``--database`` default to the connection that may change tables."""
        super().add_arguments(parser)
        parser.set_defaults(database="owner")
