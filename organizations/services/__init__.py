"""Writes to organizations: each a short transaction in its organization's scope."""

from organizations.services.credentials import (
    IssuedCredential,
    create_credential,
    revoke_credential,
    rotate_credential,
)
from organizations.services.invitations import (
    IssuedInvitation,
    Offer,
    accept_invitation,
    invite,
    join,
    offer_of,
    withdraw_invitation,
)
from organizations.services.members import add_member, change_role, remove_member
from organizations.services.organizations import (
    CreatedOrganization,
    change_plan,
    create_organization,
    rename,
    require_second_factor,
    set_timezone,
)

__all__ = [
    "CreatedOrganization",
    "IssuedCredential",
    "IssuedInvitation",
    "Offer",
    "accept_invitation",
    "add_member",
    "change_plan",
    "change_role",
    "create_credential",
    "create_organization",
    "invite",
    "join",
    "offer_of",
    "remove_member",
    "rename",
    "require_second_factor",
    "revoke_credential",
    "rotate_credential",
    "set_timezone",
    "withdraw_invitation",
]
