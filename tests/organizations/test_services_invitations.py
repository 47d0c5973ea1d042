from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine

from core.problems import Problem
from organizations.models import Invitation, User
from organizations.roles import Role
from organizations.services import (
    CreatedOrganization,
    IssuedInvitation,
    accept_invitation,
    invite,
    withdraw_invitation,
)
from organizations.services.invitations import LIFETIME
from organizations.tenancy import system_scope
from tests.organizations.cast import make_user

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def offer(created: CreatedOrganization, email: str, **options: Any) -> IssuedInvitation:
    return invite(
        organization_id=created.organization.pk,
        email=email,
        invited_by_id=created.owner.pk,
        **{"role": Role.ANALYST, **options},
    )


def stored(issued: IssuedInvitation) -> Invitation:
    with system_scope():
        return Invitation.objects.get(pk=issued.invitation.pk)


@pytest.fixture
def guest(db: Any) -> User:
    return make_user()


def test_an_accepted_invitation_makes_a_member_once(acme: CreatedOrganization, guest: User) -> None:
    issued = offer(acme, guest.email.upper())
    membership = accept_invitation(token=issued.token, user=guest)
    assert (membership.organization_id, membership.role) == (acme.organization.pk, "analyst")
    assert stored(issued).accepted_at is not None
    with pytest.raises(Problem, match="404"):
        accept_invitation(token=issued.token, user=guest)


def test_the_token_is_not_kept(acme: CreatedOrganization, guest: User) -> None:
    issued = offer(acme, guest.email)
    assert issued.token not in str(vars(stored(issued)))
    assert issued.token not in repr(issued)


def test_an_invitation_is_for_its_address_only(acme: CreatedOrganization, guest: User) -> None:
    issued = offer(acme, "someone.else@example.org")
    with pytest.raises(Problem, match="404"):
        accept_invitation(token=issued.token, user=guest)
    assert stored(issued).accepted_at is None


@pytest.mark.parametrize(("after", "accepted"), [(LIFETIME - SECOND, True), (LIFETIME, False)])
def test_an_invitation_ends_after_a_week(
    acme: CreatedOrganization, guest: User, after: timedelta, accepted: bool
) -> None:
    with time_machine.travel(NOON, tick=False):
        issued = offer(acme, guest.email)
    with time_machine.travel(NOON + after, tick=False):
        if accepted:
            accept_invitation(token=issued.token, user=guest)
        else:
            with pytest.raises(Problem, match="404"):
                accept_invitation(token=issued.token, user=guest)


def test_a_withdrawn_invitation_is_over(acme: CreatedOrganization, guest: User) -> None:
    issued = offer(acme, guest.email)
    address = {"organization_id": acme.organization.pk, "invitation_id": issued.invitation.pk}
    withdraw_invitation(**address)
    with pytest.raises(Problem, match="404"):
        withdraw_invitation(**address)
    with pytest.raises(Problem, match="404"):
        accept_invitation(token=issued.token, user=guest)


def test_a_new_invitation_ends_the_one_before(acme: CreatedOrganization, guest: User) -> None:
    first = offer(acme, guest.email)
    second = offer(acme, guest.email, role=Role.BILLING)
    with pytest.raises(Problem, match="404"):
        accept_invitation(token=first.token, user=guest)
    assert accept_invitation(token=second.token, user=guest).role == "billing"


def test_a_member_is_not_invited(acme: CreatedOrganization) -> None:
    with pytest.raises(Problem, match="409 already_a_member"):
        offer(acme, acme.owner.email)


def test_another_organizations_invitation_can_not_be_withdrawn(
    acme: CreatedOrganization, globex: CreatedOrganization, guest: User
) -> None:
    issued = offer(globex, guest.email)
    with pytest.raises(Problem, match="404"):
        withdraw_invitation(organization_id=acme.organization.pk, invitation_id=issued.invitation.pk)


def test_only_owners_invite_owners(acme: CreatedOrganization, guest: User) -> None:
    with pytest.raises(Problem, match="403 role_required"):
        offer(acme, guest.email, role=Role.OWNER, by_role=Role.ADMIN)
    with pytest.raises(Problem, match="403 role_required"):
        offer(acme, guest.email, role=Role.ANALYST, by_role=Role.DEVELOPER)
    offer(acme, guest.email, role=Role.OWNER, by_role=Role.OWNER)
