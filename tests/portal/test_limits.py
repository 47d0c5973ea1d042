"""Spend limits on pages: how they stand, set and removed, their history, one tried on the past, the strip."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
import time_machine
from django.test import Client

from billing.models import Window
from core.moments import parse_moment
from portal.reading.limits.trial import LISTED
from tests.billing.spending import decisions, limit_of, limit_to, spend
from tests.portal.pages import HTMX, figures, sign_in, text
from tests.portal.test_costs import rows_of, spent
from tests.portal.test_figures import api, bare, cells, plain
from tests.usage.factories import NOW, Tenant, at, make_tenant, record

pytestmark = pytest.mark.django_db

SETTERS = ("owner", "admin", "billing")


@pytest.fixture
def acme(db: None, stopped_clock: time_machine.Traveller) -> Tenant:
    """An organization in Berlin, on a plan with spend limits."""
    return make_tenant("Acme", plan="pay-as-you-go", timezone="Europe/Berlin", currency="EUR")


@pytest.fixture
def used(acme: Tenant) -> Tenant:
    """An organization that spent a unit every six hours for five weeks, with two keys."""
    other = acme.another_credential("Other")
    for number, tenant in enumerate((acme, other)):
        tenant.api.keep(
            *(
                record(f"{number}-{hours}", timestamp=at(NOW - timedelta(hours=hours)), cost="0.5")
                for hours in range(0, 35 * 24, 6)
            )
        )
    return acme


def facts(page: Any) -> dict[str, str]:
    """Return what the first panel says, by its names."""
    found = re.findall(r"<div><dt>(.*?)</dt><dd>(.*?)(?: <small>.*?)?</dd></div>", page.content.decode())
    return {name: unescape(re.sub(r"<[^>]*>", "", value)) for name, value in found}


def set_to(client: Client, **given: str) -> Any:
    terms = {"limit": "30", "window": "rolling7Days", "enforcement": "pause", "warnAt": "50, 80"} | given
    return client.post("/limits/set/", terms)


def strip(page: Any) -> str:
    match = re.search(r'<div id="strip"[^>]*>(.*?)</div>', page.content.decode(), flags=re.DOTALL)
    assert match is not None
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", match[1])).split())


@pytest.mark.parametrize("window", list(Window))
def test_a_limit_stands_as_the_api_says(used: Tenant, member: Client, window: Window) -> None:
    limit_to(used, 40, warn_at=(50, 80), window=window)
    page = member.get("/limits/")
    answer = api(member, page, "limit-")
    shown = facts(page)
    for name, of_api in {
        "Limit": "limit",
        "Spent": "spent",
        "Reserved": "reserved",
        "Left": "remaining",
    }.items():
        assert bare(shown[name].removesuffix(" EUR")) == plain(answer[of_api])
    assert shown["Warns at"] == "50%, 80%"
    assert answer["resetsAt"] is not None
    records = re.search(r'<dt>Spent</dt><dd><a href="([^"]+)"', page.content.decode())
    assert records is not None
    assert spent(rows_of(member, records[1])) == float(answer["spent"])


def test_a_limit_of_a_key_is_shown_beside_the_organization_s(used: Tenant, member: Client) -> None:
    limit_to(used, 400)
    limit_to(used, 15, credential_id=used.credential_id, warn_at=(80,))
    page = member.get("/limits/")
    answer = api(member, page, f"limit-{used.client_id}")
    assert answer["spent"] == "14.500000000"
    assert "First key Above 80%" in text(page)
    assert "Entire organization Within limit" in text(page)


@pytest.mark.parametrize("role", SETTERS)
def test_a_limit_is_set_changed_and_removed(used: Tenant, role: str) -> None:
    client = sign_in(used, role)
    assert set_to(client, limit="60.5")["Location"] == "/limits/"
    limit = limit_of(used)
    assert (limit.limit_nanos, limit.warn_at, limit.enforcement) == (60_500_000_000, [50, 80], "pause")
    form = client.get("/limits/set/").content.decode()
    assert 'value="60.50"' in form
    assert 'value="50, 80"' in form
    set_to(client, limit="70", window="week", enforcement="warn", warnAt="")
    limit = limit_of(used)
    assert (limit.limit_nanos, limit.window_kind, limit.warn_at) == (70_000_000_000, "week", [])
    page = client.get("/limits/")
    assert "Warn only" in text(page)
    answer = client.post("/limits/remove/", {"clientId": ""}, follow=True)
    assert "removed." in text(answer)
    assert "No spend limit" in text(answer)
    assert decisions(used) == ["limitSet", "limitSet", "limitRemoved"]


def test_a_limit_of_a_key(used: Tenant, member: Client) -> None:
    set_to(member, clientId=used.client_id, limit="20")
    assert limit_of(used, used.credential_id).limit_nanos == 20_000_000_000
    assert 'value="20.00"' in member.get("/limits/set/", {"clientId": used.client_id}).content.decode()
    member.post("/limits/remove/", {"clientId": used.client_id})
    assert member.post("/limits/remove/", {"clientId": used.client_id}).status_code == 404


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"limit": ""}, "This field is required."),
        ({"limit": "1,000"}, "Enter an amount such as 250 or 99.50."),
        ({"limit": "0"}, "The limit must be greater than 0."),
        ({"limit": "-5"}, "The limit must be greater than 0."),
        ({"limit": "0.0000000001"}, "Enter an amount"),
        ({"limit": "9999999999999"}, "Enter an amount"),
        ({"warnAt": "50, 101"}, "Enter whole numbers from 1 to 100"),
        ({"warnAt": "half"}, "Enter whole numbers from 1 to 100"),
        ({"warnAt": "1,2,3,4,5,6,7,8,9,10,11"}, "Enter at most 10 percentages"),
        ({"window": "month"}, "month is not one of the available choices"),
        ({"enforcement": "ask"}, "ask is not one of the available choices"),
        ({"clientId": "cl_00000000000000000000"}, "This organization has no such API key."),
    ],
)
def test_faults_are_said_at_their_fields(
    used: Tenant, member: Client, given: dict[str, str], said: str
) -> None:
    answer = set_to(member, **given)
    assert answer.status_code == 422
    assert said in text(answer)
    [name] = given
    assert f'id="id_{name}_error"' in answer.content.decode()
    assert decisions(used) == []


def test_who_may_only_read_sees_no_way_to_change(used: Tenant) -> None:
    limit_to(used, 40)
    analyst = sign_in(used, "analyst")
    page = analyst.get("/limits/")
    assert "Set spend limit" not in text(page)
    assert "Remove" not in text(page)
    assert set_to(analyst).status_code == 403
    assert analyst.get("/limits/set/").status_code == 403
    assert analyst.post("/limits/remove/").status_code == 403
    assert sign_in(used, "developer").get("/limits/").status_code == 403


def test_a_plan_without_limits_is_told_so(stopped_clock: time_machine.Traveller, db: None) -> None:
    small = make_tenant("Small", plan="free")
    client = sign_in(small)
    page = client.get("/limits/")
    assert "The plan Free has no spend limits; these have: Pay-as-you-go" in text(page)
    assert "Set spend limit" not in text(page)
    assert set_to(client).status_code == 403
    assert client.get("/limits/trial/", {"limit": "5", "weeks": "4"}).status_code == 200
    assert client.get("/limits/set/")["Location"] == "/limits/"


def test_the_history_is_the_api_s_in_pages(used: Tenant, member: Client) -> None:
    for number in range(60):
        limit_to(used, 100 + number)
    path: str | None = "/limits/history/"
    seen: list[str] = []
    pages = 0
    while path is not None:
        page = member.get(path)
        answer = api(member, page, "decisions")
        rows = cells(page, "decisions")
        assert [row[0] for row in rows] == [item["decidedAt"] for item in answer["items"]]
        assert [row[1] for row in rows] == [item["kind"] for item in answer["items"]]
        assert [plain(row[4]) for row in rows] == [plain(item["limit"]) for item in answer["items"]]
        seen += [item["id"] for item in answer["items"]]
        older = re.search(r'rel="next" href="([^"]+)"', page.content.decode())
        path, pages = (unescape(older[1]) if older else None), pages + 1
    assert (len(set(seen)), pages) == (60, 2)
    assert member.get("/limits/history/", {"cursor": "x"}).status_code == 400


def test_the_history_is_filtered(used: Tenant, member: Client) -> None:
    limit_to(used, 40)
    limit_to(used, 1, credential_id=used.credential_id)
    page = member.get("/limits/history/", {"kind": "paused", "clientId": used.client_id})
    assert [row[1:3] for row in cells(page, "decisions")] == [["paused", used.client_id]]
    assert "No activity matches these filters." in text(member.get("/limits/history/?kind=corrected"))
    assert member.get("/limits/history/", {"kind": "guessed"}).status_code == 400
    sent = member.get("/limits/history/?kind=&clientId=", headers=HTMX)
    assert sent["HX-Push-Url"] == "/limits/history/"


TRIED: tuple[dict[str, str], ...] = (
    {"limit": "20", "weeks": "4"},
    {"limit": "20", "weeks": "8", "window": "week", "warnAt": "10,50"},
    {"limit": "20", "weeks": "4", "enforcement": "warn"},
    {"limit": "12.5", "weeks": "13", "clientId": "of the first"},
    {"limit": "4000", "weeks": "4"},
)


@pytest.mark.parametrize("given", TRIED)
def test_a_trial_is_the_api_s_replay(used: Tenant, member: Client, given: dict[str, str]) -> None:
    asked = given | ({"clientId": used.client_id} if "clientId" in given else {})
    page = member.get("/limits/trial/", asked)
    answer = api(member, page, "trial")
    shown = figures(page)
    assert bare(shown["spent"]) == plain(answer["spent"])
    assert bare(shown["stopped"]) == plain(answer["stopped"])
    assert shown["paused"] == str(answer["pausedSeconds"])
    assert shown["pauses"] == str(len(answer["pauses"]))
    if answer["pauses"]:
        rows = [[row[0], plain(row[3]), plain(row[4])] for row in cells(page, "pauses")]
        every = [[one["pausedAt"], plain(one["spent"]), plain(one["stopped"])] for one in answer["pauses"]]
        assert len(rows) == min(len(every), LISTED)
        assert rows == [pause for pause in every if pause in rows]
    if answer["warnings"]:
        assert [[row[0], int(row[1])] for row in cells(page, "warnings")] == [
            [one["warnedAt"], one["threshold"]] for one in answer["warnings"][-LISTED:]
        ]
    days = cells(page, "trial-table")
    assert sum(float(row[2]) for row in days) == float(answer["stopped"])
    assert sum(float(row[1]) + float(row[2]) for row in days) == float(answer["spent"])


def test_what_was_tried_can_be_set(used: Tenant, member: Client) -> None:
    limit_to(used, 7)
    tried = {"limit": "20", "window": "week", "enforcement": "warn", "warnAt": "", "weeks": "4"}
    content = member.get("/limits/trial/", {**tried, "clientId": used.client_id}).content.decode()
    found = re.search(r'href="(/limits/set/[^"]*)"', content)
    assert found is not None
    form = member.get(unescape(found[1])).content.decode()
    assert re.search(r'name="limit" value="20"', form)
    assert f'<option value="{used.client_id}" selected>' in form
    for chosen in ("week", "warn"):
        assert f'<option value="{chosen}" selected>' in form
    # No warnings were tried, so none are offered.
    assert "50, 80, 95" not in form


def test_a_trial_s_days_are_stopped_within_its_pauses(used: Tenant, member: Client) -> None:
    page = member.get("/limits/trial/", {"limit": "20", "weeks": "4"})
    pauses = api(member, page, "trial")["pauses"]
    assert len(pauses) > 1
    for row in cells(page, "trial-table"):
        if float(row[2]):
            day = parse_moment(f"{row[0]}T00:00:00+02:00")
            assert any(
                parse_moment(one["pausedAt"]) < day + timedelta(days=1)
                and (one["resumedAt"] is None or parse_moment(one["resumedAt"]) > day)
                for one in pauses
            )


@pytest.mark.parametrize(
    ("query", "status", "said"),
    [
        ("limit=&weeks=4", 422, "This field is required."),
        ("limit=5&weeks=5", 422, "5 is not one of the available choices"),
        ("limit=5&colour=red", 400, "There is no parameter"),
        ("limit=5&clientId=cl_00000000000000000000", 404, "credential"),
    ],
)
def test_a_trial_of_nothing_sensible_is_refused(
    used: Tenant, member: Client, query: str, status: int, said: str
) -> None:
    answer = member.get(f"/limits/trial/?{query}")
    assert answer.status_code == status
    assert said in text(answer)


class TestTheStrip:
    """What is said above every page."""

    def test_nothing_is_said_below_every_share(self, used: Tenant, member: Client) -> None:
        limit_to(used, 400, warn_at=(50,))
        assert strip(member.get("/usage/")) == ""

    @pytest.mark.parametrize("path", ["/", "/usage/", "/keys/", "/limits/"])
    def test_a_pause_is_said_everywhere_with_its_end(self, used: Tenant, member: Client, path: str) -> None:
        limit_to(used, 20)
        assert member.get("/api/v1/spend-limit").json()["resetsAt"] == "2026-07-17T18:45:00Z"
        assert strip(member.get(path)) == (
            "Access is paused. The spend limit has been reached. Requests resume on 17 Jul 2026, 20:45 "
            "(Europe/Berlin, UTC+02:00) if nothing more is spent. View limit"
        )

    def test_a_share_is_said_with_what_is_spent(self, used: Tenant, member: Client) -> None:
        limit_to(used, 40, warn_at=(50, 80))
        assert strip(member.get("/usage/")).startswith("72% of the spend limit used: 29.00 of 40.00 EUR.")
        limit_to(used, 35, warn_at=(50, 80))
        assert strip(member.get("/usage/")).startswith("82% of the spend limit used: 29.00 of 35.00 EUR.")

    @pytest.mark.parametrize(("limit", "tone"), [(50, "strip "), (36, "strip warn"), (29, "strip bad")])
    def test_its_colour_says_how_grave_it_is(
        self, used: Tenant, member: Client, limit: int, tone: str
    ) -> None:
        limit_to(used, limit, warn_at=(50, 80, 95))
        assert f'<p class="{tone}">' in member.get("/usage/").content.decode()

    def test_a_key_that_is_almost_paused_comes_before_an_early_warning(
        self, used: Tenant, member: Client
    ) -> None:
        limit_to(used, 50, warn_at=(50, 80, 95))
        limit_to(used, 15, warn_at=(50, 80, 95), credential_id=used.credential_id)
        said = strip(member.get("/usage/"))
        assert said.startswith("96% of the spend limit for the key First key used:")

    def test_it_is_as_fresh_as_the_page(self, used: Tenant, member: Client) -> None:
        limit_to(used, 30)
        spend(used, 5)
        part = member.get("/usage/", headers=HTMX).content.decode()
        assert '<div id="strip" hx-swap-oob="true">' in part
        assert "Access is paused." in part

    def test_who_may_not_see_costs_is_told_of_the_pause_alone(self, used: Tenant) -> None:
        limit_to(used, 20)
        developer = sign_in(used, "developer")
        said = strip(developer.get("/usage/"))
        assert said.startswith("Access is paused.")
        assert "EUR" not in said
        assert "View limit" not in said
        limit_to(used, 40, warn_at=(50,))
        assert strip(developer.get("/usage/")) == ""

    def test_several_are_counted(self, used: Tenant, member: Client) -> None:
        limit_to(used, 40, warn_at=(50,))
        limit_to(used, 10, credential_id=used.credential_id)
        said = strip(member.get("/usage/"))
        assert said.startswith("The key First key is paused.")
        assert "1 more limit needs attention." in said
