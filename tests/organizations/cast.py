"""Who appears in the tests: organizations with keys, members of every role, outsiders."""

from itertools import count
from typing import Any

from django.test import Client

from organizations.models import Membership, User
from organizations.services import (
    CreatedOrganization,
    IssuedCredential,
    create_credential,
    create_organization,
)
from organizations.tenancy import Caller, PlanTerms, tenant_scope

_numbers = count(1)


def make_organization(
    name: str = "Acme", *, plan: str = "professional", timezone: str = "UTC"
) -> CreatedOrganization:
    """Make an organization with its owner and a key of every scope."""
    number = next(_numbers)
    return create_organization(
        name=name, plan=plan, owner_email=f"owner{number}@{name.lower()}.example", timezone=timezone
    )


def make_user() -> User:
    """Make a person who belongs nowhere."""
    return User.objects.create_user(f"person{next(_numbers)}@example.org", "a password of theirs")


def make_member(created: CreatedOrganization, role: str) -> User:
    """Make a person with that role in the organization."""
    user = make_user()
    with tenant_scope(created.organization.pk):
        Membership.objects.create(organization=created.organization, user=user, role=role)
    return user


def make_key(created: CreatedOrganization, *scopes: str, created_by: User | None = None) -> IssuedCredential:
    """Make a key of the organization with those scopes."""
    return create_credential(
        organization_id=created.organization.pk,
        name="Made for a test",
        scopes=scopes,
        created_by_id=created_by.pk if created_by else None,
    )


def by_key(key: str) -> Client:
    """Return a client that sends the key."""
    return Client(headers={"Authorization": f"Bearer {key}"})


def signed_in(user: User, *, organization: str | None = None, check_csrf: bool = False) -> Client:
    """Return a client with the user's session, choosing an organization if one is named."""
    headers = {"X-Organization": organization} if organization else {}
    client = Client(headers=headers, enforce_csrf_checks=check_csrf)
    client.force_login(user)
    return client


def caller(**facts: Any) -> Caller:
    """Return a caller with these facts and plausible others."""
    values: dict[str, Any] = {
        "organization_id": 1,
        "organization": "acme",
        "organization_name": "Acme",
        "timezone": "UTC",
        "rollup_timezone": "UTC",
        "currency": "USD",
        "plan": PlanTerms("professional", "Professional", 365, True, 1000, False, False, True),
        "credential_id": None,
        "client_id": None,
        "user_id": None,
        "role": None,
        "scopes": frozenset(),
    }
    return Caller(**{**values, **facts})
