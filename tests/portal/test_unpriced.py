"""A cost of which prices are missing says so, everywhere; what costs nothing is 0.00."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.test import Client

from organizations.models import Organization
from organizations.tenancy import tenant_scope
from tests.portal.pages import add_member, signed_in, table
from tests.usage.factories import NOW, Tenant, at, make_tenant, record
from usage.rollups.fold import fold_pending

pytestmark = pytest.mark.django_db

PAGES = ("/?measure=cost&", "/usage/?view=cost&", "/keys/?", "/keys/{key}/?", "/organizations/?")


def use(tenant: Tenant, count: int, **more: Any) -> None:
    """Keep some records of one capability, endpoint and hour."""
    moment = at(NOW - timedelta(hours=2))
    own = {"timestamp": moment, "capability": "chat", "endpoint": "/v1/chat", **more}
    name = str(more.get("cost"))
    for first in range(0, count, 600):
        last = min(first + 600, count)
        tenant.api.keep(*(record(f"{name}-{number}", **own) for number in range(first, last)))
    fold_pending()


@pytest.fixture
def reader(acme: Tenant) -> Client:
    """A client of somebody of two organizations."""
    user = add_member(acme)
    add_member(make_tenant("Globex", currency="USD"), user=user)
    return signed_in(user)


def costs(page: Any) -> dict[str, str]:
    """Return what cards and tables say of costs, but of what nothing was used for."""
    html = page.content.decode()
    found = {}
    if card := re.search(r'id="figure-cost">.*?<p class="value".*?</li>', html, re.DOTALL):
        value = re.search(r'aria-hidden="true">([^<]*)<', card[0])
        note = re.search(
            r'<p class="note">(?:.* in the last 7 days(?: · )?)?(.*?)(?: requests: .*)?</p>', card[0]
        )
        assert value is not None
        found["card"] = f"{value[1]} {note[1] if note else ''}".strip()
    for name, head, body in re.findall(
        r'<table id="([\w-]+)"[^>]*>.*?<thead>(.*?)</thead>\s*<tbody>(.*?)</tbody>', html, re.DOTALL
    ):
        heads = [words(one) for one in re.findall(r"<th\b.*?</th>", head, re.DOTALL)]
        places = [place for place, one in enumerate(heads) if one.startswith("Cost") and "average" not in one]
        for row in body.split("</tr>")[:-1]:
            cells = [words(one) for one in re.findall(r"<t[hd]\b.*?</t[hd]>", row, re.DOTALL)]
            if places and not ("Requests" in heads and cells[heads.index("Requests")].startswith("0")):
                found[f"{name} {cells[0]}"] = cells[places[0]]
    return found


def words(html: str) -> str:
    """Return the words of an element."""
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", html)).split())


@pytest.mark.parametrize("path", PAGES)
def test_what_has_no_price_is_not_told_as_nothing(acme: Tenant, reader: Client, path: str) -> None:
    use(acme, 1200)
    found = costs(reader.get(f"{path.format(key=acme.client_id)}organization=acme"))
    assert found
    assert {told.partition(" unpriced")[0] for told in found.values()} == {"– 1,200"}, found


@pytest.mark.parametrize("path", PAGES)
def test_what_has_a_price_in_part_says_what_it_lacks(acme: Tenant, reader: Client, path: str) -> None:
    use(acme, 3)
    use(acme, 2, cost="1.5")
    found = costs(reader.get(f"{path.format(key=acme.client_id)}organization=acme"))
    assert found
    for told in found.values():
        assert re.fullmatch(r"3\.00 (EUR )?(.* · )?3 unpriced", told), found


@pytest.mark.parametrize("path", PAGES)
def test_what_costs_nothing_is_nothing(acme: Tenant, reader: Client, path: str) -> None:
    use(acme, 3, cost="0")
    page = reader.get(f"{path.format(key=acme.client_id)}organization=acme")
    found = costs(page)
    assert found
    assert all(told.startswith("0.00") or told == "0" for told in found.values()), found
    assert " unpriced" not in page.content.decode()


def test_a_chart_of_what_has_no_price_says_so(acme: Tenant, reader: Client) -> None:
    use(acme, 1200)
    html = reader.get("/usage/", {"view": "cost", "organization": "acme"}).content.decode()
    assert 'aria-label="Cost per day in EUR. Cost: 1,200 unpriced."' in html
    assert '<p class="nothing">1,200 unpriced.</p>' in html


ORDERS = [("asc", ["free", "cheap", "dear"]), ("desc", ["dear", "cheap", "free"])]
COSTS = {"unpriced": None, "dear": "5", "free": "0", "cheap": "2"}
"""What each of some costs."""


def first_words(page: Any, name: str) -> list[str]:
    """Return the first word of each row."""
    return [words(row[0]).split()[0] for row in table(page, name)]


@pytest.mark.parametrize(("order", "known"), ORDERS)
def test_keys_of_unknown_cost_come_last(acme: Tenant, member: Client, order: str, known: list[str]) -> None:
    for name, cost in COSTS.items():
        acme.another_credential(name).api.keep(record(name, cost=cost))
    rows = first_words(member.get("/keys/", {"sort": "cost", "order": order}), "keys")
    assert [name for name in rows if name != "First"] == [*known, "unpriced"]
    # What was not used costs nothing, and that is known.
    assert rows.index("First") < rows.index("unpriced")


@pytest.mark.parametrize(("order", "known"), ORDERS)
def test_endpoints_of_unknown_cost_come_last(
    acme: Tenant, member: Client, order: str, known: list[str]
) -> None:
    acme.api.keep(*(record(name, endpoint=name, cost=cost) for name, cost in COSTS.items()))
    page = member.get(f"/keys/{acme.client_id}/", {"sort": "cost", "order": order})
    assert first_words(page, "endpoints") == [*known, "unpriced"]


@pytest.mark.parametrize(("order", "known"), ORDERS)
def test_organizations_of_unknown_cost_come_last_of_their_currency(
    acme: Tenant, order: str, known: list[str]
) -> None:
    user = add_member(make_tenant("zloty", currency="PLN"))
    for name, cost in COSTS.items():
        tenant = make_tenant(name, currency="EUR")
        tenant.api.keep(record(name, cost=cost))
        add_member(tenant, user=user)
    page = signed_in(user).get("/organizations/", {"sort": "cost", "order": order})
    assert first_words(page, "organizations") == [*known, "unpriced", "zloty"]


@pytest.mark.parametrize("sort", ["requests", "tokens", "cost", "limit", "alerts"])
@pytest.mark.parametrize("order", ["asc", "desc"])
def test_organizations_whose_figures_are_refused_come_last(
    acme: Tenant, reader: Client, sort: str, order: str
) -> None:
    with tenant_scope(acme.id):
        Organization.objects.filter(pk=acme.id).update(require_second_factor=True, currency="USD")
    page = reader.get("/organizations/", {"organization": "globex", "sort": sort, "order": order})
    assert first_words(page, "organizations") == ["Globex", "Acme"]
