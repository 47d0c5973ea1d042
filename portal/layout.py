"""What surrounds every page: where one can go, in which organization one is, who one is."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest
from django.urls import reverse

from organizations.door import memberships_of
from organizations.models import User
from organizations.roles import Role
from organizations.tenancy import Caller
from portal.links import ORGANIZATION, address


@dataclass(frozen=True, slots=True)
class Link:
    """A way to go; ``current`` marks where one is."""

    label: str
    url: str
    current: bool = False


@dataclass(frozen=True, slots=True)
class Layout:
    """The frame of a page; ``organizations`` is empty for a member of only one.

    ``kept`` is the organization that links carry, so that two tabs never mix two organizations up.
    """

    user: User
    role: str
    organization: str
    kept: str | None
    navigation: list[Link]
    organizations: list[Link]


def layout(request: HttpRequest, user: User, caller: Caller, here: str) -> Layout:
    """Return the frame of the page named ``here``."""
    names = {one.organization.slug: one.organization.name for one in memberships_of(user)}
    kept = caller.organization if len(names) > 1 or ORGANIZATION in request.GET else None
    return Layout(
        user=user,
        role=Role(caller.role).label if caller.role else "",
        organization=caller.organization_name,
        kept=kept,
        navigation=_navigation(user, kept, here),
        organizations=_organizations(names, caller) if len(names) > 1 else [],
    )


def _navigation(user: User, kept: str | None, here: str) -> list[Link]:
    links = [
        Link("Overview", address("overview", organization=kept), current=here == "overview"),
        Link("API reference", reverse("docs")),
    ]
    if user.is_staff:
        links.append(Link("Admin", reverse("admin:index")))
    return links


def _organizations(names: dict[str, str], caller: Caller) -> list[Link]:
    return [
        Link(name, address("overview", organization=slug), current=slug == caller.organization)
        for slug, name in names.items()
    ]
