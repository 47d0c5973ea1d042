from typing import Any, ClassVar

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest
from django.test import RequestFactory
from rest_framework.request import Request
from rest_framework.response import Response

from core.problems import conflict
from organizations.http import TenantAPIView
from organizations.models import Organization
from organizations.services import CreatedOrganization
from organizations.tenancy import current_scope, system_scope
from tests.organizations.cast import by_key


class NameView(TenantAPIView):
    required_scopes: ClassVar[dict[str, str]] = {"GET": "usage:read", "POST": "usage:write"}
    accepted_params: ClassVar[dict[str, tuple[str, ...]]] = {"GET": ("format",)}
    deep_params: ClassVar[dict[str, tuple[str, ...]]] = {"GET": ("meta",)}

    def get(self, request: Request) -> Response:
        names = list(Organization.objects.values_list("name", flat=True))
        actor = current_scope().actor
        return Response(
            {"names": names, "actor": actor.client_id if actor else None, **self.params.deep("meta")}
        )

    def post(self, request: Request) -> Response:
        Organization.objects.update(name="Changed")
        raise conflict("No.")

    def put(self, request: Request) -> Response:
        raise AssertionError("is never reached")


def ask(created: CreatedOrganization, method: str = "get", query: str = "") -> Any:
    request: HttpRequest = getattr(RequestFactory(), method)(
        f"/{query}", headers={"Authorization": f"Bearer {created.issued.key}"}
    )
    response = NameView.as_view()(request)
    response.render()
    return response


def test_a_view_runs_in_its_callers_organization_and_as_its_caller(
    acme: CreatedOrganization, globex: CreatedOrganization
) -> None:
    assert ask(acme).data == {"names": ["Acme"], "actor": acme.issued.credential.client_id}
    assert ask(globex).data["names"] == ["Globex"]


def test_what_a_refused_request_wrote_is_undone(acme: CreatedOrganization) -> None:
    assert ask(acme, "post").status_code == 409
    with system_scope():
        assert Organization.objects.get(pk=acme.organization.pk).name == "Acme"


def test_a_method_without_a_declared_scope_is_not_served(acme: CreatedOrganization) -> None:
    with pytest.raises(ImproperlyConfigured, match="NameView requires no scope for PUT"):
        ask(acme, "put")


def test_parameters_are_the_views_own_even_one_named_format(acme: CreatedOrganization) -> None:
    assert ask(acme, query="?format=csv&meta[team]=x").data["team"] == "x"
    assert ask(acme, query="?other=1").status_code == 400


def test_a_fault_of_ours_is_counted_and_says_so(
    acme: CreatedOrganization, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*given: object, **named: object) -> None:
        raise RuntimeError("out of order")

    monkeypatch.setattr("organizations.queries.credentials", fail)
    client = by_key(acme.issued.key)
    client.raise_request_exception = False
    answer = client.get("/api/v1/keys")
    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
    assert answer.headers["RateLimit"].startswith('"permin";r=')
    assert answer.headers["RateLimit-Policy"].startswith('"permin";q=')
