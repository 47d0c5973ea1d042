"""What goes wrong is told in words, by pages that need nothing to work."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.http import HttpResponse
from django.template.loader import render_to_string
from django.test import Client, RequestFactory, override_settings
from django.urls import path

from core.views import server_error
from organizations.models import User
from portal import errors
from tests.portal.pages import add_member, sign_in, signed_in, text
from tests.usage.factories import Tenant


def test_a_path_that_leads_nowhere(client: Client) -> None:
    response = client.get("/nowhere")
    assert response.status_code == 404
    assert "Page not found" in text(response)
    assert 'href="/"' in response.content.decode()


@pytest.mark.parametrize(
    ("handler", "error", "status", "words"),
    [
        (errors.bad_request, SuspiciousOperation(), 400, "Invalid request"),
        (errors.permission_denied, PermissionDenied(), 403, "Access denied"),
        (errors.page_not_found, Exception(), 404, "Page not found"),
    ],
)
def test_refusals(
    rf: RequestFactory,
    handler: Any,
    error: Exception,
    status: int,
    words: str,
) -> None:
    response = handler(rf.get("/anywhere"), error)
    assert response.status_code == status
    assert words in text(response)
    answer = handler(rf.get("/api/v1/anything"), error)
    assert (answer.status_code, answer["Content-Type"]) == (status, "application/problem+json")
    assert json.loads(answer.content)["status"] == status


def test_the_address_of_a_button_is_opened(acme: Tenant) -> None:
    member = sign_in(acme)
    for button, frame in (("/first-key/", "Acme"), ("/sign-out/", "Headroom")):
        opened = member.get(button)
        assert (opened.status_code, opened["Allow"]) == (405, "POST")
        assert "This address can’t be opened directly" in text(opened)
        assert frame in text(opened)
        assert member.head(button).content == b""
        assert member.put(button).content == b""


def test_a_fault_of_ours_tells_nothing_of_itself(client: Client) -> None:
    client.raise_request_exception = False
    with override_settings(ROOT_URLCONF=__name__):
        response = client.get("/broken")
    assert response.status_code == 500
    assert "Something went wrong" in text(response)
    assert "the secret" not in response.content.decode()
    assert response["X-Request-Id"] in text(response)


def test_a_fault_is_told_even_without_a_page(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.views.render_to_string", broken)
    client.raise_request_exception = False
    with override_settings(ROOT_URLCONF=__name__):
        response = client.get("/broken", headers={"X-Request-Id": "mine"})
    assert response.status_code == 500
    assert "Request ID: mine" in text(response)
    assert "the secret" not in response.content.decode()


@pytest.mark.parametrize(
    "name", ["400.html", "403.html", "403_csrf.html", "404.html", "500.html", "503.html"]
)
def test_error_pages_need_no_database_and_no_context(name: str) -> None:
    assert "Headroom" in render_to_string(name)


def broken(*args: Any) -> HttpResponse:
    raise RuntimeError("the secret")


handler500 = server_error
urlpatterns = [path("broken", broken)]


@pytest.mark.django_db
def test_a_member_is_told_within_the_frame(acme: Tenant) -> None:
    refused = sign_in(acme, "analyst").get("/settings/")
    assert refused.status_code == 403
    missing, nowhere = (sign_in(acme).get(path) for path in ("/keys/cl_nobodys/", "/nowhere"))
    assert (missing.status_code, nowhere.status_code) == (404, 404)
    told = ((refused, "Access denied"), (missing, "Page not found"), (nowhere, "Page not found"))
    for page, words in told:
        assert words in text(page)
        assert '<nav class="side"' in page.content.decode()
        assert 'href="/usage/"' in page.content.decode()


@pytest.mark.django_db
def test_whoever_belongs_nowhere_is_told_without_a_frame(acme: Tenant) -> None:
    user = User.objects.create_user("nobody@example.org")
    page = signed_in(user).get("/nowhere")
    assert page.status_code == 404
    assert "Page not found" in text(page)
    assert '<nav class="side"' not in page.content.decode()


@pytest.mark.django_db
def test_a_form_that_has_expired_is_told_within_the_frame(acme: Tenant) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(add_member(acme))
    refused = client.post("/account/", {"name": "Ada"})
    assert refused.status_code == 403
    assert "This form has expired" in text(refused)
    assert '<nav class="side"' in refused.content.decode()


@pytest.mark.django_db
def test_attempts_that_come_too_often_are_told_when_to_come_back(client: Client) -> None:
    answers = [client.post("/account/password/reset/", {"email": "ada@example.org"}) for _ in range(6)]
    assert [one.status_code for one in answers] == [302] * 5 + [429]
    assert answers[-1]["Retry-After"] == "60"
    assert "Too many attempts" in text(answers[-1])
