"""The Settings: members and invitations page by page; what the trail says: names, words, the clock."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from typing import Any
from urllib.parse import parse_qs

import pytest
from django.test import Client

from organizations.models import Membership, User
from organizations.services import invite
from organizations.tenancy import tenant_scope
from tests.alerts.telling import mailbox
from tests.billing.spending import limit_to, unlimit
from tests.portal.pages import add_member, table, text
from tests.usage.factories import NOW, Tenant

pytestmark = pytest.mark.django_db


def test_the_trail_names_whose_limit_was_set(acme: Tenant, member: Client) -> None:
    limit_to(acme, 9, warn_at=(50, 80))
    limit_to(acme, 2, credential_id=acme.another_credential("Second").credential_id)
    said = text(member.get("/settings/audit/?kind=spendLimit"))
    assert "Spend limit created Entire organization Limit: 9 EUR; Window: rolling 7 days" in said
    assert "Spend limit created Second Limit: 2 EUR" in said


def test_the_trail_says_that_a_limit_is_gone(acme: Tenant, member: Client) -> None:
    limit_to(acme, 9)
    unlimit(acme)
    assert "Spend limit removed Removed limit" in text(member.get("/settings/audit/"))


def test_the_trail_names_keys_and_keeps_their_ids(acme: Tenant, member: Client) -> None:
    second = acme.another_credential("Second")
    said = text(member.get("/settings/audit/?kind=credential"))
    assert f"API key created Second {second.client_id} Name: Second; Environment: production" in said


@pytest.fixture
def crowd(acme: Tenant) -> Tenant:
    """An organization of thirty more members, some of whom signed in."""
    for number in range(30):
        user = User.objects.create_user(
            f"m{number:02}@example.org",
            "a password of theirs",
            name="Ünal" if number == 7 else "",
            last_login=NOW - timedelta(hours=number) if number % 2 else None,
        )
        add_member(acme, "analyst" if number % 3 else "billing", user=user)
    return acme


def addresses(page: Any) -> list[str]:
    """Return whom the page lists, in their order."""
    return [re.findall(r"[\w.-]+@[\w.]+", row[0])[0] for row in table(page, "members")]


def test_members_come_a_page_at_a_time(crowd: Tenant, member: Client) -> None:
    first, second = (member.get(f"/settings/members/?page={page}") for page in (1, 2))
    with tenant_scope(crowd.id):
        total = Membership.objects.count()
    assert f"{total} members" in text(first)
    assert f"Page 2 of 2 ({total} total)" in text(second)
    seen = addresses(first) + addresses(second)
    assert len(addresses(first)) == 25
    assert seen == sorted(seen)
    assert len(set(seen)) == total > 30


def test_members_are_sorted_and_found(crowd: Tenant, member: Client) -> None:
    seen = addresses(member.get("/settings/members/?sort=seen&order=desc"))
    # Whoever has signed in most recently comes first; who never did, last.
    assert [one for one in seen if one.startswith("m0")][:2] == ["m01@example.org", "m03@example.org"]
    roles = member.get("/settings/members/?sort=role").content.decode()
    assert re.findall(r'value="(\w+)" selected', roles)[:21] == ["analyst"] * 20 + ["billing"]
    found = member.get("/settings/members/?search=ünal")
    assert addresses(found) == ["m07@example.org"]
    assert "1 member found" in text(found)
    assert "No members match this search." in text(member.get("/settings/members/?search=nobody"))
    assert "There is no parameter" in text(member.get("/settings/members/?colour=red"))
    assert member.get("/settings/members/?sort=colour").status_code == 400


@pytest.mark.parametrize("query", ["", "sort=role&order=desc&page=2", "search=m0&sort=seen&invitations=2"])
def test_what_is_done_to_people_leads_back_to_where_they_stood(
    crowd: Tenant, member: Client, query: str
) -> None:
    for number in range(30):
        invite(organization_id=crowd.id, email=f"new{number}@example.org", role="analyst", invited_by_id=None)
    page = member.get(f"/settings/members/?{query}").content.decode()
    ways = {name: re.findall(rf'action="([^"]+/{name}/[^"]*)"', page)[-1] for name in ("role", "remove")}
    ways["withdraw"] = re.findall(r'action="([^"]+/withdraw/[^"]*)"', page)[-1]
    for way in ways.values():
        answer = member.post(unescape(way), {"role": "developer"})
        assert answer.status_code == 302
        path, _, back = answer["Location"].partition("?")
        assert (path, parse_qs(back)) == ("/settings/members/", parse_qs(query))


def test_whoever_invites_stays_where_they_stood(crowd: Tenant, member: Client) -> None:
    page = member.get("/settings/members/?sort=role&order=desc&page=2")
    [way] = re.findall(r'action="([^"]+/invite/[^"]*)"', page.content.decode())
    for email, status in (("new@example.org", 200), ("nobody", 422)):
        answer = member.post(unescape(way), {"email": email, "role": "analyst"})
        assert answer.status_code == status
        assert addresses(answer) == addresses(page)


def test_nothing_is_done_from_a_place_that_there_is_not(acme: Tenant, member: Client) -> None:
    answer = member.post(
        "/settings/members/invite/?page=abc", {"email": "new@example.org", "role": "analyst"}
    )
    assert answer.status_code == 400
    assert "No pending invitations." in text(member.get("/settings/members/"))


def test_invitations_come_a_page_at_a_time(acme: Tenant, member: Client) -> None:
    for number in range(30):
        invite(
            organization_id=acme.id, email=f"new{number:02}@example.org", role="analyst", invited_by_id=None
        )
    pages = [text(member.get(f"/settings/members/?invitations={page}")) for page in (1, 2)]
    assert [sum(f"new{number:02}@" in page for number in range(30)) for page in pages] == [25, 5]
    assert "Page 2 of 2 (30 total)" in pages[1]


def test_the_trail_says_why_a_channel_is_off(acme: Tenant, member: Client) -> None:
    channel = mailbox(acme)
    assert acme.api.call("PATCH", f"/alerts/channels/{channel.pk}", {"enabled": False}).status == 200
    said = text(member.get("/settings/audit/"))
    assert "Disabled because: by hand" in said
