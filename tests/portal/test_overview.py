"""The Overview's figures are the API's for the same filter, and so are its days."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from core.money import parse_money
from core.periods import Granularity, Period, buckets, zone
from organizations.services import change_plan
from portal import overview
from portal.measures import NONE
from portal.numbers import exact_money
from tests.alerts.telling import clear, fire
from tests.billing.spending import limit_to, spend
from tests.portal.pages import HTMX, changes, chart, figures, shown, sign_in, table, text
from tests.usage.factories import NOW, Tenant, at, make_tenant, record
from usage.rollups.fold import fold_pending

pytestmark = pytest.mark.django_db

BERLIN = zone("Europe/Berlin")


def day(number: int, month: int = 7, hour: int = 12) -> str:
    return at(datetime(2026, month, number, hour, tzinfo=UTC))


@pytest.fixture
def history(acme: Tenant) -> None:
    """Records of many days, some of them not folded, at the edges of days and periods too."""
    edges = (
        "2026-06-30T21:59:59.999999Z",
        "2026-06-30T22:00:00Z",
        "2026-05-31T22:00:00Z",
        "2026-06-15T12:34:00Z",
    )
    acme.api.keep(
        *(
            record(
                f"{days}-{hour}",
                timestamp=at(NOW - timedelta(days=days, hours=hour)),
                tokens={"prompt": 1000 * days + 7, "completion": hour},
                quantities={"quota": 700, "credits": "1.5"},
                cost=f"0.0{days:02d}{hour}12345",
                status="error" if days % 9 == 0 else "success",
            )
            for days in range(0, 95, 2)
            for hour in (0, 5, 9)
        ),
        *(record(f"edge-{place}", timestamp=moment) for place, moment in enumerate(edges)),
    )
    fold_pending()
    acme.api.keep(record("fresh", timestamp=day(15), tokens={"prompt": 12, "completion": 3}, cost="12.5"))


def as_figures(usage: dict[str, Any]) -> dict[str, str]:
    """Write the API's answer as the page does: a cost of nothing but what has no price is unknown."""
    cost = parse_money(usage["cost"])
    return {
        "requests": str(usage["requests"]["total"]),
        "tokens": str(usage["tokens"]["total"]),
        "cost": NONE if usage["unpricedRecords"] and not cost else exact_money(cost).replace(",", ""),
        "quota": str(usage["quota"]["consumed"]),
        "credits": str(usage["credits"]["consumed"]),
        "rpm": str(usage["averageRpm"]),
        "tpm": str(usage["averageTpm"]),
    }


def test_the_figures_are_those_of_the_api(acme: Tenant, member: Client, history: None) -> None:
    usage = acme.api.get("/usage").body
    assert usage["period"] == {"from": "2026-06-30T22:00:00Z", "to": "2026-07-31T22:00:00Z"}
    assert figures(member.get("/")) == as_figures(usage)


def test_the_period_before_is_that_of_the_api(acme: Tenant, member: Client, history: None) -> None:
    usage = acme.api.get("/usage", from_="2026-05-31T22:00:00Z", to="2026-06-15T12:34:00Z").body
    rows = table(member.get("/"), "figures-table")
    before = [row[2].replace(",", "") for row in rows]
    assert before == list(as_figures(usage).values())
    assert "Compared with the same part of the previous period, 1–15 Jun 2026, 14:34" in text(member.get("/"))


@pytest.mark.parametrize("measure", ["requests", "tokens", "cost"])
def test_every_day_is_that_of_the_api(acme: Tenant, member: Client, history: None, measure: str) -> None:
    days = chart(member.get("/", {"measure": measure}))
    window = buckets(Period(NOW - timedelta(days=89), NOW), Granularity.DAY, BERLIN)
    assert [one["day"] for one in days] == [b.start.astimezone(BERLIN).date().isoformat() for b in window]
    for one, bucket in zip(days, window, strict=True):
        usage = acme.api.get("/usage", from_=at(bucket.start), to=at(bucket.end)).body
        assert one["exact"].removesuffix(" EUR").replace(",", "") == as_figures(usage)[measure]
        assert Decimal(str(one["value"])) == Decimal(as_figures(usage)[measure].replace(NONE, "0"))


def test_the_table_has_every_day_newest_first(member: Client, history: None) -> None:
    page = member.get("/")
    rows = table(page, "daily-table")
    assert len(rows) == 90
    assert rows[0][1:3] == ["4", "50"]
    assert rows[0][0] == '<a href="/logs/?range=custom&amp;from=2026-07-15&amp;to=2026-07-15">15 Jul 2026</a>'
    assert [one["url"] for one in reversed(chart(page))] == [
        f"/logs/?range=custom&from={one['day']}&to={one['day']}" for one in reversed(chart(page))
    ]
    assert [row[1] for row in rows] == [one["exact"] for one in reversed(chart(page))]


def test_changes_are_against_the_same_stretch(acme: Tenant, member: Client) -> None:
    acme.api.keep(
        *(record(f"now-{number}", timestamp=day(number + 1), tokens={"prompt": 30}) for number in range(3)),
        *(record(f"then-{number}", timestamp=day(15, 6, 11), tokens={"prompt": 50}) for number in range(2)),
        # Later in June than this is in July: not compared with.
        record("late", timestamp=day(16, 6)),
    )
    said = changes(member.get("/"))
    assert said["requests"] == "Compared with the previous period: up 50%"
    assert said["tokens"] == "Compared with the previous period: down 10%"
    assert said["rpm"] == "Compared with the previous period: up 50%"
    assert said["credits"] == "Compared with the previous period: no change"


def test_large_figures_are_short_with_the_exact_one_at_hand(acme: Tenant, member: Client) -> None:
    acme.api.keep(record("large", timestamp=day(14), tokens={"prompt": 1234567}, cost="1234.061200001"))
    page = member.get("/")
    assert shown(page)["tokens"] == "1.23M"
    assert 'title="1,234,567"' in page.content.decode()
    assert shown(page)["cost"] == "1,234.06"
    assert 'title="1,234.061200001 EUR"' in page.content.decode()


def test_what_has_no_price_is_said(acme: Tenant, member: Client) -> None:
    acme.api.keep(record("a", timestamp=day(14)), record("b", timestamp=day(14), cost="1"))
    assert "1.00 in the last 7 days · 1 unpriced request: no model" in text(member.get("/"))
    names = ("house-1", "house-1", "house-2", "house-2", "house-3", "house-3", "house-4")
    acme.api.keep(*(record(f"n{n}", timestamp=day(14), model=name) for n, name in enumerate(names)))
    said = "8 unpriced requests: house-1, house-2, house-3 and 2 more"
    assert said in text(member.get("/"))


def test_the_last_seven_days_are_those_of_a_rolling_limit(acme: Tenant, member: Client) -> None:
    quarter = NOW.replace(minute=30, second=0, microsecond=0)
    week = quarter - timedelta(days=7)
    acme.api.keep(
        record("in", timestamp=at(week), cost="2"),
        record("out", timestamp=at(week - timedelta(microseconds=1)), cost="4"),
    )
    assert "2.00 in the last 7 days" in text(member.get("/"))


def test_times_are_the_organizations_and_say_so(acme: Tenant, member: Client, history: None) -> None:
    words = text(member.get("/"))
    assert "This billing period 1–31 Jul 2026" in words
    assert "times in Europe/Berlin, UTC+02:00 · updated 14:34:56" in words


def test_the_chart_says_in_words_what_it_shows(acme: Tenant, member: Client) -> None:
    acme.api.keep(*(record(f"{n}", timestamp=day(13)) for n in range(3)), record("today", timestamp=day(15)))
    said = "Requests: at most 3, on Mon 13 Jul 2026; 1 today so far."
    assert f'aria-label="Requests per day, last 90 days. {said}"' in member.get("/").content.decode()


def test_a_measure_that_is_all_zero_is_said(acme: Tenant, member: Client) -> None:
    acme.api.keep(record("today", timestamp=day(15), cost="0"))
    assert "Cost: no data in the last 90 days." in member.get("/?measure=cost").content.decode()


def test_the_chart_says_what_it_lacks(acme: Tenant, member: Client) -> None:
    acme.api.keep(record("today", timestamp=day(15)))
    assert "Cost: 1 unpriced." in member.get("/?measure=cost").content.decode()
    acme.api.keep(record("priced", timestamp=day(13), cost="2"))
    said = "Cost: at most 2.00 EUR, on Mon 13 Jul 2026; 1 unpriced today so far."
    assert said in member.get("/?measure=cost").content.decode()


def test_what_costs_nobody_knows_come_last_among_the_tops(acme: Tenant, member: Client) -> None:
    acme.api.keep(
        record("a", timestamp=day(10), model="a-unpriced"),
        record("b", timestamp=day(10), model="b-free", cost="0"),
        record("c", timestamp=day(10), model="c-costly", cost="2"),
        record("d", timestamp=day(10), model="c-costly"),
    )
    rows = words(member.get("/?measure=cost"), "top-model")
    assert rows == [["c-costly", "2.00 1 unpriced"], ["b-free", "0.00"], ["a-unpriced", "– 1 unpriced"]]
    # Of anything but costs, nothing is lacking.
    assert words(member.get("/"), "top-capability") == [["(none)", "4"]]


def test_a_period_of_unknown_cost_is_not_compared(acme: Tenant, member: Client) -> None:
    acme.api.keep(record("now", timestamp=day(10)), record("then", timestamp=day(10, 6), cost="2"))
    page = member.get("/")
    assert shown(page)["cost"] == "–"
    assert "cost" not in changes(page)
    assert ["–", "2.00", "–"] in [row[1:] for row in words(page, "figures-table")]
    acme.api.keep(record("priced", timestamp=day(10), cost="3"))
    assert ["3.00", "2.00", "50%"] in [row[1:] for row in words(member.get("/"), "figures-table")]


def test_history_ends_where_the_plans_does(acme: Tenant, member: Client, history: None) -> None:
    change_plan(organization_id=acme.id, plan="free")
    page = member.get("/")
    assert figures(page) == as_figures(acme.api.get("/usage").body)
    assert "Requests per day, last 31 days" in text(page)
    assert len(chart(page)) == 31
    assert changes(page) == {}
    assert "The previous period is outside your plan's history" in text(page)


@pytest.mark.parametrize(
    ("moment", "before"),
    [
        # The first minute of a month has something to be compared with.
        (datetime(2026, 6, 30, 22, tzinfo=UTC), "1 Jun 2026, 00:01"),
        (datetime(2026, 7, 10, 22, tzinfo=UTC), "1–10 Jun 2026"),
        # March is longer than February.
        (datetime(2026, 3, 31, 10, tzinfo=UTC), "1–28 Feb 2026"),
    ],
)
def test_the_same_stretch_at_the_edges(
    acme: Tenant, stopped_clock: time_machine.Traveller, moment: datetime, before: str
) -> None:
    stopped_clock.move_to(moment)
    acme.api.keep(record("only"))
    assert f"Compared with {before} ·" in text(sign_in(acme).get("/"))


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("measure=bogus", "Invalid measure: 'bogus'; accepted: requests, tokens, cost."),
        ("shape=pie", "Invalid shape: 'pie'; accepted: bars, area."),
        ("colour=red", "There is no parameter 'colour'"),
    ],
)
def test_what_the_address_asks_in_vain_is_named(member: Client, query: str, words: str) -> None:
    response = member.get(f"/?{query}")
    assert response.status_code == 400
    assert words in text(response)


def test_a_view_is_in_its_address(member: Client, history: None) -> None:
    page = member.get("/?measure=cost&shape=area")
    assert "Cost per day in EUR, last 90 days" in text(page)
    html = page.content.decode()
    assert 'hx-get="/?measure=cost&amp;shape=area" hx-trigger="refresh from:body"' in html
    assert 'href="/?measure=tokens&amp;shape=area"' in html
    assert 'href="/?measure=cost&amp;shape=bars"' in html


def test_a_refresh_is_the_same_part_and_the_strip(member: Client, history: None) -> None:
    page = member.get("/?measure=tokens")
    part = member.get("/?measure=tokens", headers=HTMX)
    live, strip = part.content.decode().strip().split('<div id="strip"')
    assert live.strip() in page.content.decode()
    assert live.startswith('<div id="live"')
    # The strip lies elsewhere on the page, and is replaced there.
    assert strip.startswith(' hx-swap-oob="true">')
    assert "HX-Request" in part["Vary"]
    assert "no-store" in part["Cache-Control"]


def test_a_page_that_the_browser_goes_back_to_is_whole(member: Client, history: None) -> None:
    response = member.get("/", headers={**HTMX, "HX-History-Restore-Request": "true"})
    assert "<!doctype html>" in response.content.decode()


def test_days_are_not_mixed_with_another_organizations(acme: Tenant, member: Client, history: None) -> None:
    globex = make_tenant("Globex", timezone="Europe/Berlin")
    globex.api.keep(record("theirs", timestamp=day(15), tokens={"prompt": 10**9}))
    assert figures(member.get("/")) == as_figures(acme.api.get("/usage").body)
    assert figures(sign_in(globex).get("/"))["tokens"] == "1000000000"


def words(page: Any, name: str) -> list[list[str]]:
    """Return the words in the rows of a table."""
    return [[re.sub(r"<[^>]*>", "", cell).strip() for cell in row] for row in table(page, name)]


def test_the_most_used_come_first_with_the_way_to_their_use(acme: Tenant, member: Client) -> None:
    other = acme.another_credential("Other")
    acme.api.keep(
        *(record(f"small-{n}", timestamp=day(10), model="small", capability="chat") for n in range(3)),
        record("large", timestamp=day(10), model="large", capability="search", cost="9.5"),
        # Of the period before: not among them.
        *(record(f"old-{n}", timestamp=day(10, 6), model="old") for n in range(9)),
    )
    other.api.keep(record("theirs", timestamp=day(11)))
    page = member.get("/")
    assert words(page, "top-model") == [["small", "3"], ["(none)", "1"], ["large", "1"]]
    assert 'href="/usage/?range=month&amp;model=small"' in table(page, "top-model")[0][0]
    assert words(page, "top-clientId") == [["First key", "4"], ["Other", "1"]]
    by_cost = member.get("/?measure=cost")
    assert words(by_cost, "top-capability")[0] == ["search", "9.50"]
    assert "view=cost" in table(by_cost, "top-capability")[0][0]


def test_the_headroom_is_that_of_the_api(acme: Tenant, member: Client) -> None:
    acme.api.keep(record("only", timestamp=day(14)))
    limit_to(acme, 50, warn_at=(80,))
    spend(acme, 12.5, at=NOW - timedelta(hours=30))
    limit = sign_in(acme).get("/api/v1/spend-limit").json()
    said = text(member.get("/"))
    assert limit["spent"] == "12.500000000"
    assert "37.50 EUR left" in said
    assert "12.50 of 50.00 EUR spent in the last 7 days: 25%" in said
    resets = datetime.fromisoformat(limit["resetsAt"]).astimezone(BERLIN)
    assert f"Spending drops from {resets:%a} {resets.day} Jul 2026, {resets:%H:%M}" in said


def test_the_headroom_says_when_it_pauses_and_that_it_has(acme: Tenant, member: Client) -> None:
    acme.api.keep(record("only", timestamp=day(14)))
    limit_to(acme, 30)
    for hours in range(24):
        spend(acme, 1, at=NOW - timedelta(hours=hours))
    pauses = sign_in(acme).get("/api/v1/spend-limit").json()["forecast"]["pausesAt"]
    at_ = datetime.fromisoformat(pauses).astimezone(BERLIN)
    assert f"At the current rate the limit is reached on {at_:%a} {at_.day} Jul 2026, {at_:%H:%M}" in text(
        member.get("/")
    )
    spend(acme, 10)
    said = text(member.get("/"))
    assert "Requests are refused until the limit resets or is raised." in said
    assert "State Paused since Wed 15 Jul 2026, 14:34" in said


def test_headroom_is_for_those_who_read_costs(acme: Tenant) -> None:
    acme.api.keep(record("only", timestamp=day(14)))
    limit_to(acme, 30)
    assert "Headroom Spend limit 30.00 EUR left" in text(sign_in(acme, "analyst").get("/"))
    assert "30.00 EUR left" not in text(sign_in(acme, "developer").get("/"))


def test_recent_alerts_are_told_newest_first(acme: Tenant, member: Client) -> None:
    acme.api.keep(record("only", timestamp=day(14)))
    assert "No alerts yet." in text(member.get("/"))
    old = fire(acme, message="First.", occurrence="1", fired_at=NOW - timedelta(hours=1))
    assert old is not None
    fire(acme, message="Second.", severity="critical", occurrence="2")
    clear(acme, old)
    html = member.get("/").content.decode()
    assert html.index("Second.") < html.index("First.")
    assert f'href="/alerts/events/{old.pk}/"' in html


class TestBudget:
    """How often the database is asked, whatever it holds."""

    # The session and its user; the memberships, in a scope of their own (4 statements around them), for the
    # caller and again, within the page's scope (4 around that), for the switcher; then what the page is
    # about: this period, the period before, the days, what the last seven cost, which models have no price,
    # the spend limit; the first models, keys and capabilities, and what the keys are called; the alerts.
    # Both ask which limits press, for the strip above the page.
    PAGE = 2 + 2 * (1 + 4) + 4 + 5 + 1 + 4 + 1 + 1
    PART = 2 + 1 + 4 + 4 + 5 + 1 + 4 + 1 + 1
    # An organization without records is asked for its newest one, in all of its history, and for no model
    # and no key.
    QUIET = PAGE + 1 - 1 - 1

    def test_of_the_page(
        self, member: Client, history: None, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        with django_assert_num_queries(self.PAGE):
            member.get("/")

    def test_of_a_refresh(
        self, member: Client, history: None, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        with django_assert_num_queries(self.PART):
            member.get("/", headers=HTMX)

    def test_of_an_empty_organization(
        self, member: Client, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        with django_assert_num_queries(self.QUIET):
            member.get("/")

    def test_does_not_grow(
        self, acme: Tenant, member: Client, history: None, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        acme.api.keep(*(record(f"more-{n}", timestamp=day(n % 14 + 1)) for n in range(200)))
        for name in ("second", "third"):
            acme.another_credential(name).api.keep(record(f"of-{name}", timestamp=day(3)))
        with django_assert_num_queries(self.PAGE):
            member.get("/")


def test_windows_without_a_period_before(acme: Tenant) -> None:
    change_plan(organization_id=acme.id, plan="free")
    window = overview.windows(acme.caller(), NOW)
    assert window.before is None
    assert window.current.start == datetime(2026, 6, 30, 22, tzinfo=UTC)
