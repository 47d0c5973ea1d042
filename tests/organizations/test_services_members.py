import threading

import pytest
from django.db import IntegrityError, connection

from core.problems import Problem
from organizations.models import Membership
from organizations.queries import members
from organizations.roles import Role
from organizations.services import CreatedOrganization, add_member, change_role, remove_member
from organizations.tenancy import tenant_scope
from tests.organizations.cast import make_key, make_member, make_organization, make_user


def roles(created: CreatedOrganization) -> dict[int, str]:
    with tenant_scope(created.organization.pk):
        return {membership.user_id: membership.role for membership in members(created.organization.pk)}


def test_a_person_is_added_once(acme: CreatedOrganization) -> None:
    user = make_user()
    add_member(organization_id=acme.organization.pk, user_id=user.pk, role=Role.BILLING)
    with pytest.raises(Problem, match="409 already_a_member"):
        add_member(organization_id=acme.organization.pk, user_id=user.pk, role=Role.ADMIN)
    assert roles(acme) == {acme.owner.pk: "owner", user.pk: "billing"}


def test_the_last_owner_stays_and_stays_owner(acme: CreatedOrganization) -> None:
    make_member(acme, Role.ADMIN)
    organization_id, owner_id = acme.organization.pk, acme.owner.pk
    with pytest.raises(Problem, match="409 last_owner"):
        remove_member(organization_id=organization_id, user_id=owner_id)
    with pytest.raises(Problem, match="409 last_owner"):
        change_role(organization_id=organization_id, user_id=owner_id, role=Role.ADMIN)
    change_role(organization_id=organization_id, user_id=owner_id, role=Role.OWNER)
    assert roles(acme)[owner_id] == "owner"


def test_with_another_owner_the_first_can_go(acme: CreatedOrganization) -> None:
    heir = make_member(acme, Role.ADMIN)
    change_role(organization_id=acme.organization.pk, user_id=heir.pk, role=Role.OWNER)
    remove_member(organization_id=acme.organization.pk, user_id=acme.owner.pk)
    assert roles(acme) == {heir.pk: "owner"}
    connection.check_constraints()


def test_an_admin_neither_makes_nor_unmakes_owners(acme: CreatedOrganization) -> None:
    organization_id, user = acme.organization.pk, make_member(acme, Role.ANALYST)
    second = make_member(acme, Role.OWNER)
    for attempt in (
        lambda: change_role(organization_id=organization_id, user_id=user.pk, role="owner", by_role="admin"),
        lambda: change_role(
            organization_id=organization_id, user_id=second.pk, role="admin", by_role="admin"
        ),
        lambda: remove_member(organization_id=organization_id, user_id=second.pk, by_role="admin"),
        lambda: add_member(organization_id=organization_id, user_id=1, role="owner", by_role="admin"),
        lambda: add_member(organization_id=organization_id, user_id=1, role="analyst", by_role="billing"),
    ):
        with pytest.raises(Problem, match="403 role_required"):
            attempt()
    change_role(organization_id=organization_id, user_id=user.pk, role="developer", by_role="admin")
    remove_member(organization_id=organization_id, user_id=second.pk, by_role="owner")
    assert roles(acme) == {acme.owner.pk: "owner", user.pk: "developer"}


def test_who_is_no_member_here_is_not_found(acme: CreatedOrganization, globex: CreatedOrganization) -> None:
    for organization_id in (acme.organization.pk, 999_999):
        with pytest.raises(Problem, match="404 not_found"):
            remove_member(organization_id=organization_id, user_id=globex.owner.pk)


def test_the_credentials_of_who_leaves_stay(acme: CreatedOrganization) -> None:
    developer = make_member(acme, Role.DEVELOPER)
    issued = make_key(acme, "usage:read", created_by=developer)
    remove_member(organization_id=acme.organization.pk, user_id=developer.pk)
    with tenant_scope(acme.organization.pk):
        issued.credential.refresh_from_db()
    assert issued.credential.revoked_at is None
    assert issued.credential.created_by_id == developer.pk


@pytest.mark.django_db(transaction=True)
def test_two_owners_can_not_remove_each_other_at_once() -> None:
    created = make_organization()
    other = make_member(created, Role.OWNER)
    together, outcomes = threading.Barrier(2, timeout=10), []

    def remove(user_id: int) -> None:
        together.wait()
        try:
            remove_member(organization_id=created.organization.pk, user_id=user_id)
            outcomes.append("removed")
        except Problem as problem:
            outcomes.append(problem.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=remove, args=[user.pk]) for user in (created.owner, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["last_owner", "removed"]
    with tenant_scope(created.organization.pk):
        assert Membership.objects.filter(role=Role.OWNER).count() == 1


@pytest.mark.django_db(transaction=True)
def test_code_that_does_not_take_the_lock_can_not_remove_the_last_owner_either() -> None:
    created = make_organization()
    other = make_member(created, Role.OWNER)
    together, outcomes = threading.Barrier(2, timeout=10), []

    def remove(user_id: int) -> None:
        try:
            with tenant_scope(created.organization.pk):
                Membership.objects.filter(user_id=user_id).delete()
                together.wait()
            outcomes.append("removed")
        except IntegrityError as error:
            outcomes.append("kept" if "without an owner" in str(error) else str(error))
        finally:
            connection.close()

    threads = [threading.Thread(target=remove, args=[user.pk]) for user in (created.owner, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["kept", "removed"]
