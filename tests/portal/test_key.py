"""The page of one API key."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from tests.portal.pages import table, text
from tests.usage.factories import Tenant, record

pytestmark = pytest.mark.django_db


def endpoints(acme: Tenant, member: Client, query: str = "") -> list[str]:
    """Return the endpoints of Acme's key in their order."""
    rows = table(member.get(f"/keys/{acme.client_id}/{query}"), "endpoints")
    return [re.sub(r"<[^>]*>", "", row[0]).strip() for row in rows]


def test_endpoints_can_be_sorted(acme: Tenant, member: Client) -> None:
    acme.api.keep(
        *(record(f"a-{n}", endpoint="/a", latencyMs=10) for n in range(3)),
        *(record(f"b-{n}", endpoint="/b", latencyMs=900) for n in range(2)),
        record("c", endpoint="/c", latencyMs=None),
    )
    assert endpoints(acme, member) == ["/a", "/b", "/c"]
    assert endpoints(acme, member, "?sort=name&order=desc") == ["/c", "/b", "/a"]
    # What has no latency comes last, whichever way.
    assert endpoints(acme, member, "?sort=p95") == ["/b", "/a", "/c"]
    assert endpoints(acme, member, "?sort=p95&order=asc") == ["/a", "/b", "/c"]
    assert member.get(f"/keys/{acme.client_id}/?sort=colour").status_code == 400


def test_many_endpoints_come_a_page_at_a_time(acme: Tenant, member: Client) -> None:
    acme.api.keep(*(record(f"{n}", endpoint=f"/{n:02}") for n in range(30)))
    assert len(endpoints(acme, member)) == 25
    page = member.get(f"/keys/{acme.client_id}/?sort=name&page=2")
    assert "Page 2 of 2 (30 total)" in text(page)
    assert endpoints(acme, member, "?sort=name&page=2") == [f"/{n}" for n in range(25, 30)]
    assert f'href="/keys/{acme.client_id}/?sort=name&amp;order=asc&amp;page=1"' in page.content.decode()
