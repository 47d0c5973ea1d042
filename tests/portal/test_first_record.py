"""An empty organization is led to its first record, with a key that is shown once."""

from __future__ import annotations

import json
import re
import shlex
from datetime import timedelta
from html import unescape

import pytest
from django.test import Client

from organizations.models import Credential
from organizations.tenancy import tenant_scope
from tests.portal.pages import HTMX, figures, sign_in, text
from tests.usage.factories import NOW, Api, Tenant, at, record

pytestmark = pytest.mark.django_db

URL = "/first-key/"


def command(response: object) -> list[str]:
    """Return the words that a shell makes of the command on the page."""
    html = response.content.decode()  # type: ignore[attr-defined] # any test response
    match = re.search(r'<code id="first-command">(.*?)</code>', html, flags=re.DOTALL)
    assert match is not None
    return shlex.split(unescape(match[1]))


def keys(acme: Tenant) -> list[Credential]:
    with tenant_scope(acme.id):
        return list(Credential.objects.order_by("pk"))


def test_an_empty_organization_sees_the_command(member: Client) -> None:
    page = member.get("/", headers={"Host": "localhost"})
    assert command(page)[:3] == ["curl", "-sS", "http://localhost/api/v1/records"]
    assert "Authorization: Bearer $HEADROOM_KEY" in command(page)
    assert "Waiting for your first record. It appears here as soon as it arrives." in text(page)
    assert figures(page) == {}


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_the_command_with_a_new_key_works_as_it_stands(
    acme: Tenant, member: Client, headers: dict[str, str]
) -> None:
    response = member.post(URL, headers=headers)
    assert "no-store" in response["Cache-Control"]
    words = command(response)
    key = words[words.index("-H") + 1].removeprefix("Authorization: Bearer ")
    made = keys(acme)[-1]
    assert made.key_hint == key[-4:]
    assert made.scopes == ["usage:read", "usage:write"]
    answer = Api(key).send(json.loads(words[words.index("-d") + 1]))
    assert (answer.status, answer.body["accepted"]) == (200, 1)
    part = member.get("/", headers=HTMX)
    assert figures(part)["requests"] == "1"
    assert "Your first records have arrived View your records Create a key for each application" in text(part)


def test_only_the_first_day_says_what_comes_next(acme: Tenant, member: Client) -> None:
    acme.api.keep(record("now", timestamp=at(NOW)), record("before", timestamp=at(NOW - timedelta(days=3))))
    assert "Your first records have arrived" not in text(member.get("/"))


def test_what_comes_next_is_what_a_role_may_do(acme: Tenant) -> None:
    acme.api.keep(record("now", timestamp=at(NOW)))
    assert "Create a key for each application" not in text(sign_in(acme, "analyst").get("/"))


def test_the_key_is_shown_only_once(member: Client) -> None:
    assert "hr_" in member.post(URL).content.decode()
    assert "hr_" not in member.get("/").content.decode()


def test_the_command_goes_when_there_are_records(acme: Tenant, member: Client) -> None:
    acme.api.keep(record("first"))
    assert "Send your first record" not in text(member.get("/"))


def test_old_records_only_are_not_a_first_run(acme: Tenant, member: Client) -> None:
    acme.api.keep(record("old", timestamp="2025-12-24T17:00:00Z"))
    page = text(member.get("/"))
    assert "No records in this period. The latest is from 24 Dec 2025, 18:00." in page
    assert "Send your first record" not in page


@pytest.mark.parametrize("role", ["billing", "analyst"])
def test_who_may_not_make_keys_is_told_whom_to_ask(acme: Tenant, role: str) -> None:
    client = sign_in(acme, role)
    page = client.get("/")
    assert "Create API key" not in text(page)
    assert "Ask an owner or admin of your organization for an API key" in text(page)
    refused = client.post(URL)
    assert refused.status_code == 403
    assert "does not have the scope keys:write" in text(refused)
    assert len(keys(acme)) == 1


def test_a_developer_makes_a_key_of_their_own(acme: Tenant) -> None:
    client = sign_in(acme, "developer")
    client.post(URL)
    made = keys(acme)[-1]
    assert made.created_by_id == int(client.session["_auth_user_id"])
    assert made.scopes == ["usage:read", "usage:write"]


def test_another_site_makes_no_key(acme: Tenant) -> None:
    client = Client(enforce_csrf_checks=True)
    client.cookies = sign_in(acme).cookies
    assert client.post(URL).status_code == 403
    assert len(keys(acme)) == 1


def test_only_a_post_makes_a_key(acme: Tenant, member: Client) -> None:
    assert member.get(URL).status_code == 405
    assert len(keys(acme)) == 1
