"""What roles and credentials may do."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Final

from django.db.models import TextChoices


class Scope(StrEnum):
    """One permission that a credential can carry."""

    USAGE_WRITE = "usage:write"
    USAGE_READ = "usage:read"
    BILLING_READ = "billing:read"
    BILLING_WRITE = "billing:write"
    ALERTS_WRITE = "alerts:write"
    KEYS_WRITE = "keys:write"


ALL_SCOPES: Final = tuple(scope.value for scope in Scope)


class Role(TextChoices):
    """What a member is to the organization."""

    OWNER = "owner", "Owner"
    ADMIN = "admin", "Admin"
    BILLING = "billing", "Billing"
    ANALYST = "analyst", "Analyst"
    DEVELOPER = "developer", "Developer"


MANAGERS: Final = frozenset({Role.OWNER.value, Role.ADMIN.value})
"""The roles that manage members, settings and every credential."""

_ROLE_SCOPES: Final[dict[str, frozenset[str]]] = {
    Role.OWNER.value: frozenset(ALL_SCOPES),
    Role.ADMIN.value: frozenset(ALL_SCOPES),
    Role.BILLING.value: frozenset({Scope.USAGE_READ, Scope.BILLING_READ, Scope.BILLING_WRITE}),
    Role.ANALYST.value: frozenset({Scope.USAGE_READ, Scope.BILLING_READ}),
    Role.DEVELOPER.value: frozenset({Scope.USAGE_READ, Scope.KEYS_WRITE}),
}


def scopes_of(role: str) -> frozenset[str]:
    """Return the scopes that a member's session has; a developer's ``keys:write`` is for their own keys."""
    return _ROLE_SCOPES[role]


def unknown_scopes(scopes: Iterable[str]) -> list[str]:
    """Return what is not a scope, in the order given."""
    return [scope for scope in scopes if scope not in ALL_SCOPES]


def may_assign(by_role: str, role: str) -> bool:
    """Tell whether a member of ``by_role`` may give or take away ``role``: only owners make owners."""
    if role == Role.OWNER:
        return by_role == Role.OWNER
    return by_role in MANAGERS


def grantable(role: str | None, scopes: frozenset[str]) -> frozenset[str]:
    """Return the scopes that a new key may get from this role, or, without a role, from a key with these.

    Developers write and read usage with their own keys, though their session only reads.
    """
    if role == Role.DEVELOPER:
        return frozenset({Scope.USAGE_WRITE, Scope.USAGE_READ})
    return scopes
