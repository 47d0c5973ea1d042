"""What the Settings show of people: members, and open invitations."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from core import clock
from core.periods import zone
from organizations import queries
from organizations.models import Membership
from organizations.roles import Role, may_assign
from organizations.tenancy import Caller
from portal import numbers, times
from portal.tables import PAGE_SIZE, Column, Pages, Sorting, ordered, sortable, turned

To = Callable[..., str]
_HEADS: Final = {"email": "Member", "role": "Role", "joined": "Joined", "seen": "Last sign-in"}
SORTS: Final = tuple(_HEADS)


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


@dataclass(frozen=True, slots=True)
class People:
    """A page of the members; ``columns`` are their headings but the last, which is of what can be done."""

    columns: list[Column]
    people: list[Person]
    pages: Pages | None
    said: str


@dataclass(frozen=True, slots=True)
class Offers:
    """A page of open invitations."""

    offers: list[Offer]
    pages: Pages | None


def people(caller: Caller, sort: Sorting, search: str, *, to: To, here: To) -> People:
    """Return a page of the members.

    Tenancy: call in the tenant's scope.
    """

    def read(offset: int) -> tuple[list[Membership], int]:
        query = queries.MemberQuery(search, sort.by, sort.descending, limit=PAGE_SIZE, offset=offset)
        return queries.member_page(caller.organization_id, query)

    found = turned(read, sort.page, ordered(sort, here))
    return People(
        columns=[sortable(head, name, sort, here, rising=True) for name, head in _HEADS.items()],
        people=[_person(one, caller, to) for one in found.rows],
        pages=found.pages,
        said=f"{numbers.exact(found.total)} {'member' if found.total == 1 else 'members'}",
    )


def invitations(caller: Caller, number: int, *, to: To, here: To) -> Offers:
    """Return a page of the open invitations, newest first.

    Tenancy: call in the tenant's scope.
    """
    now, tz = clock.now(), zone(caller.timezone)

    def at(page: str) -> str:
        return here(invitations=page)

    found = turned(
        lambda offset: queries.open_invitations(caller.organization_id, limit=PAGE_SIZE, offset=offset),
        number,
        at,
    )
    offers = [
        Offer(
            email=one.email,
            role=str(Role(one.role).label),
            until=times.minute(one.expires_at, tz),
            is_over=one.expires_at <= now,
            withdraw=to("withdraw", str(one.pk)),
        )
        for one in found.rows
    ]
    return Offers(offers, found.pages)


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
