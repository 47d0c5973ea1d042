"""Reads of organizations, their people and credentials; each takes the organization first."""

from core.problems import not_found
from organizations.models import Credential, Membership, Organization


def organization(organization_id: int) -> Organization:
    """Return an organization with its plan.

    Raises: `Problem` 404 when the scope does not show it.
    """
    found = Organization.objects.select_related("plan").filter(pk=organization_id).first()
    if found is None:
        raise not_found("There is no such organization.")
    return found


def members(organization_id: int) -> list[Membership]:
    """Return the members with their users, by e-mail address."""
    found = Membership.objects.filter(organization_id=organization_id)
    return list(found.select_related("user").order_by("user__email"))


def credentials(
    organization_id: int, *, limit: int, offset: int = 0, owned_by_id: int | None = None
) -> tuple[list[Credential], int]:
    """Return credentials, newest first, revoked ones too, and how many there are in all.

    With ``owned_by_id``, only that user's.
    """
    found = Credential.objects.filter(organization_id=organization_id).order_by("-created_at", "-pk")
    if owned_by_id is not None:
        found = found.filter(created_by_id=owned_by_id)
    page = list(found.select_related("created_by")[offset : offset + limit])
    return page, found.count()


def credential(organization_id: int, client_id: str, *, owned_by_id: int | None = None) -> Credential:
    """Return the credential with that Client ID.

    With ``owned_by_id``, only that user's exist.
    Raises: `Problem` 404.
    """
    found = Credential.objects.filter(organization_id=organization_id, client_id=client_id)
    if owned_by_id is not None:
        found = found.filter(created_by_id=owned_by_id)
    one = found.select_related("created_by").first()
    if one is None:
        raise not_found("There is no such credential.")
    return one
