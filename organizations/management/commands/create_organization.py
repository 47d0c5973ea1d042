"""Make an organization with an owner and a key."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from core.problems import Problem
from organizations.services import CreatedOrganization, create_organization
from organizations.tenancy import Actor


class Command(BaseCommand):
    """Prints what signs in and what calls; both secrets are shown this once."""

    help = "Make an organization with an owner and a key of every scope."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("name", metavar="NAME")
        parser.add_argument(
            "--plan",
            default="free",
            metavar="SLUG",
            help="free, starter, professional, pay-as-you-go, enterprise, or one of your own",
        )
        parser.add_argument("--owner", required=True, metavar="EMAIL", help="who owns it; made if unknown")
        parser.add_argument("--timezone", default="UTC", metavar="ZONE", help="IANA name")
        parser.add_argument("--currency", default="USD", metavar="CODE", help="ISO 4217")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        """Make it and print it.

        Raises: CommandError for what won't do.
        """
        try:
            created = create_organization(
                name=options["name"],
                plan=options["plan"],
                owner_email=options["owner"],
                timezone=options["timezone"],
                currency=options["currency"],
                actor=Actor(kind="system", job="create_organization"),
            )
        except Problem as problem:
            raise CommandError(problem.detail) from problem
        facts = _facts(created)
        if options["json"]:
            self.stdout.write(json.dumps(facts, ensure_ascii=False))
        else:
            self.stdout.write("\n".join(f"{name:>14}  {value}" for name, value in facts.items()))


def _facts(created: CreatedOrganization) -> dict[str, Any]:
    return {
        "organization": created.organization.slug,
        "organizationId": created.organization.pk,
        "clientId": created.issued.credential.client_id,
        "apiKey": created.issued.key,
        "owner": created.owner.email,
        "password": created.password,
    }
