"""The Costs page: every figure is the API's, and leads to the records that it is made of."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from tests.portal.pages import HTMX, figures, sign_in, table, text
from tests.portal.test_figures import api, bare, cells, plain
from tests.usage.factories import NOW, Tenant, at, record
from usage.rollups.fold import fold_pending

pytestmark = pytest.mark.django_db

FILTERS: tuple[dict[str, str], ...] = (
    {},
    {"range": "7d", "by": "capability"},
    {"range": "day", "by": "clientId"},
    {"range": "month", "capability": "chat"},
    {"range": "90d", "model": "model-1", "by": "clientId"},
)
FACETS = {"model": "model", "capability": "capability", "clientId": "clientId"}


@pytest.fixture
def used(acme: Tenant) -> Tenant:
    """An organization with use of two keys, some of it without a price, some of it not folded."""
    other = acme.another_credential("Other")
    for number, tenant in enumerate((acme, other)):
        tenant.api.keep(
            *(
                record(
                    f"{number}-{hours}",
                    timestamp=at(NOW - timedelta(hours=hours * 17)),
                    model=f"model-{hours % 3}" if hours % 5 else None,
                    capability=("chat", "search")[hours % 2],
                    tokens={"prompt": 101 * hours, "completion": 7},
                    **({"cost": f"0.{hours + 10}1234"} if hours % 11 else {}),
                )
                for hours in range(100)
            )
        )
        if number == 0:
            fold_pending()
    return acme


def rows_of(client: Client, href: str) -> list[str]:
    """Return the moments of all records that are listed from an address on."""
    found: list[str] = []
    path: str | None = unescape(href)
    while path is not None:
        page = client.get(path)
        assert page.status_code == 200, path
        if 'id="records"' in page.content.decode():
            found += [row[-1] for row in cells(page, "records")]
        older = re.search(r'rel="next" href="([^"]+)"', page.content.decode())
        path = unescape(older[1]) if older else None
    return found


def spent(costs: list[str]) -> float:
    return round(sum(float(cost) for cost in costs if cost != "–"), 9)


def link_of(page: Any, name: str) -> str:
    match = re.search(rf'id="figure-{name}".*?<a href="([^"]+)"', page.content.decode(), flags=re.DOTALL)
    assert match is not None, name
    return match[1]


@pytest.mark.parametrize("chosen", FILTERS)
def test_the_figures_of_the_days(used: Tenant, member: Client, chosen: dict[str, str]) -> None:
    page = member.get("/costs/", chosen)
    [row] = api(member, page, "figures")["rows"]
    shown = figures(page)
    assert set(shown) == {
        "cost", "rolling", "month", "period", "requests", "costPerMillionTokens", "unpriced",
    }  # fmt: skip
    lacks_all = row["unpriced"] and not float(row["cost"])
    known = row | ({"cost": None, "costPerMillionTokens": None} if lacks_all else {})
    for name in ("cost", "requests", "costPerMillionTokens", "unpriced"):
        assert bare(shown[name]) == plain(known[name]), name


@pytest.mark.parametrize("chosen", [{}, {"clientId": "of the first"}])
def test_the_windows_are_those_of_the_api(used: Tenant, member: Client, chosen: dict[str, str]) -> None:
    given = {"clientId": used.client_id} if chosen else {}
    answer = member.get("/api/v1/costs", given).json()
    page = member.get("/costs/", given)
    shown = figures(page)
    names = {"rolling": "rolling7Days", "month": "monthToDate", "period": "billingPeriod"}
    for name, of_api in names.items():
        assert bare(shown[name]) == plain(answer[of_api])
    windows = [[row[1], row[2], plain(row[3])] for row in cells(page, "windows")]
    assert windows == [
        [answer["periods"][name]["from"], answer["periods"][name]["to"], plain(answer[name])]
        for name in names.values()
    ]


@pytest.mark.parametrize("name", ["cost", "rolling", "month", "period"])
def test_a_figure_leads_to_its_records(used: Tenant, member: Client, name: str) -> None:
    page = member.get("/costs/", {"capability": "chat", "range": "7d"})
    assert spent(rows_of(member, link_of(page, name))) == float(figures(page)[name])


@pytest.mark.parametrize("chosen", FILTERS)
def test_the_chart_is_the_answer_by_days(used: Tenant, member: Client, chosen: dict[str, str]) -> None:
    page = member.get("/costs/", chosen)
    rows = api(member, page, "over-time")["rows"]
    expected: dict[str, float] = {}
    for row in rows:
        expected[row["timestamp"]] = expected.get(row["timestamp"], 0.0) + float(row["cost"])
    shown = [float(row[1]) for row in cells(page, "over-time-table") if float(row[1])]
    assert shown == [round(cost, 9) for _, cost in sorted(expected.items(), reverse=True) if cost]


@pytest.mark.parametrize("chosen", FILTERS)
def test_causes_are_the_api_s_and_lead_to_their_records(
    used: Tenant, member: Client, chosen: dict[str, str]
) -> None:
    page = member.get("/costs/", chosen)
    facet = FACETS[chosen.get("by", "model")]
    rows = {row[facet] or "(none)": row for row in api(member, page, "causes")["rows"]}
    shown = {row[0]: row for row in cells(page, "causes")}
    assert shown.keys() == rows.keys()
    for name, row in rows.items():
        counts = [plain(shown[name][place]) for place in (3, 4, 6)]
        assert counts == [plain(row[metric]) for metric in ("requests", "tokens", "unpriced")]
        cost = "–" if row["unpriced"] and not float(row["cost"]) else plain(row["cost"])
        assert plain(shown[name][1]) == cost, "a cost without a price is unknown, not nothing"
    first = re.search(
        r'<table id="causes">.*?<td.*?<a href="([^"]+)"', page.content.decode(), flags=re.DOTALL
    )
    if first is not None:
        dearest = next(row for row in cells(page, "causes") if row[0] != "(none)")
        assert spent(rows_of(member, first[1])) == float(dearest[1])


def test_the_line_is_the_average_of_seven_days(used: Tenant, member: Client) -> None:
    found = cells(member.get("/costs/"), "over-time-table")
    assert [row[2] for row in found[:1]] == ["–"]
    for place in range(1, 20):
        days = [float(row[1]) for row in found[place : place + 7]]
        assert float(found[place][2]) == pytest.approx(sum(days) / 7, abs=1e-9)


def test_what_has_no_price_is_said_with_what_to_do(used: Tenant, member: Client) -> None:
    page = member.get("/costs/", {"range": "90d"})
    [row] = api(member, page, "figures")["rows"]
    assert row["unpriced"] > 0
    assert f"{row['unpriced']} requests have no price" in text(page)
    assert "starts a repricing" in text(page)
    assert sum(int(row[1]) for row in table(page, "unpriced")) == row["unpriced"]


def test_without_use_the_page_says_so(acme: Tenant, member: Client) -> None:
    page = member.get("/costs/")
    assert "No data in this period." in text(page)
    assert "no price" not in text(page)


def test_a_form_keeps_what_was_chosen_beside_it(used: Tenant, member: Client) -> None:
    answer = member.get("/costs/?by=capability&clientId=&model=model-1&range=30d", headers=HTMX)
    assert answer["HX-Push-Url"] == "/costs/?model=model-1&by=capability"


def test_who_may_not_see_costs_has_no_page_of_them(used: Tenant, member: Client) -> None:
    developer = sign_in(used, "developer")
    assert developer.get("/costs/").status_code == 403
    assert "Costs" not in text(developer.get("/"))
    assert "Costs" in text(member.get("/"))


def test_the_page_asks_the_database_few_things(
    used: Tenant, member: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    member.get("/costs/")
    with django_assert_max_num_queries(33):
        member.get("/costs/")
