"""Who an import speaks for: an organization, and the credential that consumed what a line doesn't say."""

from typing import Final

from organizations.door import terms
from organizations.models import Credential, Organization
from organizations.roles import ALL_SCOPES
from organizations.tenancy import Caller, system_scope, tenant_scope
from usage.imports.errors import ImportProblem

_LISTED: Final = 20


def organization_named(slug: str) -> Organization:
    """Return the organization of that slug.

    Raises: `ImportProblem` naming those there are.
    Tenancy: looks through the whole system.
    """
    with system_scope():
        found = Organization.objects.select_related("plan").filter(slug=slug).first()
        if found is not None:
            return found
        slugs = list(Organization.objects.order_by("slug").values_list("slug", flat=True)[: _LISTED + 1])
    there = ", ".join([*slugs[:_LISTED], *(["…"] if len(slugs) > _LISTED else [])]) or "none yet"
    raise ImportProblem(f"There is no organization {slug[:63]!r}; there are: {there}.")


def importing(organization: Organization, client_id: str | None = None) -> Caller:
    """Return the caller that an operator's import is.

    Its credential is the one named, or the oldest that is active; without one each line has to name its own.
    Raises: `ImportProblem` when the one named isn't the organization's.
    """
    credential = _credential(organization, client_id)
    return Caller(
        organization_id=organization.pk,
        organization=organization.slug,
        organization_name=organization.name,
        timezone=organization.timezone,
        rollup_timezone=organization.rollup_timezone,
        currency=organization.currency,
        plan=terms(organization.plan, organization),
        credential_id=None if credential is None else credential.pk,
        client_id=None if credential is None else credential.client_id,
        user_id=None,
        role=None,
        scopes=frozenset(ALL_SCOPES),
    )


def _credential(organization: Organization, client_id: str | None) -> Credential | None:
    with tenant_scope(organization.pk):
        credentials = Credential.objects.filter(organization_id=organization.pk)
        if client_id is None:
            return credentials.filter(revoked_at=None).order_by("created_at", "pk").first()
        found = credentials.filter(client_id=client_id).first()
        if found is not None:
            return found
        active = credentials.filter(revoked_at=None).order_by("created_at", "pk")
        named = [f"{one.client_id} ({one.name})" for one in active[:_LISTED]]
    there = ", ".join(named) or "none yet"
    raise ImportProblem(f"{organization.slug} has no credential {client_id[:40]!r}; active are: {there}.")
