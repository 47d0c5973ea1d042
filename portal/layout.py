"""What surrounds every page: where one can go, in which organization one is, who one is."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from itertools import groupby

from django.http import HttpRequest
from django.urls import reverse

from core import clock
from organizations.door import memberships_of
from organizations.models import User
from organizations.roles import Role
from organizations.tenancy import Caller
from portal.links import ORGANIZATION, address
from portal.registry import entry_of, is_page, menu
from portal.strip import Strip, strip


@dataclass(frozen=True, slots=True)
class Link:
    """A way to go; ``current`` marks where one is."""

    label: str
    url: str
    current: bool = False


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the menu; the first has no label."""

    label: str
    links: list[Link]


@dataclass(frozen=True, slots=True)
class Layout:
    """The frame of a page; ``names``, ``organizations`` and ``across`` are empty for a member of only one.

    ``kept`` is the organization that links carry, so that two tabs never mix two organizations up.
    """

    user: User
    role: str
    organization: str
    names: dict[str, str]
    kept: str | None
    home: str
    navigation: list[Section]
    organizations: list[Link]
    across: str
    strip: Strip | None


def layout(request: HttpRequest, user: User, caller: Caller, here: str) -> Layout:
    """Return the frame of the page named ``here``, or of none of the menu's.

    Tenancy: call in the tenant's scope.
    """
    names = names_of(user)
    kept = caller.organization if names or ORGANIZATION in request.GET else None
    return Layout(
        user=user,
        role=Role(caller.role).label if caller.role else "",
        organization=caller.organization_name,
        names=names,
        kept=kept,
        home=address("overview", organization=kept),
        navigation=_navigation(user, caller, kept, here),
        organizations=_organizations(names, caller, here),
        across=address("organizations", organization=kept) if names else "",
        strip=strip(caller, clock.now(), partial(address, organization=kept)),
    )


def names_of(user: User) -> dict[str, str]:
    """Return the names of a user's organizations by their short names; none for a member of only one.

    Tenancy: looks through the whole system.
    """
    names = {one.organization.slug: one.organization.name for one in memberships_of(user)}
    return names if len(names) > 1 else {}


def _navigation(user: User, caller: Caller, kept: str | None, here: str) -> list[Section]:
    current = _place(here)
    shown = [entry for entry in menu() if entry.shown_to(user, caller)]
    sections = [
        Section(
            group.value,
            [Link(one.label, address(one.name, organization=kept), one.name == current) for one in entries],
        )
        for group, entries in groupby(shown, key=lambda entry: entry.group)
    ]
    if user.is_staff:
        sections.append(Section("Operator", [Link("Admin", reverse("admin:index"))]))
    return sections


def _organizations(names: dict[str, str], caller: Caller, here: str) -> list[Link]:
    """Return the same page of each organization, or the page above one that only one of them has."""
    target = _place(here) or "overview"
    return [
        Link(name, address(target, organization=slug), current=slug == caller.organization)
        for slug, name in names.items()
    ]


def _place(here: str) -> str:
    """Return the page of the menu that a page belongs to."""
    return (entry_of(here).under or here) if is_page(here) else ""
