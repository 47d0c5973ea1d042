"""The API's reference: its schema is served, and its page works offline under the strict policy."""

from __future__ import annotations

import shutil
from collections.abc import Callable

import pytest
from django.test import Client
from playwright.sync_api import ConsoleMessage, sync_playwright

from tests.serving import Server


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


@pytest.mark.timeout(180)
def test_the_reference_draws_itself_without_breaking_the_policy(make_server: Callable[..., Server]) -> None:
    server = make_server()
    complaints: list[str] = []
    asked: list[str] = []

    def note(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            complaints.append(message.text)

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page()
        page.on("console", note)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(f"{server.url}/api/docs/")
        page.get_by_text("/api/v1/keys").first.wait_for(timeout=60_000)
        title = page.title()
        browser.close()
    assert title == "Headroom API"
    assert complaints == []
    assert all(url.startswith((server.url, "data:")) for url in asked)
