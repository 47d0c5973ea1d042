"""What the Settings show of people: members, and open invitations."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from core import clock
from core.periods import zone
from organizations import queries
from organizations.models import Membership
from organizations.roles import Role, may_assign
from organizations.tenancy import Caller
from portal import times

To = Callable[..., str]


@dataclass(frozen=True, slots=True)
class Person:
    """A member; the addresses are empty for what may not be done."""

    name: str
    email: str
    role: str
    role_label: str
    since: str
    last_seen: str
    is_self: bool
    change: str
    remove: str


@dataclass(frozen=True, slots=True)
class Offer:
    """An open invitation."""

    email: str
    role: str
    until: str
    is_over: bool
    withdraw: str


def people(caller: Caller, to: To) -> list[Person]:
    """Return the members, by e-mail address.

    Tenancy: call in the tenant's scope.
    """
    return [_person(one, caller, to) for one in queries.members(caller.organization_id)]


def invitations(caller: Caller, to: To) -> list[Offer]:
    """Return the open invitations, newest first.

    Tenancy: call in the tenant's scope.
    """
    now, tz = clock.now(), zone(caller.timezone)
    return [
        Offer(
            email=one.email,
            role=str(Role(one.role).label),
            until=times.minute(one.expires_at, tz),
            is_over=one.expires_at <= now,
            withdraw=to("withdraw", str(one.pk)),
        )
        for one in queries.open_invitations(caller.organization_id)
    ]


def _person(one: Membership, caller: Caller, to: To) -> Person:
    tz, user = zone(caller.timezone), one.user
    may = may_assign(caller.role or "", one.role)
    return Person(
        name=user.name,
        email=user.email,
        role=one.role,
        role_label=str(Role(one.role).label),
        since=times.minute(one.created_at, tz),
        last_seen="Never" if user.last_login is None else times.minute(user.last_login, tz),
        is_self=user.pk == caller.user_id,
        change=to("role", str(user.pk)) if may else "",
        remove=to("remove", str(user.pk)) if may else "",
    )
