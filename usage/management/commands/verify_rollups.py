"""Compare the rollups with the records, and mend them if asked."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from organizations.models import Organization
from organizations.tenancy import system_scope
from usage.rollups.verify import Difference, repair, verify


class Command(BaseCommand):
    """Says where any cube, with what is pending, differs from the records; exits 1 while any does."""

    help = "Compare every rollup with the records; --repair makes those that differ anew."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument(
            "--organization", metavar="SLUG", action="append", default=[], help="only this one"
        )
        parser.add_argument("--repair", action="store_true", help="make what differs anew from the records")

    def handle(self, *args: Any, **options: Any) -> None:
        """Compare, and mend."""
        remaining = 0
        for organization in _organizations(options["organization"]):
            found = list(verify(organization))
            self._report(organization, found)
            if found and options["repair"]:
                mended = repair(found)
                self.stdout.write(f"{organization.slug}: rebuilt {mended} stretches of days")
                found = list(verify(organization))
                self._report(organization, found)
            remaining += len(found)
        if remaining:
            raise CommandError(
                "Some rollups differ from the records; --repair makes them anew.", returncode=1
            )

    def _report(self, organization: Organization, found: list[Difference]) -> None:
        if not found:
            self.stdout.write(f"{organization.slug}: every rollup agrees with the records")
        for difference in found:
            days = difference.stretch.days.days
            where = f"{difference.cube}, {days[0]} to {days[-1]}"
            self.stdout.write(f"{organization.slug}: {where}: {difference.rows} rows differ")


def _organizations(slugs: list[str]) -> list[Organization]:
    with system_scope():
        organizations = Organization.objects.order_by("slug")
        found = list(organizations.filter(slug__in=slugs) if slugs else organizations)
    unknown = sorted(set(slugs) - {organization.slug for organization in found})
    if unknown:
        raise CommandError(f"There is no organization {', '.join(unknown)}.")
    return found
