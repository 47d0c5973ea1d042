from collections.abc import Iterator
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.db.models import ProtectedError

from core import clock, keys
from organizations.models import Credential, Invitation, Membership, Organization, Plan, User
from organizations.roles import Role
from organizations.services import CreatedOrganization
from organizations.tenancy import system_scope
from tests.organizations.cast import make_member, make_user

PLANS = {
    "free": (30, False, 60, False, False, False),
    "starter": (90, False, 300, False, False, True),
    "professional": (365, True, 1000, False, False, True),
    "pay-as-you-go": (90, False, 1000, True, False, True),
    "enterprise": (None, True, 60_000, False, True, True),
}


@pytest.fixture(autouse=True)
def _whole_system(db: Any) -> Iterator[None]:
    with system_scope():
        yield


def refuses(constraint: str) -> Any:
    return pytest.raises(IntegrityError, match=constraint)


def credential(organization: Organization, **fields: Any) -> Credential:
    values = {
        "client_id": keys.generate_client_id(),
        "name": "n",
        "scopes": ["usage:read"],
        "key_hash": keys.hash_key(keys.generate()),
        "key_hint": "abcd",
    }
    with transaction.atomic():
        return Credential.objects.create(organization=organization, **{**values, **fields})


def invitation(organization: Organization, **fields: Any) -> Invitation:
    moment = clock.now()
    values = {
        "email": "new@example.org",
        "role": Role.ANALYST,
        "token_hash": keys.hash_key(keys.generate()),
        "created_at": moment,
        "expires_at": moment + timedelta(days=7),
    }
    with transaction.atomic():
        return Invitation.objects.create(organization=organization, **{**values, **fields})


def test_the_plans_are_those_that_are_sold() -> None:
    found = {
        plan.slug: (
            plan.history_days,
            plan.exports,
            plan.requests_per_minute,
            plan.spend_limit,
            plan.invoices,
            plan.api_access,
        )
        for plan in Plan.objects.all()
    }
    assert found == PLANS
    assert list(found) == list(PLANS)


@pytest.mark.parametrize(
    ("field", "value", "constraint"),
    [("history_days", 0, "plan_history_days_positive"), ("requests_per_minute", 0, "plan_rate_positive")],
)
def test_a_plan_has_no_zero(field: str, value: int, constraint: str) -> None:
    with refuses(constraint), transaction.atomic():
        Plan.objects.filter(slug="free").update(**{field: value})
    assert Plan.objects.filter(slug="free").update(**{field: 1}) == 1


def test_an_address_is_one_persons_however_it_is_written() -> None:
    User.objects.create_user(" Ada@Example.ORG ", "x")
    assert User.objects.get_by_natural_key("ADA@example.org").email == "ada@example.org"
    with refuses("organizations_user_email"), transaction.atomic():
        User.objects.create_user("ada@example.org", "x")


def test_an_address_in_capitals_is_not_stored() -> None:
    with refuses("user_email_lower"), transaction.atomic():
        User.objects.create(email="Ada@example.org")


def test_a_person_is_called_by_name_or_else_by_address() -> None:
    user = User(email="a@b.example")
    assert user.get_full_name() == user.get_short_name() == "a@b.example"
    user.name = "Ada"
    assert user.get_short_name() == "Ada"


def test_a_superuser_is_an_operator() -> None:
    user = User.objects.create_superuser("root@example.org", "x")
    assert (user.is_staff, user.is_superuser) == (True, True)


def test_the_first_operator_is_made_from_the_command_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", "a long enough phrase")
    call_command("createsuperuser", "--noinput", "--email", "Root@Example.org", stdout=StringIO())
    user = User.objects.get(email="root@example.org")
    assert (user.is_staff, user.is_superuser) == (True, True)
    assert user.check_password("a long enough phrase")


@pytest.mark.parametrize(
    ("field", "bad", "good", "constraint"),
    [
        ("currency", "usd", "EUR", "organization_currency_iso"),
        ("currency", "US", "JPY", "organization_currency_iso"),
        ("requests_per_minute", 0, 1, "organization_rate_positive"),
        ("requests_per_minute", -1, None, "organization_rate_positive"),
    ],
)
def test_an_organizations_terms_are_of_their_form(
    acme: CreatedOrganization, field: str, bad: Any, good: Any, constraint: str
) -> None:
    rows = Organization.objects.filter(pk=acme.organization.pk)
    with refuses(constraint), transaction.atomic():
        rows.update(**{field: bad})
    assert rows.update(**{field: good}) == 1


def test_a_slug_is_one_organizations(acme: CreatedOrganization, globex: CreatedOrganization) -> None:
    with refuses("slug"), transaction.atomic():
        Organization.objects.filter(pk=globex.organization.pk).update(slug=acme.organization.slug)


def test_a_plan_in_use_and_an_organization_can_not_be_deleted(acme: CreatedOrganization) -> None:
    with pytest.raises(ProtectedError):
        acme.organization.plan.delete()
    with pytest.raises(ProtectedError):
        acme.organization.delete()


def test_a_person_is_a_member_once(acme: CreatedOrganization, globex: CreatedOrganization) -> None:
    user = make_member(acme, Role.ANALYST)
    with refuses("membership_once"), transaction.atomic():
        Membership.objects.create(organization=acme.organization, user=user, role=Role.ADMIN)
    Membership.objects.create(organization=globex.organization, user=user, role=Role.ADMIN)


def test_a_role_is_one_of_five(acme: CreatedOrganization) -> None:
    with refuses("membership_role_known"), transaction.atomic():
        Membership.objects.create(organization=acme.organization, user=make_user(), role="king")
    with refuses("invitation_role_known"):
        invitation(acme.organization, role="king")
    for role in Role.values:
        make_member(acme, role)


def test_an_organization_keeps_an_owner_whatever_removes_people(acme: CreatedOrganization) -> None:
    with refuses("would be left without an owner"), transaction.atomic():
        User.objects.filter(pk=acme.owner.pk).delete()
        connection.check_constraints()
    make_member(acme, Role.OWNER)
    User.objects.filter(pk=acme.owner.pk).delete()
    connection.check_constraints()


def test_ownership_can_be_handed_over_in_either_order(acme: CreatedOrganization) -> None:
    heir = make_member(acme, Role.ADMIN)
    with transaction.atomic():
        Membership.objects.filter(user=acme.owner).update(role=Role.ADMIN)
        Membership.objects.filter(user=heir).update(role=Role.OWNER)
        connection.check_constraints()


def test_an_address_has_one_open_invitation(acme: CreatedOrganization, globex: CreatedOrganization) -> None:
    first = invitation(acme.organization)
    with refuses("invitation_one_open"):
        invitation(acme.organization)
    invitation(globex.organization)
    first.withdrawn_at = clock.now()
    first.save(update_fields=["withdrawn_at"])
    invitation(acme.organization, accepted_at=clock.now())
    invitation(acme.organization)


def test_an_invitation_is_to_a_plain_address_and_ends_after_it_began(acme: CreatedOrganization) -> None:
    with refuses("invitation_email_lower"):
        invitation(acme.organization, email="New@example.org")
    moment = clock.now()
    with refuses("invitation_expires_later"):
        invitation(acme.organization, created_at=moment, expires_at=moment)


@pytest.mark.parametrize(
    "client_id", ["cl_short", "cl_" + "!" * 20, "xx_" + "0" * 20, "cl_" + "0" * 19 + "\n"]
)
def test_a_client_id_is_of_its_form(acme: CreatedOrganization, client_id: str) -> None:
    with refuses("credential_client_id_format"):
        credential(acme.organization, client_id=client_id)


def test_a_client_id_and_a_key_are_one_credentials(
    acme: CreatedOrganization, globex: CreatedOrganization
) -> None:
    first = credential(acme.organization)
    with refuses("client_id"):
        credential(globex.organization, client_id=first.client_id)
    with refuses("key_hash"):
        credential(globex.organization, key_hash=first.key_hash)


@pytest.mark.parametrize("scopes", [[], ["usage:read", "everything"], ["USAGE:READ"]])
def test_a_credential_has_scopes_that_exist(acme: CreatedOrganization, scopes: list[str]) -> None:
    with refuses("credential_scopes_known"):
        credential(acme.organization, scopes=scopes)
    credential(acme.organization, scopes=["usage:read", "usage:write"])


def test_rows_say_what_they_are(acme: CreatedOrganization) -> None:
    made = credential(acme.organization, name="CI")
    assert str(made) == f"CI ({made.client_id})"
    assert str(acme.organization) == "Acme"
    assert str(acme.organization.plan) == "Professional"
    assert str(invitation(acme.organization)) == "new@example.org as analyst"
    assert str(Membership.objects.get(user=acme.owner)) == f"{acme.owner.pk} as owner"
