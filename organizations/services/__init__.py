"""Writes to organizations: each a short transaction in its organization's scope."""

from organizations.services.credentials import (
    IssuedCredential,
    create_credential,
    revoke_credential,
    rotate_credential,
)
from organizations.services.invitations import (
    IssuedInvitation,
    accept_invitation,
    invite,
    withdraw_invitation,
)
from organizations.services.members import add_member, change_role, remove_member
from organizations.services.organizations import (
    CreatedOrganization,
    change_plan,
    create_organization,
    rename,
    set_timezone,
)

__all__ = [
    "CreatedOrganization",
    "IssuedCredential",
    "IssuedInvitation",
    "accept_invitation",
    "add_member",
    "change_plan",
    "change_role",
    "create_credential",
    "create_organization",
    "invite",
    "remove_member",
    "rename",
    "revoke_credential",
    "rotate_credential",
    "set_timezone",
    "withdraw_invitation",
]
