"""Reads of organizations, their people and credentials; each takes the organization first."""

from dataclasses import dataclass
from typing import Final

from django.db.models import F, Q, QuerySet

from core import keys
from core.problems import not_found
from organizations.models import Credential, Invitation, Membership, Organization

MEMBER_SORTS: Final = {
    "email": "user__email",
    "role": "role",
    "joined": "created_at",
    "seen": "user__last_login",
}


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


@dataclass(frozen=True, slots=True)
class MemberQuery:
    """A page of the members; ``search`` is looked for in names and addresses, whatever the case.

    ``sort`` is one of `MEMBER_SORTS`; who never signed in comes last.
    """

    search: str = ""
    sort: str = "email"
    descending: bool = False
    limit: int = 100
    offset: int = 0


def member_page(organization_id: int, query: MemberQuery) -> tuple[list[Membership], int]:
    """Return a page of the members with their users, and how many there are in all."""
    found = Membership.objects.filter(organization_id=organization_id)
    if query.search:
        found = found.filter(Q(user__email__icontains=query.search) | Q(user__name__icontains=query.search))
    by = F(MEMBER_SORTS[query.sort])
    first = by.desc(nulls_last=True) if query.descending else by.asc(nulls_last=True)
    page = found.select_related("user").order_by(first, "user__email")
    return list(page[query.offset : query.offset + query.limit]), found.count()


def open_invitations(organization_id: int, *, limit: int, offset: int) -> tuple[list[Invitation], int]:
    """Return invitations that are neither accepted nor withdrawn, and how many there are in all.

    The newest come first; expired ones are among them.
    """
    found = Invitation.objects.filter(organization_id=organization_id, accepted_at=None, withdrawn_at=None)
    page = found.order_by("-created_at", "-pk")[offset : offset + limit]
    return list(page), found.count()


def credentials(
    organization_id: int, *, limit: int, offset: int = 0, owned_by_id: int | None = None
) -> tuple[list[Credential], int]:
    """Return credentials, newest first, revoked ones too, and how many there are in all.

    With ``owned_by_id``, only that user's.
    """
    found = _credentials(organization_id, owned_by_id).order_by("-created_at", "-pk")
    page = list(found.select_related("created_by")[offset : offset + limit])
    return page, found.count()


def credential(organization_id: int, client_id: str, *, owned_by_id: int | None = None) -> Credential:
    """Return the credential with that Client ID.

    With ``owned_by_id``, only that user's exist.
    Raises: `Problem` 404.
    """
    found = _by_client_id(organization_id, client_id, owned_by_id)
    return _one(found.select_related("created_by"))


def locked_credential(organization_id: int, client_id: str, *, owned_by_id: int | None = None) -> Credential:
    """Return the credential with that Client ID, held until the transaction ends.

    With ``owned_by_id``, only that user's exist.
    Raises: `Problem` 404.
    """
    found = _by_client_id(organization_id, client_id, owned_by_id)
    return _one(found.select_for_update(no_key=True))


def _credentials(organization_id: int, owned_by_id: int | None) -> QuerySet[Credential]:
    found = Credential.objects.filter(organization_id=organization_id)
    return found if owned_by_id is None else found.filter(created_by_id=owned_by_id)


def _by_client_id(organization_id: int, client_id: str, owned_by_id: int | None) -> QuerySet[Credential]:
    found = _credentials(organization_id, owned_by_id)
    return found.filter(client_id=client_id) if keys.is_client_id(client_id) else found.none()


def _one(found: QuerySet[Credential]) -> Credential:
    one = found.first()
    if one is None:
        raise not_found("There is no such credential.")
    return one
