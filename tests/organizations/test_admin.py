from types import SimpleNamespace
from typing import Any

import pytest
from django.apps import apps
from django.test import Client

from core import keys
from organizations.admin.showing import money
from organizations.models import Credential, Membership, Organization, Plan, User
from organizations.roles import Role
from organizations.services import CreatedOrganization, invite
from organizations.tenancy import system_scope
from tests.organizations.cast import make_member, make_organization, make_user, signed_in

ADMIN = "/admin/organizations"
MODELS = [
    "user",
    "plan",
    "organization",
    "credential",
    "invitation",
    "organizationevent",
    "membershipevent",
    "invitationevent",
    "credentialevent",
    "planevent",
]


@pytest.fixture
def operator(db: Any) -> User:
    """Somebody who runs the whole system."""
    return User.objects.create_superuser("operator@example.org", "x")


@pytest.fixture
def client(operator: User) -> Client:
    """The operator, signed in."""
    return signed_in(operator)


def organization_form(
    created: CreatedOrganization, members: list[Membership], **fields: Any
) -> dict[str, Any]:
    row = created.organization
    form = {
        "name": row.name,
        "timezone": row.timezone,
        "currency": row.currency,
        "plan": row.plan_id,
        "requests_per_minute": "",
        "memberships-TOTAL_FORMS": len(members),
        "memberships-INITIAL_FORMS": len(members),
        "memberships-MIN_NUM_FORMS": 1,
        "memberships-MAX_NUM_FORMS": 1000,
    }
    for number, member in enumerate(members):
        prefix = f"memberships-{number}"
        form |= {
            f"{prefix}-id": member.pk,
            f"{prefix}-organization": row.pk,
            f"{prefix}-user": member.user_id,
            f"{prefix}-role": member.role,
        }
    return {**form, **fields}


def memberships(created: CreatedOrganization) -> list[Membership]:
    with system_scope():
        return list(Membership.objects.filter(organization=created.organization).order_by("pk"))


def stored(created: CreatedOrganization) -> Organization:
    with system_scope():
        return Organization.objects.select_related("plan").get(pk=created.organization.pk)


def test_the_operator_sees_every_organization(
    client: Client, acme: CreatedOrganization, globex: CreatedOrganization
) -> None:
    page = client.get(f"{ADMIN}/organization/").content.decode()
    assert acme.organization.slug in page
    assert globex.organization.slug in page


@pytest.mark.parametrize("model", MODELS)
def test_every_list_search_and_page_opens(client: Client, acme: CreatedOrganization, model: str) -> None:
    invite(organization_id=acme.organization.pk, email="a@b.example", role="analyst", invited_by_id=None)
    Plan.objects.filter(slug="free").update(requests_per_minute=61)
    assert client.get(f"{ADMIN}/{model}/").status_code == 200
    if model in ("user", "organization", "credential", "invitation"):
        assert client.get(f"{ADMIN}/{model}/?q=a").status_code == 200
    with system_scope():
        row = apps.get_model("organizations", model).objects.order_by("-pk").first()
    assert row is not None
    assert client.get(f"{ADMIN}/{model}/{row.pk}/change/").status_code == 200


@pytest.mark.parametrize(
    ("model", "has_history"), [("organization", True), ("credential", True), ("planevent", False)]
)
def test_the_history_is_led_to_where_it_can_have_entries(
    client: Client, acme: CreatedOrganization, model: str, has_history: bool
) -> None:
    Plan.objects.filter(slug="free").update(requests_per_minute=61)
    with system_scope():
        row = apps.get_model("organizations", model).objects.order_by("-pk").first()
    assert row is not None
    page = client.get(f"{ADMIN}/{model}/{row.pk}/change/").content
    assert (b"historylink" in page) is has_history


@pytest.mark.parametrize(
    ("nanos", "shown"),
    [(39_149_575_945, "39.15 EUR"), (400_000, "0.0004 EUR"), (0, "0.00 EUR"), (None, "–")],
)
def test_lists_write_amounts_in_cents_unless_nothing_would_be_left(nanos: int | None, shown: str) -> None:
    row = SimpleNamespace(spent_nanos=nanos, currency="EUR")
    assert money("spent_nanos", "spent", cents=True)(row) == shown


def test_no_page_shows_a_hash_of_a_secret(client: Client, acme: CreatedOrganization) -> None:
    row = acme.issued.credential
    page = client.get(f"{ADMIN}/credential/{row.pk}/change/").content
    assert row.client_id.encode() in page
    assert keys.hash_key(acme.issued.key).hex().encode() not in page
    assert b"key_hash" not in page


@pytest.mark.parametrize(
    "model", [model for model in MODELS if model not in ("user", "plan", "organization")]
)
def test_what_the_product_writes_is_read_only(client: Client, acme: CreatedOrganization, model: str) -> None:
    assert client.get(f"{ADMIN}/{model}/add/").status_code == 403
    assert client.post(f"{ADMIN}/{model}/1/delete/").status_code in (302, 403)


@pytest.mark.parametrize("model", ["user", "organization"])
def test_people_and_organizations_are_not_deleted(
    client: Client, acme: CreatedOrganization, operator: User, model: str
) -> None:
    identity = acme.owner.pk if model == "user" else acme.organization.pk
    assert client.post(f"{ADMIN}/{model}/{identity}/delete/", {"post": "yes"}).status_code == 403


def test_a_change_is_in_the_audit_trail_with_the_operator(
    client: Client, acme: CreatedOrganization, operator: User
) -> None:
    enterprise = Plan.objects.get(slug="enterprise")
    form = organization_form(acme, memberships(acme), plan=enterprise.pk, requests_per_minute=5)
    assert client.post(f"{ADMIN}/organization/{acme.organization.pk}/change/", form).status_code == 302
    row = stored(acme)
    assert (row.plan.slug, row.requests_per_minute) == ("enterprise", 5)
    with system_scope():
        event = apps.get_model("organizations", "OrganizationEvent").objects.order_by("-pgh_id").first()
    assert event.pgh_context == {"kind": "user", "userId": operator.pk}


def test_an_organization_made_by_the_operator_keeps_its_days_from_the_start(client: Client) -> None:
    owner, plan = make_user(), Plan.objects.get(slug="starter")
    form = {
        "name": "Initech",
        "slug": "initech",
        "timezone": "Asia/Tokyo",
        "currency": "JPY",
        "plan": plan.pk,
        "memberships-TOTAL_FORMS": 1,
        "memberships-INITIAL_FORMS": 0,
        "memberships-0-user": owner.pk,
        "memberships-0-role": "owner",
    }
    assert client.post(f"{ADMIN}/organization/add/", form).status_code == 302
    with system_scope():
        row = Organization.objects.get(slug="initech")
    assert (row.timezone, row.rollup_timezone) == ("Asia/Tokyo", "Asia/Tokyo")


def test_members_who_are_there_are_marked_so_that_only_new_rows_can_be_dropped(
    client: Client, acme: CreatedOrganization
) -> None:
    shown = client.get(f"{ADMIN}/organization/{acme.organization.pk}/change/").content.decode()
    rows = [line for line in shown.splitlines() if '<tr class="form-row' in line]
    assert ["has_original" in row for row in rows] == [True, False]


def test_a_list_without_rows_says_so_once(client: Client, acme: CreatedOrganization) -> None:
    shown = client.get(f"{ADMIN}/invitation/").content.decode()
    assert ("No invitations found." in shown, 'class="paginator"' in shown) == (True, False)


def test_a_search_is_cleared_and_the_filters_stay(client: Client, acme: CreatedOrganization) -> None:
    shown = client.get(f"{ADMIN}/user/?q=zzz&is_active__exact=1&p=0").content.decode()
    assert '<a href="?is_active__exact=1">Clear search</a>' in shown


@pytest.mark.parametrize("change", [{"memberships-0-role": "admin"}, {"memberships-0-DELETE": "on"}])
def test_the_last_owner_can_not_be_taken_away(
    client: Client, acme: CreatedOrganization, change: dict[str, str]
) -> None:
    make_member(acme, Role.ADMIN)
    form = organization_form(acme, memberships(acme), **change)
    response = client.post(f"{ADMIN}/organization/{acme.organization.pk}/change/", form)
    assert response.status_code == 200
    assert b"An organization needs an owner." in response.content


@pytest.mark.parametrize(
    ("field", "value"), [("timezone", "Mars"), ("currency", "usd"), ("requests_per_minute", "0")]
)
def test_terms_that_will_not_do_are_refused(
    client: Client, acme: CreatedOrganization, field: str, value: str
) -> None:
    form = organization_form(acme, memberships(acme), **{field: value})
    answer = client.post(f"{ADMIN}/organization/{acme.organization.pk}/change/", form)
    assert list(answer.context["adminform"].form.errors) == [field]
    assert getattr(stored(acme), field) == getattr(acme.organization, field)


def test_what_no_plan_can_be_is_said_at_its_inputs(client: Client) -> None:
    form = {"name": "Tiny", "slug": "tiny", "position": 9, "requests_per_minute": 0, "history_days": 0}
    errors = client.post(f"{ADMIN}/plan/add/", form).context["adminform"].form.errors
    assert set(errors) == {"requests_per_minute", "history_days"}


def test_what_a_new_organization_has_not_got_yet_is_not_shown(client: Client) -> None:
    shown = client.get(f"{ADMIN}/organization/add/").content.decode()
    assert ("field-timezone" in shown, "field-created_at" in shown) == (True, False)


def test_the_operator_revokes_credentials(client: Client, acme: CreatedOrganization) -> None:
    form = {"action": "revoke", "_selected_action": acme.issued.credential.pk, "confirmed": "yes"}
    assert client.post(f"{ADMIN}/credential/", form).status_code == 302
    with system_scope():
        assert Credential.objects.get(pk=acme.issued.credential.pk).revoked_at is not None


def test_the_operator_withdraws_what_is_open(client: Client, acme: CreatedOrganization) -> None:
    issued = invite(
        organization_id=acme.organization.pk, email="a@b.example", role="admin", invited_by_id=None
    )
    form = {"action": "withdraw", "_selected_action": issued.invitation.pk, "confirmed": "yes"}
    for withdrawn in (1, 0):
        page = client.post(f"{ADMIN}/invitation/", form, follow=True)
        assert f"Withdrawn: {withdrawn}.".encode() in page.content


def test_the_operator_makes_people(client: Client) -> None:
    form = {
        "email": "New@Example.org",
        "usable_password": "true",
        "password1": "a long enough phrase",
        "password2": "a long enough phrase",
    }
    assert client.post(f"{ADMIN}/user/add/", form).status_code == 302
    assert User.objects.get(email="new@example.org").check_password("a long enough phrase")


def test_who_is_no_operator_does_not_get_in(acme: CreatedOrganization) -> None:
    response = signed_in(acme.owner).get(f"{ADMIN}/organization/")
    assert (response.status_code, response.headers["Location"]) == (
        302,
        "/admin/login/?next=/admin/organizations/organization/",
    )


def test_an_operator_without_the_permission_sees_nothing(acme: CreatedOrganization) -> None:
    user = make_user()
    user.is_staff = True
    user.save(update_fields=["is_staff"])
    assert signed_in(user).get(f"{ADMIN}/organization/").status_code == 403


def test_an_organization_with_many_members_is_one_page(client: Client) -> None:
    created = make_organization()
    for _ in range(5):
        make_member(created, Role.ANALYST)
    assert client.get(f"{ADMIN}/organization/{created.organization.pk}/change/").status_code == 200
