"""Prepare a PostgreSQL server: the roles, their memberships, the database."""

from __future__ import annotations

from typing import Any

import psycopg
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from config.bootstrap import BootstrapRefused, Roles, bootstrap
from config.databases import parse_address


class Command(BaseCommand):
    """Makes the three roles and the database if they are missing; may be run at any time again."""

    help = (
        "Make the owner's, the application's and the lookup's role, and the database, where they are missing."
    )
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the bootstrap against DATABASE_ADMIN_URL (default: DATABASE_OWNER_URL)."""
        app = parse_address(settings.DATABASE_URL, variable="DATABASE_URL")
        owner = parse_address(settings.DATABASE_OWNER_URL, variable="DATABASE_OWNER_URL")
        roles = Roles(
            owner=settings.DATABASE_OWNER_ROLE,
            app=settings.DATABASE_APP_ROLE,
            lookup=settings.DATABASE_LOOKUP_ROLE,
            owner_login=owner.user,
            app_login=app.user,
        )
        admin = parse_address(settings.DATABASE_ADMIN_URL, variable="DATABASE_ADMIN_URL")
        try:
            done = bootstrap(admin, database=owner.name, roles=roles, embedded=settings.EMBEDDED_POSTGRES)
        except (BootstrapRefused, psycopg.Error) as error:
            raise CommandError(str(error)) from error
        for line in done or ["Nothing to do: roles and database are there."]:
            self.stdout.write(line)
