"""Who belongs to the demo's organization: a member of each role, come one after another, and one invited."""

import secrets
from datetime import datetime, timedelta
from typing import Final

from core import clock
from organizations.models import Invitation, User
from organizations.roles import Role
from organizations.services import invite, join
from organizations.tenancy import tenant_scope
from usage.demo.load import OWNER, Demo, acting, owner_of

TEAM: Final = (
    ("platform@acme.example", "Platform team", Role.ADMIN, timedelta(days=205, hours=2, minutes=17)),
    ("finance@acme.example", "Finance", Role.BILLING, timedelta(days=171, hours=5, minutes=41)),
    ("data@acme.example", "Data team", Role.ANALYST, timedelta(days=96, hours=1, minutes=8)),
    ("mobile@acme.example", "Mobile team", Role.DEVELOPER, timedelta(days=52, hours=3, minutes=29)),
)
"""Addresses, names, roles, and how long ago each was invited; roles of a firm, not persons."""
INVITED: Final = ("partner@acme.example", Role.ANALYST, timedelta(hours=30, minutes=52))
_ACCEPTED_AFTER: Final = timedelta(hours=3, minutes=20)


def bring(demo: Demo) -> None:
    """Invite the demo's members and have all but one accept, each when it would have been.

    Nothing in an organization of somebody else's, or when it was done before.
    """
    organization, owner = demo.organization, owner_of(demo.organization)
    with tenant_scope(organization.pk):
        is_done = Invitation.objects.filter(organization_id=organization.pk).exists()
    known = User.objects.filter(email__in=[address for address, *_ in TEAM])
    if owner is None or owner.email != OWNER or is_done or known.exists():
        return
    for address, name, role, ago in TEAM:
        _join(demo, owner, (address, name, role), demo.calendar.now - ago)
    address, role, ago = INVITED
    with clock.standing_at(demo.calendar.now - ago):
        _invite(demo, owner, address, role)


def _join(demo: Demo, owner: User, who: tuple[str, str, Role], moment: datetime) -> None:
    address, name, role = who
    with clock.standing_at(moment):
        token = _invite(demo, owner, address, role)
    with clock.standing_at(moment + _ACCEPTED_AFTER):
        # Nobody signs in as them until the password is reset.
        join(token=token, name=name, password=secrets.token_urlsafe(32))


def _invite(demo: Demo, owner: User, address: str, role: Role) -> str:
    with tenant_scope(demo.organization.pk, actor=acting(owner)):
        issued = invite(
            organization_id=demo.organization.pk, email=address, role=role, invited_by_id=owner.pk
        )
    return issued.token
