"""What goes wrong is told in words, by pages that need nothing to work."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.test import Client, RequestFactory, override_settings
from django.urls import path
from django.views import defaults

from core.views import server_error
from tests.portal.pages import sign_in, text
from tests.usage.factories import Tenant


def test_a_path_that_leads_nowhere(client: Client) -> None:
    response = client.get("/nowhere")
    assert response.status_code == 404
    assert "There is nothing here" in text(response)
    assert 'href="/"' in response.content.decode()


@pytest.mark.parametrize(
    ("handler", "error", "status", "words"),
    [
        (defaults.bad_request, SuspiciousOperation(), 400, "makes no sense here"),
        (defaults.permission_denied, PermissionDenied(), 403, "You may not see this"),
        (defaults.page_not_found, Exception(), 404, "There is nothing here"),
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


def test_a_fault_of_ours_tells_nothing_of_itself(client: Client) -> None:
    client.raise_request_exception = False
    with override_settings(ROOT_URLCONF=__name__):
        response = client.get("/broken")
    assert response.status_code == 500
    assert "Something went wrong on our side" in text(response)
    assert "the secret" not in response.content.decode()


@pytest.mark.parametrize(
    "name", ["400.html", "403.html", "403_csrf.html", "404.html", "500.html", "503.html"]
)
def test_error_pages_need_no_database_and_no_context(name: str) -> None:
    assert "Headroom" in render_to_string(name)


def broken(request: HttpRequest) -> HttpResponse:
    raise RuntimeError("the secret")


handler500 = server_error
urlpatterns = [path("broken", broken)]


@pytest.mark.django_db
def test_a_member_is_told_within_the_frame(acme: Tenant) -> None:
    refused = sign_in(acme, "analyst").get("/settings/")
    assert refused.status_code == 403
    missing = sign_in(acme).get("/keys/cl_nobodys/")
    assert missing.status_code == 404
    for page, words in ((refused, "Access denied"), (missing, "Page not found")):
        assert words in text(page)
        assert '<nav class="side"' in page.content.decode()
        assert 'href="/usage/"' in page.content.decode()
