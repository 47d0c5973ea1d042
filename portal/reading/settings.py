"""What the Settings show: people, open invitations, and the audit trail."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from core import clock
from core.paging import CursorPage
from core.periods import zone
from organizations import queries
from organizations.audit import AuditActor, AuditEntry, audit_page
from organizations.models import Membership
from organizations.roles import Role, may_assign
from organizations.tenancy import Caller
from portal import times
from portal.measures import NONE

_VERBS: Final = {"created": "made", "updated": "changed", "deleted": "removed"}

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


@dataclass(frozen=True, slots=True)
class Change:
    """One change of one thing: when, by whom, and what of it from what to what."""

    at: str
    exact: str
    by: str
    what: str
    subject: str
    fields: list[tuple[str, str, str]]


@dataclass(frozen=True, slots=True)
class Audit:
    """A page of the trail."""

    entries: list[Change]
    cursor: str | None
    zone: str


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


def kind_label(kind: str) -> str:
    """Return what a kind of row in the trail is called."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", kind).capitalize()


def audit(caller: Caller, page: CursorPage, kind: str) -> Audit:
    """Return a page of the trail, of one kind or of all.

    Raises: `Problem` 400 for a cursor of other filters.
    Tenancy: call in the tenant's scope.
    """
    entries, cursor = audit_page(caller.organization_id, page, kinds=[kind] if kind else [])
    label = times.zone_label(zone(caller.timezone), clock.now())
    return Audit([_change(entry, caller) for entry in entries], cursor, label)


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


def _change(entry: AuditEntry, caller: Caller) -> Change:
    tz = zone(caller.timezone)
    return Change(
        at=times.second(entry.at, tz),
        exact=entry.at.isoformat(),
        by=_who(entry.actor),
        what=f"{kind_label(entry.kind)} {_VERBS[entry.action]}",
        subject=entry.subject,
        fields=[(one.field, _said(one.before), _said(one.after)) for one in entry.changes],
    )


def _who(actor: AuditActor) -> str:
    named = actor.user or actor.client_id
    if named is not None:
        return named
    return f"the system ({actor.job})" if actor.job else "the system"


def _said(value: Any) -> str:
    if value is None:
        return NONE
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return str(value)
