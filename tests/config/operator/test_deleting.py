"""What the operator's admin asks before something is deleted: by names that people know."""

from __future__ import annotations

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import Group, Permission
from django.test import Client

from organizations.models import Organization, Plan, User
from organizations.tenancy import system_scope
from tests.portal.pages import signed_in, text
from tests.usage.factories import make_tenant

pytestmark = pytest.mark.django_db


@pytest.fixture
def operator(db: None) -> Client:
    """Somebody who may do everything, signed in."""
    return signed_in(User.objects.create_superuser("operator@example.org", "x"))


def test_a_second_factor_is_named_with_its_person(operator: Client) -> None:
    lost = [
        Authenticator.objects.create(
            user=User.objects.create_user(f"{name}@example.org", "x"),
            type=Authenticator.Type.RECOVERY_CODES,
            data={},
        )
        for name in ("ann", "bob")
    ]
    one = text(operator.get(f"/admin/mfa/authenticator/{lost[0].pk}/delete/"))
    assert "Second factor" not in one.partition("Objects")[2]
    assert "Recovery codes of ann@example.org" in one
    form = {"action": "delete_selected", "_selected_action": [factor.pk for factor in lost]}
    many = text(operator.post("/admin/mfa/authenticator/", form))
    assert "Recovery codes of ann@example.org" in many
    assert "Recovery codes of bob@example.org" in many


def test_a_group_is_named_and_its_people_are_counted(operator: Client) -> None:
    group = Group.objects.create(name="Support")
    group.permissions.set(Permission.objects.filter(codename__startswith="view_"))
    User.objects.create_user("ann@example.org", "x").groups.add(group)
    page = operator.get(f"/admin/auth/group/{group.pk}/delete/")
    assert "Groups: 1 People in them: 1 Objects Support" in text(page)
    assert b"relationship" not in page.content
    assert operator.post(f"/admin/auth/group/{group.pk}/delete/", {"post": "yes"}).status_code == 302
    assert not Group.objects.exists()


def test_a_plan_is_kept_by_its_organizations_which_are_named(operator: Client) -> None:
    make_tenant("Acme")
    with system_scope():
        plan = Organization.objects.get(slug="acme").plan
    refused = text(operator.get(f"/admin/organizations/plan/{plan.pk}/delete/"))
    assert "would require deleting the following protected related objects: Organization: Acme" in refused
    operator.post(f"/admin/organizations/plan/{plan.pk}/delete/", {"post": "yes"})
    assert Plan.objects.filter(pk=plan.pk).exists()
