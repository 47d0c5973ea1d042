from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from organizations.middleware import OperatorScope
from organizations.models import Organization, User
from organizations.services import CreatedOrganization
from organizations.tenancy import NOTHING, Actor, Scope, current_scope, system_scope
from tests.organizations.cast import make_user


def scope_of(path: str, user: User | AnonymousUser) -> Scope:
    seen = []

    def view(request: HttpRequest) -> HttpResponse:
        seen.append(current_scope())
        return HttpResponse()

    request = RequestFactory().get(path)
    request.user = user
    OperatorScope(view)(request)
    return seen[0]


@pytest.fixture
def operator(db: Any) -> User:
    """Somebody who may enter the admin."""
    return User.objects.create_superuser("operator@example.org", "x")


def test_an_operators_request_to_the_admin_sees_the_whole_system(operator: User) -> None:
    expected = Scope(system=True, actor=Actor(kind="user", user_id=operator.pk))
    assert scope_of("/admin/organizations/plan/", operator) == expected
    assert current_scope() == NOTHING


@pytest.mark.parametrize("path", ["/", "/api/v1/keys", "/administration/", "/admin"])
def test_an_operators_other_requests_see_nothing_more(operator: User, path: str) -> None:
    assert scope_of(path, operator) == NOTHING


def test_nobody_elses_request_to_the_admin_sees_anything(operator: User) -> None:
    assert scope_of("/admin/", AnonymousUser()) == NOTHING
    assert scope_of("/admin/", make_user()) == NOTHING
    operator.is_active = False
    assert scope_of("/admin/", operator) == NOTHING


@pytest.mark.parametrize(("status", "name"), [(200, "Changed"), (302, "Changed"), (500, "Acme")])
def test_a_request_that_failed_leaves_nothing(
    operator: User, acme: CreatedOrganization, status: int, name: str
) -> None:
    def view(request: HttpRequest) -> HttpResponse:
        Organization.objects.update(name="Changed")
        return HttpResponse(status=status)

    request = RequestFactory().post("/admin/")
    request.user = operator
    assert OperatorScope(view)(request).status_code == status
    assert not connection.needs_rollback
    with system_scope():
        assert Organization.objects.get(pk=acme.organization.pk).name == name
