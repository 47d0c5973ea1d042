"""Putting the demo into an organization, once."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from core import clock
from core.periods import zone
from organizations.models import Credential, Membership, Organization
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

NAME: Final = "Demo"
OWNER: Final = "demo@headroom.example"
PLAN: Final = "enterprise"
TIMEZONE: Final = "Europe/Berlin"
CURRENCY: Final = "USD"
DAYS: Final = 90

_ACTOR: Final = Actor(kind="system", job="load_demo")


class NotEmpty(Exception):
    """The organization has usage of its own, which the demo's would be mixed with."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a run did; ``found`` when everything was there already."""

    tally: Tally
    found: bool


def demo_organization() -> Organization | None:
    """Return the demo organization, if there is one: that which the demo's owner owns."""
    with system_scope():
        owned = Membership.objects.filter(user__email=OWNER, role=Role.OWNER).order_by("pk")
        membership = owned.select_related("organization__plan").first()
    return None if membership is None else membership.organization


def create_demo_organization() -> CreatedOrganization:
    """Make the demo organization with its owner and a key of every scope."""
    return create_organization(
        name=NAME, plan=PLAN, owner_email=OWNER, timezone=TIMEZONE, currency=CURRENCY, actor=_ACTOR
    )


def load(organization: Organization, days: int = DAYS) -> Loaded:
    """Give an organization the demo's credentials and records, through the pipeline.

    What was interrupted is taken up again: the records depend on the moment of the first run, which is read
    back from when the credentials were made, and have ids. The days are at most the plan's history.
    Raises: `NotEmpty` for an organization with other usage.
    """
    credentials = _cast(organization)
    gateway = credentials[GATEWAY.name]
    if gateway.last_used_at is not None:
        return Loaded(Tally(), found=True)
    days = min(days, organization.plan.history_days or days)
    calendar = Calendar(gateway.created_at + GATEWAY.age, days, zone(organization.timezone))
    tally, seen = Tally(), dict[str, datetime]()
    run(_lines(calendar, credentials, seen), importing(organization, gateway.client_id), tally.add)
    _note_use(organization, credentials, seen)
    return Loaded(tally, found=False)


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


def _note_use(
    organization: Organization, credentials: dict[str, Credential], seen: dict[str, datetime]
) -> None:
    with tenant_scope(organization.pk, actor=_ACTOR):
        for name, moment in seen.items():
            credentials[name].last_used_at = moment
            credentials[name].save(update_fields=["last_used_at"])
