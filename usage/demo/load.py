"""Putting the demo into an organization, once."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from core import clock
from core.periods import zone
from organizations.models import Credential, Membership, Organization, Plan
from organizations.roles import Role
from organizations.services import CreatedOrganization, create_credential, create_organization
from organizations.tenancy import Actor, system_scope, tenant_scope
from usage.demo.cast import CAST, GATEWAY, Member
from usage.demo.generate import generate
from usage.demo.rhythm import Calendar
from usage.imports.importer import importing
from usage.imports.records import Line
from usage.imports.run import Tally, run
from usage.models import Record

NAME: Final = "Acme"
OWNER: Final = "demo@headroom.example"
PLAN: Final = "enterprise-with-limits"
_LIKE: Final = "enterprise"
TIMEZONE: Final = "Europe/Berlin"
CURRENCY: Final = "USD"
DAYS: Final = 90

_ACTOR: Final = Actor(kind="system", job="load_demo")


class NotEmpty(Exception):
    """The organization has usage of its own, which the demo's would be mixed with."""


@dataclass(frozen=True, slots=True)
class Demo:
    """A demo that is being made: whose it is, its time, and its credentials by name."""

    organization: Organization
    calendar: Calendar
    credentials: dict[str, Credential]

    @property
    def is_complete(self) -> bool:
        """Whether all of it was there already."""
        return self.credentials[GATEWAY.name].last_used_at is not None


def demo_organization() -> Organization | None:
    """Return the demo organization, if there is one: that which the demo's owner owns."""
    with system_scope():
        owned = Membership.objects.filter(user__email=OWNER, role=Role.OWNER).order_by("pk")
        membership = owned.select_related("organization__plan").first()
    return None if membership is None else membership.organization


def create_demo_organization() -> CreatedOrganization:
    """Make the demo organization with its owner and a key of every scope, on a plan that has everything."""
    with system_scope(actor=_ACTOR):
        terms = Plan.objects.filter(slug=_LIKE).values().get()
        own = {"id": None, "slug": PLAN, "name": "Enterprise with limits", "spend_limit": True}
        Plan.objects.get_or_create(slug=PLAN, defaults={**terms, **own})
    return create_organization(
        name=NAME, plan=PLAN, owner_email=OWNER, timezone=TIMEZONE, currency=CURRENCY, actor=_ACTOR
    )


def begin(organization: Organization, days: int = DAYS) -> Demo:
    """Give an organization the demo's credentials, or take up again what was interrupted.

    The records depend on the moment of the first run, which is read back from when the credentials were made,
    and have ids. The days are at most the plan's history.
    Raises: `NotEmpty` for an organization with other usage.
    """
    credentials = _cast(organization)
    days = min(days, organization.plan.history_days or days)
    made = credentials[GATEWAY.name].created_at + GATEWAY.age
    return Demo(organization, Calendar(made, days, zone(organization.timezone)), credentials)


def fill(demo: Demo) -> tuple[Tally, dict[str, datetime]]:
    """Send the demo's records through the pipeline; return what came of it, and when each was last used."""
    tally, seen = Tally(), dict[str, datetime]()
    gateway = demo.credentials[GATEWAY.name]
    lines = _lines(demo.calendar, demo.credentials, seen)
    run(lines, importing(demo.organization, gateway.client_id), tally.add)
    return tally, seen


def complete(demo: Demo, seen: dict[str, datetime]) -> None:
    """Note when the credentials were last used, which says that the demo is complete."""
    with tenant_scope(demo.organization.pk, actor=_ACTOR):
        for name, moment in seen.items():
            demo.credentials[name].last_used_at = moment
            demo.credentials[name].save(update_fields=["last_used_at"])


def _cast(organization: Organization) -> dict[str, Credential]:
    """Return the demo's credentials by name, making them when there are none."""
    with tenant_scope(organization.pk, actor=_ACTOR):
        names = [member.name for member in CAST]
        found = Credential.objects.filter(organization_id=organization.pk, name__in=names).order_by("-pk")
        credentials = {credential.name: credential for credential in found}
        if len(credentials) < len(CAST):
            if Record.objects.filter(organization_id=organization.pk).exists():
                raise NotEmpty(
                    f"{organization.slug} has usage of its own; the demo needs an organization without."
                )
            now = clock.now()
            credentials = {member.name: _make(organization, member, now) for member in CAST}
    return credentials


def _make(organization: Organization, member: Member, now: datetime) -> Credential:
    issued = create_credential(
        organization_id=organization.pk,
        name=member.name,
        scopes=member.scopes,
        environment=member.environment,
    )
    credential = issued.credential
    credential.created_at = now - member.age
    credential.revoked_at = None if member.revoked is None else now - member.revoked
    credential.save(update_fields=["created_at", "revoked_at"])
    return credential


def _lines(
    calendar: Calendar, credentials: dict[str, Credential], seen: dict[str, datetime]
) -> Iterator[Line]:
    """Yield the records, noting each credential's last."""
    client_ids = {name: credential.client_id for name, credential in credentials.items()}
    for number, dated in enumerate(generate(calendar, client_ids), start=1):
        seen[dated.member] = max(dated.moment, seen.get(dated.member, dated.moment))
        yield number, dated.record
