"""Make an organization with months of believable use, costs and alerts, to look at and to try things on."""

import json
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from alerts import demo as alerts
from billing import demo as money
from organizations.models import Credential, Organization
from organizations.services import CreatedOrganization
from organizations.tenancy import tenant_scope
from usage.demo import exported, load, people
from usage.imports.errors import ImportProblem
from usage.imports.importer import organization_named


class Command(BaseCommand):
    """Loads the demo once; the secrets of a new organization are shown this once, before the records load."""

    help = "Make the demo organization, or fill an empty one, with 90 days of believable usage."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("--organization", metavar="SLUG", help="fill this one; default: the demo's own")
        parser.add_argument("--days", type=int, default=load.DAYS, metavar="N", help="default: 90")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        """Load it and print how to get in.

        Raises: CommandError for an organization that isn't there, or has usage of its own.
        """
        if options["days"] < 1:
            raise CommandError("--days takes a whole number from 1.")
        organization, facts = self._organization(options["organization"])
        self._print(facts, as_json=options["json"])
        self.stderr.write(f"Loading {options['days']} days of usage into {organization.slug}.")
        try:
            demo = load.begin(organization, options["days"])
        except load.NotEmpty as error:
            raise CommandError(str(error)) from error
        if demo.is_complete:
            self.stderr.write(f"The demo is in {organization.slug} already; nothing was added.")
        else:
            self.stderr.write(f"{_make(demo):,} records were added to {organization.slug}.")

    def _organization(self, slug: str | None) -> tuple[Organization, dict[str, Any]]:
        if slug is not None:
            try:
                organization = organization_named(slug)
            except ImportProblem as problem:
                raise CommandError(str(problem)) from problem
            return organization, _found_facts(organization, owner=None)
        found = load.demo_organization()
        if found is not None:
            return found, _found_facts(found, owner=load.OWNER)
        made = load.create_demo_organization()
        return made.organization, _made_facts(made)

    def _print(self, facts: dict[str, Any], *, as_json: bool) -> None:
        if as_json:
            self.stdout.write(json.dumps(facts, ensure_ascii=False))
        elif facts["apiKey"] is not None:
            self.stdout.write("\n".join(f"{name:>14}  {value}" for name, value in facts.items()))
        self.stdout.flush()


def _make(demo: load.Demo) -> int:
    """Make all of the demo, from where it was interrupted; return how many records were added."""
    money.grant_allowances(demo)
    people.bring(demo)
    filling = load.Filling(demo)
    _live_through(demo, filling)
    money.invoice_past_months(demo)
    exported.export(demo)
    load.complete(demo, filling.seen)
    return filling.tally.accepted


def _live_through(demo: load.Demo, filling: load.Filling) -> None:
    """Let the demo's time pass: records come, limits are set, rules are looked at, each at its moment."""
    last, told = alerts.latest(demo), alerts.begin(demo)
    changes = money.limit_changes(demo)
    since = demo.calendar.start
    for moment in sorted({*alerts.moments(demo), *(change.at for change in changes), demo.calendar.now}):
        _fill(demo, filling, since, moment)
        since = moment
        for change in changes:
            if change.at == moment:
                money.set_limit_of(demo, change)
        if last is None or moment > last:
            alerts.look(demo, moment, told)


def _fill(demo: load.Demo, filling: load.Filling, since: datetime, until: datetime) -> None:
    """Let records come until a moment, and limits be raised before they pause."""
    while (since := since + money.keep_open(demo, since)) < until:
        filling.until(since)
    filling.until(until)


def _made_facts(made: CreatedOrganization) -> dict[str, Any]:
    return {
        "organization": made.organization.slug,
        "organizationId": made.organization.pk,
        "clientId": made.issued.credential.client_id,
        "apiKey": made.issued.key,
        "owner": made.owner.email,
        "password": made.password,
    }


def _found_facts(organization: Organization, owner: str | None) -> dict[str, Any]:
    """Return the same facts of one that was there; its secrets have been shown."""
    with tenant_scope(organization.pk):
        first = Credential.objects.filter(organization_id=organization.pk).order_by("pk").first()
    return {
        "organization": organization.slug,
        "organizationId": organization.pk,
        "clientId": None if first is None else first.client_id,
        "apiKey": None,
        "owner": owner,
        "password": None,
    }
