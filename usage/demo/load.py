"""Putting the demo into an organization, once."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from core import clock
from core.periods import zone
from organizations.models import Credential, Membership, Organization, Plan, User
from organizations.roles import Role
from organizations.services import (
    CreatedOrganization,
    create_credential,
    create_organization,
    revoke_credential,
    rotate_credential,
)
from organizations.tenancy import Actor, system_scope, tenant_scope
from usage.demo.cast import CAST, GATEWAY, Member
from usage.demo.generate import Dated, hourly
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
AGE: Final = max(member.age for member in CAST) + timedelta(days=1)
"""How long ago the demo's organizations were made."""

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


def owner_of(organization: Organization) -> User | None:
    """Return who owns an organization, of several the first; None where nobody does."""
    with tenant_scope(organization.pk):
        owned = Membership.objects.filter(organization_id=organization.pk, role=Role.OWNER)
        membership = owned.select_related("user").order_by("pk").first()
    return None if membership is None else membership.user


def acting(owner: User | None) -> Actor:
    """Return who is behind what the demo's owner did, where there is one."""
    return _ACTOR if owner is None else Actor(kind="user", user_id=owner.pk)


def create_demo_organization() -> CreatedOrganization:
    """Make the demo organization with its owner and a key of every scope, on a plan that has everything.

    It was made before any of its credentials.
    """
    with system_scope(actor=_ACTOR):
        terms = Plan.objects.filter(slug=_LIKE).values().get()
        own = {"id": None, "slug": PLAN, "name": "Enterprise with limits", "spend_limit": True}
        Plan.objects.get_or_create(slug=PLAN, defaults={**terms, **own})
    with clock.standing_at(clock.now() - AGE):
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


class Filling:
    """The demo's records on their way through the pipeline, as far as its time has come.

    ``tally`` is what came of them, ``seen`` when each credential was last used, by its name.
    """

    def __init__(self, demo: Demo) -> None:
        client_ids = {name: credential.client_id for name, credential in demo.credentials.items()}
        self.tally = Tally()
        self.seen: dict[str, datetime] = {}
        self._caller = importing(demo.organization, demo.credentials[GATEWAY.name].client_id)
        self._hours = hourly(demo.calendar, client_ids)
        self._next = next(self._hours, None)
        self._early: list[Dated] = []
        self._number = 0

    def until(self, moment: datetime) -> None:
        """Send what had happened by a moment, as it would have been received then."""
        with clock.standing_at(moment):
            run(self._lines(moment), self._caller, self.tally.add)

    def _lines(self, moment: datetime) -> Iterator[Line]:
        for dated in self._begun(moment):
            self._number += 1
            self.seen[dated.member] = max(dated.moment, self.seen.get(dated.member, dated.moment))
            yield self._number, dated.record

    def _begun(self, moment: datetime) -> Iterator[Dated]:
        """Yield what comes before a moment, and keep what a visit that has begun does after it."""
        waiting, self._early = self._early, []
        yield from self._sorted_out(waiting, moment)
        while self._next is not None and self._next[0] < moment:
            yield from self._sorted_out(self._next[1], moment)
            self._next = next(self._hours, None)

    def _sorted_out(self, some: Iterable[Dated], moment: datetime) -> Iterator[Dated]:
        for dated in some:
            if dated.moment < moment:
                yield dated
            else:
                self._early.append(dated)


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
    with clock.standing_at(now - member.age):
        issued = create_credential(
            organization_id=organization.pk,
            name=member.name,
            scopes=member.scopes,
            environment=member.environment,
        )
    credential, organization_id = issued.credential, organization.pk
    client_id = credential.client_id
    if member.rotated is not None:
        with clock.standing_at(now - member.rotated):
            rotated = rotate_credential(organization_id=organization_id, client_id=client_id)
            credential = rotated.credential
    if member.revoked is not None:
        with clock.standing_at(now - member.revoked):
            credential = revoke_credential(organization_id=organization_id, client_id=client_id)
    return credential
