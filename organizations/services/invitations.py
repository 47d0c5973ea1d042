"""Offers of membership by e-mail."""

import hashlib
import secrets
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from core import clock
from core.problems import conflict, forbidden, not_found
from organizations.models import Invitation, Membership, User, normalize_email
from organizations.roles import may_assign
from organizations.services.locks import lock_organization
from organizations.services.members import add_member
from organizations.tenancy import system_scope, tenant_scope

LIFETIME: Final = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class IssuedInvitation:
    """An invitation with the token that its e-mail carries, which is not stored."""

    invitation: Invitation
    token: str = field(repr=False)


def invite(
    *, organization_id: int, email: str, role: str, invited_by_id: int | None, by_role: str | None = None
) -> IssuedInvitation:
    """Offer a membership; an earlier open offer to the same address ends.

    Raises: `Problem` 409 when the address is a member's, 403 when the role may not give that role.
    """
    if by_role is not None and not may_assign(by_role, role):
        raise forbidden(f"The role {by_role} can't give the role {role}.", code="role_required")
    email, token, moment = normalize_email(email), secrets.token_urlsafe(32), clock.now()
    with tenant_scope(organization_id):
        lock_organization(organization_id)
        if Membership.objects.filter(organization_id=organization_id, user__email=email).exists():
            raise conflict("They are a member already.", code="already_a_member")
        open_offers = Invitation.objects.filter(organization_id=organization_id, email=email)
        open_offers.filter(accepted_at=None, withdrawn_at=None).update(withdrawn_at=moment)
        invitation = Invitation.objects.create(
            organization_id=organization_id,
            email=email,
            role=role,
            token_hash=_hash(token),
            invited_by_id=invited_by_id,
            created_at=moment,
            expires_at=moment + LIFETIME,
        )
    return IssuedInvitation(invitation, token)


def withdraw_invitation(*, organization_id: int, invitation_id: int) -> None:
    """End an open offer.

    Raises: `Problem` 404 when there is no such open offer.
    """
    with tenant_scope(organization_id):
        offers = Invitation.objects.filter(organization_id=organization_id, pk=invitation_id)
        if offers.filter(accepted_at=None, withdrawn_at=None).update(withdrawn_at=clock.now()) != 1:
            raise not_found("There is no such open invitation.")


def accept_invitation(*, token: str, user: User) -> Membership:
    """Make the invited user a member.

    Raises: `Problem` 404 for a token that is unknown, expired, used or another address's.
    Concurrency: one of several attempts with the same token succeeds.
    """
    moment = clock.now()
    with system_scope():
        offer = Invitation.objects.filter(token_hash=_hash(token), email=user.email).first()
        still_open = Invitation.objects.filter(accepted_at=None, withdrawn_at=None, expires_at__gt=moment)
        if offer is None or still_open.filter(pk=offer.pk).update(accepted_at=moment) != 1:
            raise not_found("This invitation is not open, or not for your address.")
        return add_member(organization_id=offer.organization_id, user_id=user.pk, role=offer.role)


@dataclass(frozen=True, slots=True)
class Offer:
    """An open invitation as the invited person reads it; ``has_account`` tells whether they are known."""

    email: str
    role: str
    organization: str
    organization_name: str
    has_account: bool


def offer_of(token: str) -> Offer:
    """Return the open invitation of a token.

    Raises: `Problem` 404 for one that is unknown, expired or used.
    Tenancy: looks through the whole system for this token's invitation only.
    """
    with system_scope():
        found = Invitation.objects.select_related("organization").filter(
            token_hash=_hash(token), accepted_at=None, withdrawn_at=None, expires_at__gt=clock.now()
        )
        invitation = found.first()
        if invitation is None:
            raise not_found("This invitation is not open any more. Whoever sent it can send another.")
        return Offer(
            email=invitation.email,
            role=invitation.role,
            organization=invitation.organization.slug,
            organization_name=invitation.organization.name,
            has_account=User.objects.filter(email=invitation.email).exists(),
        )


def join(*, token: str, name: str, password: str) -> User:
    """Make an account for the invited person, who was not known, and the member they were invited to be.

    Raises: `Problem` 404 for a token that is unknown, expired or used, 409 for somebody who has an account.
    Concurrency: nothing is left of an attempt that fails.
    """
    offer = offer_of(token)
    with system_scope():
        if User.objects.filter(email=offer.email).exists():
            raise conflict("You have an account: sign in to accept the invitation.", code="has_account")
        user = User.objects.create_user(offer.email, password, name=name.strip())
        accept_invitation(token=token, user=user)
    return user


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
