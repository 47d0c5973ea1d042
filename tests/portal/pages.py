"""Reading pages as their readers do, and the people who read them."""

from __future__ import annotations

import json
import re
from html import unescape
from itertools import count
from typing import Any

from django.test import Client

from organizations.models import Membership, User
from organizations.tenancy import system_scope, tenant_scope
from tests.usage.factories import Tenant

HTMX = {"HX-Request": "true"}
_numbers = count(1)


def add_member(tenant: Tenant, role: str = "owner", *, user: User | None = None) -> User:
    """Make somebody a member."""
    if user is None:
        user = User.objects.create_user(f"{role}{next(_numbers)}@example.org", "a password of theirs")
    with tenant_scope(tenant.id):
        Membership.objects.create(organization=tenant.organization, user=user, role=role)
    return user


def sign_in(tenant: Tenant, role: str = "owner") -> Client:
    """Return a client of somebody new who is signed in as a member with that role."""
    return signed_in(add_member(tenant, role))


def signed_in(user: User) -> Client:
    """Return a client with the user's session."""
    client = Client()
    client.force_login(user)
    return client


def leave(tenant: Tenant, user: User) -> None:
    """End a membership."""
    with system_scope():
        Membership.objects.filter(organization=tenant.organization, user=user).delete()


def text(response: Any) -> str:
    """Return a page's words, one space between them."""
    body = re.sub(r"<script.*?</script>", " ", response.content.decode(), flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", body)).split())


def figures(response: Any) -> dict[str, str]:
    """Return the exact figures of a page, by their names."""
    pattern = r'id="figure-([\w-]+)".*?<data [^>]*value="([^"]*)"'
    return dict(re.findall(pattern, response.content.decode(), flags=re.DOTALL))


def shown(response: Any) -> dict[str, str]:
    """Return the figures of the Overview as they are shown, by their names."""
    pattern = r'id="figure-(\w+)".*?<span aria-hidden="true">([^<]*)<'
    return dict(re.findall(pattern, response.content.decode(), flags=re.DOTALL))


def changes(response: Any) -> dict[str, str]:
    """Return what is said of each figure's change, by the figures' names."""
    found = {}
    for item in re.findall(r'<li class="figure.*?</li>', response.content.decode(), flags=re.DOTALL):
        name = re.search(r'id="figure-(\w+)"', item)
        change = re.search(r'<p class="change[^>]*>(.*?)</p>', item, flags=re.DOTALL)
        if name and change:
            found[name[1]] = re.sub(r"<[^>]*>", "", change[1])
    return found


def chart(response: Any) -> list[dict[str, Any]]:
    """Return the days that the Overview's chart draws."""
    pattern = r'<script id="daily-data" type="application/json">(.*?)</script>'
    match = re.search(pattern, response.content.decode(), flags=re.DOTALL)
    assert match is not None
    days: list[dict[str, Any]] = json.loads(match[1])["datasets"]["days"]
    return days


def table(response: Any, name: str) -> list[list[str]]:
    """Return the rows of a table's body."""
    pattern = rf'id="{name}".*?<tbody>(.*?)</tbody>'
    match = re.search(pattern, response.content.decode(), flags=re.DOTALL)
    assert match is not None
    rows = re.findall(r"<tr>(.*?)</tr>", match[1], flags=re.DOTALL)
    return [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, flags=re.DOTALL) for row in rows]
