"""The page across organizations: each as its own pages and the API have it, and nobody else's."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from billing import book
from core.money import parse_money
from organizations.models import Organization, User
from organizations.tenancy import tenant_scope
from portal.numbers import exact_money
from tests.alerts.telling import fire
from tests.billing.pricing import price
from tests.billing.spending import limit_to, spend
from tests.portal.pages import HTMX, add_member, sign_in, signed_in, table, text
from tests.usage.factories import NOW, Tenant, at, make_tenant, record

pytestmark = pytest.mark.django_db


@pytest.fixture
def globex(acme: Tenant) -> Tenant:
    """Another organization, in New York."""
    return make_tenant("Globex", timezone="America/New_York", currency="USD")


@pytest.fixture
def initech(acme: Tenant) -> Tenant:
    """A third organization, which pays in euros as Acme does."""
    return make_tenant("Initech", currency="EUR")


@pytest.fixture
def of_all(acme: Tenant, globex: Tenant, initech: Tenant) -> User:
    """Acme's owner, who reads Globex and develops for Initech."""
    user = add_member(acme)
    add_member(globex, "analyst", user=user)
    add_member(initech, "developer", user=user)
    return user


@pytest.fixture
def used(acme: Tenant, globex: Tenant, initech: Tenant) -> None:
    """Use of each, in this month and the one before."""
    for number, tenant in enumerate((acme, globex, initech), start=1):
        tenant.api.keep(
            *(
                record(
                    f"{days}",
                    timestamp=at(NOW - timedelta(days=days)),
                    cost=f"{number}.5",
                    tokens={"prompt": 10},
                )
                for days in range(number * 12)
            )
        )


def rows(page: Any, name: str = "organizations") -> list[list[str]]:
    """Return the words of the rows."""
    return [[" ".join(re.sub(r"<[^>]*>", " ", cell).split()) for cell in row] for row in table(page, name)]


def names(client: Client, query: str = "") -> list[str]:
    """Return the organizations in their order."""
    return [row[0].split()[0] for row in rows(client.get(f"/organizations/{query}"))]


def test_every_figure_is_that_of_the_api(
    acme: Tenant, globex: Tenant, initech: Tenant, of_all: User, used: None
) -> None:
    page = signed_in(of_all).get("/organizations/")
    values = [re.findall(r'data-value="([^"]*)"', html) for html in rows_html(page)]
    for tenant, found in zip((acme, globex, initech), values, strict=True):
        usage = tenant.api.get("/usage").body
        assert found[0] == tenant.organization.slug
        assert found[1:3] == [str(usage["requests"]["total"]), str(usage["tokens"]["total"])]
        assert found[3] == exact_money(parse_money(usage["cost"])).replace(",", "")


def rows_html(page: Any) -> list[str]:
    """Return the rows as they are written."""
    body = re.search(r'id="organizations".*?<tbody>(.*?)</tbody>', page.content.decode(), flags=re.DOTALL)
    assert body is not None
    return re.findall(r"<tr>(.*?)</tr>", body[1], flags=re.DOTALL)


def test_currencies_are_never_added(of_all: User, used: None) -> None:
    page = signed_in(of_all).get("/organizations/")
    # Of July: 12 records of Acme at 1.5; 15 of Globex at 2.5; 15 of Initech at 3.5.
    assert rows(page, "by-currency") == [
        ["EUR", "2", "27", "270", "70.50 EUR"],
        ["USD", "1", "15", "150", "37.50 USD"],
    ]


def test_what_can_be_sorted_is(of_all: User, used: None) -> None:
    client = signed_in(of_all)
    assert names(client) == ["Acme", "Globex", "Initech"]
    assert names(client, "?sort=name&order=desc") == ["Initech", "Globex", "Acme"]
    assert names(client, "?sort=requests") == ["Globex", "Initech", "Acme"]
    # Euros among themselves, then dollars.
    assert names(client, "?sort=cost") == ["Initech", "Acme", "Globex"]
    assert client.get("/organizations/?sort=colour").status_code == 400


def test_limits_and_alerts_are_shown_as_the_role_may(
    acme: Tenant, globex: Tenant, initech: Tenant, of_all: User
) -> None:
    for tenant in (acme, initech):
        limit_to(tenant, 10)
        spend(tenant, 6.2)
    limit_to(globex, 10)
    spend(globex, 11)
    fire(acme, message="Something.")
    by_name = {row[0].split()[0]: row for row in rows(signed_in(of_all).get("/organizations/"))}
    assert by_name["Acme"][1:] == ["Owner", "0 no change", "0 no change", "0.00 no change", "EUR", "62%", "1"]
    assert by_name["Globex"][6:] == ["Paused", "0"]
    # Developers do not read costs.
    assert by_name["Initech"][6] == "–"


def test_changes_are_against_the_same_stretch(of_all: User, used: None) -> None:
    by_name = {row[0].split()[0]: row for row in rows(signed_in(of_all).get("/organizations/"))}
    # Initech's first record is of 10 June; of June's days up to the 15th at this minute there are five.
    assert by_name["Initech"][2] == "15 ▲ 200%"
    assert by_name["Acme"][2] == "12 no prior data"


def test_every_row_leads_into_its_organization(of_all: User, used: None) -> None:
    html = signed_in(of_all).get("/organizations/").content.decode()
    for slug in ("acme", "globex", "initech"):
        assert f'href="/?organization={slug}"' in html
        assert f'href="/usage/?organization={slug}&amp;range=month&amp;view=cost"' in html


def test_limits_and_sums_lead_to_where_they_come_from(
    acme: Tenant, globex: Tenant, of_all: User, used: None
) -> None:
    limit_to(acme, 10)
    html = signed_in(of_all).get("/organizations/").content.decode()
    for slug in ("acme", "globex"):
        assert f'href="/limits/?organization={slug}"' in html
    # Developers know nothing of limits.
    assert 'href="/limits/?organization=initech"' not in html
    sums = html[html.index('id="by-currency"') :]
    # Two organizations use euros, only one dollars.
    assert 'href="/organizations/?organization=acme&amp;sort=cost"' in sums
    assert 'href="/usage/?organization=globex&amp;range=month&amp;view=cost"' in sums


def test_the_switcher_leads_here_for_members_of_several_only(acme: Tenant, of_all: User) -> None:
    assert 'href="/organizations/?organization=acme"' in signed_in(of_all).get("/").content.decode()
    assert "/organizations/" not in sign_in(acme).get("/").content.decode()


def test_nothing_is_seen_of_organizations_one_does_not_belong_to(
    acme: Tenant, globex: Tenant, used: None
) -> None:
    page = sign_in(acme).get("/organizations/")
    assert [row[0] for row in rows(page)] == ["Acme Europe/Berlin"]
    assert "Globex" not in page.content.decode()


def test_an_organization_that_wants_a_second_factor_shows_no_figures_without(
    globex: Tenant, of_all: User, used: None
) -> None:
    with tenant_scope(globex.id):
        Organization.objects.filter(pk=globex.id).update(require_second_factor=True)
    by_name = {row[0].split()[0]: row for row in rows(signed_in(of_all).get("/organizations/"))}
    assert "requires a second factor" in by_name["Globex"][0]
    assert by_name["Globex"][2:] == ["–"] * 6
    assert by_name["Acme"][2] == "12 no prior data"


def test_the_scope_of_the_page_is_whole_again_after_the_others(of_all: User, used: None) -> None:
    client = signed_in(of_all)
    client.get("/organizations/?organization=globex")
    assert "Globex" in text(client.get("/")).split("Skip")[0]


def test_questions_grow_with_organizations_and_not_with_records(
    acme: Tenant, globex: Tenant, of_all: User, used: None
) -> None:
    client = signed_in(of_all)

    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert client.get("/organizations/?organization=acme").status_code == 200
        return len(queries)

    asked()
    before = asked()
    acme.api.keep(*(record(f"more-{n}") for n in range(200)))
    assert asked() == before
    add_member(make_tenant("Umbrella"), "owner", user=of_all)
    # A scope opened and left, two totals, the limit and the alerts.
    assert asked() - before <= 8


class TestTheFilter:
    """The organization among the filters of a page."""

    @staticmethod
    def elsewhere(page: Any) -> tuple[list[str], dict[str, str]]:
        """Return the organizations to choose from, and what the page of the chosen one is asked for."""
        content = page.content.decode()
        select = re.search(r'<select id="filter-organization"(.*?)</select>', content, flags=re.DOTALL)
        form = re.search(r'<form id="elsewhere"(.*?)</form>', content, flags=re.DOTALL)
        assert select is not None
        assert form is not None
        assert 'name="organization" form="elsewhere"' in select[1]
        fields = re.findall(r'name="([^"]*)" value="([^"]*)"', form[1])
        return re.findall(r"<option[^>]*>([^<]*)", select[1]), dict(fields)

    @pytest.mark.parametrize("path", ["/usage/", "/models/", "/logs/", "/costs/", "/models/what-if/"])
    def test_it_comes_first_on_every_page_that_is_filtered(self, of_all: User, path: str) -> None:
        page = signed_in(of_all).get(f"{path}?organization=acme&range=7d&capability=chat")
        assert self.elsewhere(page) == (["Acme", "Globex", "Initech"], {"capability": "chat", "range": "7d"})
        labels = re.findall(r'<label for="filter-(\w+)"', page.content.decode())
        assert labels[:2] == ["organization", "clientId"]
        assert 'href="/organizations/?organization=acme">All organizations</a>' in page.content.decode()

    def test_it_leads_to_the_same_page_and_filters_of_another_one(
        self, globex: Tenant, of_all: User, used: None
    ) -> None:
        client = signed_in(of_all)
        page = client.get("/usage/?organization=acme&range=7d&view=cost")
        _, fields = self.elsewhere(page)
        other = client.get("/usage/", {**fields, "organization": "globex"})
        assert other.status_code == 200
        assert '<option value="globex" selected>' in other.content.decode()
        assert "Cost per day" in text(other)
        assert '<option value="7d" selected>' in other.content.decode()

    def test_a_key_stays_with_its_organization(self, acme: Tenant, of_all: User) -> None:
        page = signed_in(of_all).get(f"/usage/?organization=acme&clientId={acme.client_id}&model=gpt-4o")
        assert self.elsewhere(page)[1] == {"model": "gpt-4o"}

    def test_the_logs_hand_their_own_filters_on(self, of_all: User) -> None:
        page = signed_in(of_all).get("/logs/?organization=acme&status=error&type=task&meta[team]=blue")
        assert self.elsewhere(page)[1] == {"status": "error", "type": "task", "meta[team]": "blue"}

    def test_other_models_are_compared_with_in_one_organization(self, of_all: User) -> None:
        price(currency="EUR")
        book.forget()
        page = signed_in(of_all).get("/models/what-if/?organization=acme&others=openai/gpt-4o")
        assert self.elsewhere(page)[1] == {}

    @pytest.mark.parametrize("path", ["/usage/", "/logs/", "/keys/", "/costs/", "/models/"])
    def test_the_api_answers_of_the_organization_on_the_page(
        self, globex: Tenant, of_all: User, used: None, path: str
    ) -> None:
        client = signed_in(of_all)
        page = client.get(f"{path}?organization=acme")
        addresses = re.findall(r'href="([^"]+)" data-api', page.content.decode())
        assert addresses
        own = [client.get(unescape(one)).json() for one in addresses]
        # Another page of another organization, as a second tab has it.
        client.get("/?organization=globex")
        assert [client.get(unescape(one)).json() for one in addresses] == own
        assert all("organization=acme" in one for one in addresses)

    def test_a_part_of_the_page_has_it_too(self, of_all: User) -> None:
        part = signed_in(of_all).get("/usage/?organization=acme", headers=HTMX)
        assert self.elsewhere(part)[0] == ["Acme", "Globex", "Initech"]

    def test_a_member_of_one_has_none(self, acme: Tenant) -> None:
        for query in ("", "?organization=acme"):
            page = sign_in(acme).get(f"/usage/{query}").content.decode()
            assert "filter-organization" not in page
            assert "All organizations" not in page
