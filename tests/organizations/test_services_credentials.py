from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine

from core import keys
from core.problems import Problem
from organizations.models import Credential
from organizations.roles import ALL_SCOPES
from organizations.services import (
    CreatedOrganization,
    IssuedCredential,
    create_credential,
    revoke_credential,
    rotate_credential,
)
from organizations.tenancy import system_scope
from tests.organizations.cast import make_key, make_user

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


def stored(issued: IssuedCredential) -> Credential:
    with system_scope():
        return Credential.objects.get(pk=issued.credential.pk)


def refusal(expected: str) -> pytest.RaisesExc[Problem]:
    return pytest.raises(Problem, match=expected)


def test_a_secret_is_returned_once_and_only_its_hash_is_kept(acme: CreatedOrganization) -> None:
    issued = make_key(acme, "usage:read", "usage:write", "usage:read")
    row = stored(issued)
    assert keys.is_well_formed(issued.key)
    assert bytes(row.key_hash) == keys.hash_key(issued.key)
    assert row.key_hint == issued.key[-4:]
    assert row.scopes == ["usage:read", "usage:write"]
    assert (row.environment, row.last_used_at, row.rotated_at, row.revoked_at) == (
        "production",
        None,
        None,
        None,
    )
    values = [str(value) for value in vars(row).values()]
    assert not any(issued.key in value for value in values)
    assert issued.key not in repr(issued)


def test_a_scope_that_does_not_exist_is_named(acme: CreatedOrganization) -> None:
    with refusal("422 invalid: There is no scope 'usage:delete'; accepted: usage:write, ") as caught:
        make_key(acme, "usage:read", "usage:delete")
    assert [(error.pointer, error.code) for error in caught.value.errors] == [("/scopes", "unknown_scope")]
    with refusal("422 invalid: A key needs at least one scope"):
        make_key(acme)


def test_nobody_hands_out_more_than_they_may(acme: CreatedOrganization) -> None:
    with refusal("403 scope_required: You can't hand out more than you may yourself: billing:write"):
        create_credential(
            organization_id=acme.organization.pk,
            name="n",
            scopes=["usage:read", "billing:write"],
            grantable=frozenset({"usage:read"}),
        )


def test_rotation_replaces_the_secret_and_nothing_else(acme: CreatedOrganization) -> None:
    before = stored(acme.issued)
    with time_machine.travel(NOON, tick=False):
        issued = rotate_credential(organization_id=acme.organization.pk, client_id=before.client_id)
    after = stored(issued)
    assert bytes(after.key_hash) == keys.hash_key(issued.key) != bytes(before.key_hash)
    assert (after.key_hint, after.rotated_at) == (issued.key[-4:], NOON)
    assert (after.pk, after.client_id, after.scopes, after.name) == (
        before.pk,
        before.client_id,
        before.scopes,
        before.name,
    )


def test_rotating_a_key_that_may_more_is_refused(acme: CreatedOrganization) -> None:
    with refusal("403 scope_required"):
        rotate_credential(
            organization_id=acme.organization.pk,
            client_id=acme.issued.credential.client_id,
            grantable=frozenset(ALL_SCOPES[1:]),
        )
    assert bytes(stored(acme.issued).key_hash) == keys.hash_key(acme.issued.key)


def test_revocation_is_for_good_and_keeps_its_first_moment(acme: CreatedOrganization) -> None:
    address: dict[str, Any] = {
        "organization_id": acme.organization.pk,
        "client_id": acme.issued.credential.client_id,
    }
    with time_machine.travel(NOON, tick=False):
        revoke_credential(**address)
    revoke_credential(**address)
    assert stored(acme.issued).revoked_at == NOON
    with refusal("409 credential_revoked"):
        rotate_credential(**address)


def test_another_organizations_credential_does_not_exist(
    acme: CreatedOrganization, globex: CreatedOrganization
) -> None:
    address: dict[str, Any] = {
        "organization_id": acme.organization.pk,
        "client_id": globex.issued.credential.client_id,
    }
    for change in (revoke_credential, rotate_credential):
        with refusal("404 not_found"):
            change(**address)
    assert stored(globex.issued).revoked_at is None


def test_with_an_owner_only_their_credentials_exist(acme: CreatedOrganization) -> None:
    developer = make_user()
    mine, organizations_own = make_key(acme, "usage:read", created_by=developer), acme.issued
    organization_id = acme.organization.pk
    with refusal("404 not_found"):
        revoke_credential(
            organization_id=organization_id,
            client_id=organizations_own.credential.client_id,
            owned_by_id=developer.pk,
        )
    revoke_credential(
        organization_id=organization_id, client_id=mine.credential.client_id, owned_by_id=developer.pk
    )
    assert stored(mine).revoked_at is not None
