"""The forecast of costs on its page is the one that the API gives."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client

from tests.portal.pages import HTMX, figures, text
from tests.portal.test_figures import api, bare, cells, plain
from tests.usage.factories import NOW, Tenant, at, record

pytestmark = pytest.mark.django_db


@pytest.fixture
def used(acme: Tenant) -> Tenant:
    """An organization that has been used for six days, too few for more than a run rate."""
    acme.api.keep(
        *(
            record(f"{hours}", timestamp=at(NOW - timedelta(hours=hours)), cost=f"0.{10 + hours}")
            for hours in range(0, 144, 6)
        )
    )
    return acme


@pytest.mark.parametrize("of_key", [False, True])
def test_every_figure_is_the_api_s(used: Tenant, member: Client, of_key: bool) -> None:
    given = {"clientId": used.client_id} if of_key else {}
    page = member.get("/costs/forecast/", given)
    [answer] = api(member, page, "forecast")["forecasts"]
    costs = member.get("/api/v1/costs", given).json()["forecast"]
    shown = figures(page)
    assert bare(shown["forecast-period"]) == plain(answer["period"]["expected"])
    assert bare(shown["forecast-period"]) == plain(costs["billingPeriod"]["expected"])
    assert bare(shown["forecast-following"]) == plain(answer["following"]["expected"])
    assert bare(shown["forecast-following"]) == plain(costs["next30Days"]["expected"])
    rows = [row for row in cells(page, "forecast-table") if row[2] != "–"]
    assert [[row[0], *map(plain, row[2:])] for row in rows] == [
        [one["date"], plain(one["expected"]), plain(one["low"]), plain(one["high"])]
        for one in answer["points"]
    ]
    assert len(rows) == 30
    past = [float(row[1]) for row in cells(page, "forecast-table") if row[1] != "–"]
    assert sum(past) == pytest.approx(sum(float(f"0.{10 + hours}") for hours in range(0, 144, 6)))


def test_without_use_before_today_nothing_is_foreseen(acme: Tenant, member: Client) -> None:
    acme.api.keep(record(cost="1"))
    assert "There is not enough history for a forecast yet." in text(member.get("/costs/forecast/"))


def test_the_page_of_costs_asks_for_it_by_itself(used: Tenant, member: Client) -> None:
    html = member.get("/costs/", {"clientId": used.client_id}).content.decode()
    assert f'hx-get="/costs/forecast/?clientId={used.client_id}" hx-trigger="load, refresh from:body"' in html
    part = member.get("/costs/forecast/", headers=HTMX).content.decode()
    assert "<html" not in part
    assert 'id="forecast-data"' in part


def test_of_models_and_capabilities_there_is_none(used: Tenant, member: Client) -> None:
    page = member.get("/costs/", {"capability": "chat"})
    assert "costs/forecast" not in page.content.decode()
    assert "Forecasts cover the whole organization or a single API key" in text(page)
