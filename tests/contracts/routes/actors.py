"""Everybody who may come to an address: members by role, and those who are none."""

from __future__ import annotations

from typing import Final

from django.contrib.auth.models import Permission
from django.test import Client

from organizations.models import User
from organizations.roles import Role
from tests.portal.pages import sign_in, signed_in
from tests.usage.factories import Tenant

STRANGER: Final = "stranger"
"""Not signed in."""
OUTSIDER: Final = "outsider"
"""Signed in, of no organization."""
STAFF: Final = "staff"
"""An operator without a permission."""
VIEWER: Final = "viewer"
"""An operator who may see everything, and change nothing."""
SUPERUSER: Final = "superuser"

MEMBERS: Final = frozenset(Role.values)
STRANGERS: Final = frozenset({STRANGER})
OPERATORS: Final = frozenset({STAFF, VIEWER, SUPERUSER})
SIGNED_IN: Final = MEMBERS | OPERATORS | {OUTSIDER}
ANYONE: Final = SIGNED_IN | STRANGERS
NOT_MEMBERS: Final = ANYONE - MEMBERS


def users() -> dict[str, User]:
    """Make those who belong to no organization."""
    made = {name: User.objects.create_user(f"{name}@example.org", "!") for name in (OUTSIDER, STAFF, VIEWER)}
    for name in (STAFF, VIEWER):
        made[name].is_staff = True
        made[name].save(update_fields=["is_staff"])
    made[VIEWER].user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    return {**made, SUPERUSER: User.objects.create_superuser("superuser@example.org", "!")}


def cast(tenant: Tenant) -> dict[str, Client]:
    """Return a client of everybody there is."""
    members = {role: sign_in(tenant, role) for role in Role.values}
    others = {name: signed_in(user) for name, user in users().items()}
    return {**members, **others, STRANGER: Client()}
