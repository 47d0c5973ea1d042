"""What an operator may do to each model in the admin, who may do all: everything else is only shown."""

from __future__ import annotations

from typing import Any, Final

import pytest
from allauth.mfa.models import Authenticator
from django.contrib import admin
from django.contrib.auth.models import Group, Permission
from django.test import Client, RequestFactory

from organizations.models import User
from tests.portal.pages import signed_in, text

pytestmark = pytest.mark.django_db

MAY: Final = {
    "auth.Group": {"add", "change", "delete"},
    "billing.Discount": {"add"},
    "billing.Grant": {"add"},
    "billing.Price": {"add"},
    "billing.Repricing": {"add"},
    "mfa.Authenticator": {"delete"},
    "organizations.Organization": {"add", "change"},
    "organizations.Plan": {"add", "change", "delete"},
    "organizations.User": {"add", "change"},
}
"""Records, invoices, the ledger, what is told and the audit trail are not here: nobody writes them."""
ASKING: Final = {
    "alerts.Channel": {"disable"},
    "alerts.Delivery": {"retry"},
    "auth.Group": {"delete_selected"},
    "billing.Discount": {"end"},
    "billing.Grant": {"revoke"},
    "billing.Invoice": {"recalculate", "issue", "credit", "draft_again", "discard"},
    "billing.Price": {"end"},
    "mfa.Authenticator": {"delete_selected"},
    "organizations.Credential": {"revoke"},
    "organizations.Invitation": {"withdraw"},
    "organizations.Plan": {"delete_selected"},
}


@pytest.fixture
def operator(db: None) -> User:
    """Somebody who runs the whole system."""
    return User.objects.create_superuser("operator@example.org", "x")


def test_permissions_are_named_as_the_lists_are(operator: User) -> None:
    said = text(signed_in(operator).get("/admin/auth/group/add/"))
    assert "view repricing change" in said
    assert "delete second factor" in said
    assert "repricing event" not in said


def asked_by(user: User) -> Any:
    request = RequestFactory().get("/admin/")
    request.user = user
    return request


def of_registered(look: Any) -> dict[str, set[str]]:
    found = {model._meta.label: look(model, shown) for model, shown in admin.site._registry.items()}
    return {label: names for label, names in found.items() if names}


def test_an_operator_writes_what_is_theirs_to_write_and_nothing_else(operator: User) -> None:
    request = asked_by(operator)

    def may(model: Any, shown: Any) -> set[str]:
        row = model()
        allowed = {
            "add": shown.has_add_permission(request),
            "change": shown.has_change_permission(request, row),
            "delete": shown.has_delete_permission(request, row),
        }
        return {name for name, is_allowed in allowed.items() if is_allowed}

    assert of_registered(may) == MAY


def test_these_are_the_actions_on_many_at_once(operator: User) -> None:
    request = asked_by(operator)
    assert of_registered(lambda model, shown: set(shown.get_actions(request))) == ASKING


def test_who_may_look_has_no_actions(operator: User) -> None:
    looker = User.objects.create_user("looker@example.org", "x", is_staff=True)
    looker.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    request = asked_by(looker)
    assert of_registered(lambda model, shown: set(shown.get_actions(request))) == {}
    assert all(shown.has_view_permission(request) for shown in admin.site._registry.values())


def test_a_group_is_given_permissions_that_decide_something(operator: User) -> None:
    client: Client = signed_in(operator)
    page = text(client.get("/admin/auth/group/add/"))
    assert "view usage record" in page
    assert "change usage record" not in page
    assert "change credential" in page
    view = Permission.objects.get(codename="view_record")
    form = {"name": "Support", "permissions": [view.pk]}
    assert client.post("/admin/auth/group/add/", form).status_code == 302
    assert list(Group.objects.get(name="Support").permissions.all()) == [view]


def test_a_lost_factor_is_deleted_and_its_secret_is_never_shown(operator: User) -> None:
    client: Client = signed_in(operator)
    lost = Authenticator.objects.create(user=operator, type="recovery_codes", data={"seed": "hidden-seed"})
    page = client.get(f"/admin/mfa/authenticator/{lost.pk}/change/")
    assert page.status_code == 200
    assert b"hidden-seed" not in page.content
    answer = client.post(f"/admin/mfa/authenticator/{lost.pk}/delete/", {"post": "yes"})
    assert answer.status_code == 302
    assert not Authenticator.objects.exists()
