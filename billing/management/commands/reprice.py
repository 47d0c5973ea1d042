"""Price what had no price when it came in."""

from collections.abc import Iterator
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from billing.repricing import Repriced, asked_period, reprice
from core import clock
from core.moments import parse_moment
from core.money import format_money
from core.periods import Period
from organizations.models import Organization
from organizations.tenancy import system_scope

SHOWN = 20


class Command(BaseCommand):
    """Gives every record without a cost the one that the book now has for it, and tells what is left."""

    help = (
        "Price the records that have no cost, by the price book as it is now. The records stay as they are: "
        "the costs are kept beside them, and count in every total and limit. It can be run again."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        add = parser.add_argument
        add("--organization", metavar="SLUG", action="append", default=[], help="only this one")
        add(
            "--from",
            dest="start",
            metavar="MOMENT",
            help="only records from then on: ISO 8601 with an offset",
        )
        add("--to", dest="end", metavar="MOMENT", help="only records before then")
        add("--dry-run", action="store_true", help="only say what would be priced")

    def handle(self, *args: Any, **options: Any) -> None:
        """Price, and report each organization."""
        bounds = _moment(options, "start"), _moment(options, "end")
        for organization in _organizations(options["organization"]):
            period = _period(organization, *bounds)
            outcome = reprice(organization, period, dry_run=options["dry_run"])
            for line in _lines(organization, outcome, dry_run=options["dry_run"]):
                self.stdout.write(line)


def _lines(organization: Organization, outcome: Repriced, *, dry_run: bool) -> Iterator[str]:
    amount = f"{format_money(outcome.cost_nanos)} {organization.currency}"
    verb = "would be priced" if dry_run else "priced"
    yield f"{organization.slug}: {outcome.records:,} records {verb}, {amount}; {outcome.left.total():,} left"
    for (provider, model), records in outcome.left.most_common(SHOWN):
        yield f"  no price: {provider or 'any provider'}, {model or 'no model'}: {records:,} records"
    if len(outcome.left) > SHOWN:
        yield f"  and {len(outcome.left) - SHOWN:,} more models"


def _period(organization: Organization, start: Any, end: Any) -> Period:
    try:
        return asked_period(organization, start, end, clock.now())
    except ValueError as error:
        raise CommandError("--to must be later than --from.") from error


def _moment(options: dict[str, Any], name: str) -> Any:
    text = options[name]
    try:
        return None if text is None else parse_moment(text)
    except ValueError as error:
        raise CommandError(f"--{'from' if name == 'start' else 'to'}: {error}.") from error


def _organizations(slugs: list[str]) -> list[Organization]:
    with system_scope():
        every = Organization.objects.select_related("plan").order_by("slug")
        found = list(every.filter(slug__in=slugs) if slugs else every)
    unknown = sorted(set(slugs) - {organization.slug for organization in found})
    if unknown:
        raise CommandError(f"There is no organization {', '.join(unknown)}.")
    return found
