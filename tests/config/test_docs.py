"""The API's reference: its schema is served, and its page works offline under the strict policy."""

from __future__ import annotations

import re

import pytest
from django.test import Client


@pytest.mark.django_db
def test_the_schema_is_openapi_3_1(client: Client) -> None:
    response = client.get("/api/schema/", headers={"accept": "application/json"})
    assert response.status_code == 200
    assert response.json()["openapi"].startswith("3.1")


def test_an_unknown_path_of_the_api_is_a_problem(client: Client) -> None:
    response = client.get("/api/v1/nowhere")
    assert response.status_code == 404
    assert response["Content-Type"] == "application/problem+json"
    assert response.json()["code"] == "not_found"


def test_every_page_is_sent_with_the_strict_policy(client: Client) -> None:
    policy = client.get("/api/docs/")["Content-Security-Policy"]
    assert set(policy.split("; ")) == {
        "default-src 'self'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    }


@pytest.mark.parametrize("path", ["/api/docs/", "/api/docs/problems"])
def test_its_pages_have_the_portals_theme_and_lead_to_each_other(client: Client, path: str) -> None:
    page = client.get(path).content.decode()
    assert "/static/portal/theme.js" in page
    assert {f'href="{other}"' for other in ("/", "/api/docs/", "/api/schema/", "/api/docs/problems")} <= set(
        re.findall(r'href="[^"]*"', page)
    )
