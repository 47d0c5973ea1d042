"""Every figure of a page is the API's for the same filter, asked at the address that the page names."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from decimal import Decimal
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from tests.portal.pages import HTMX, figures, table, text
from tests.usage.factories import NOW, Tenant, at, make_tenant, record
from usage.rollups.fold import fold_pending

pytestmark = pytest.mark.django_db

FILTERS: tuple[dict[str, str], ...] = (
    {},
    {"range": "7d"},
    {"range": "day"},
    {"range": "month", "capability": "chat"},
    {"range": "90d", "model": "model-1"},
    {"range": "custom", "from": "2026-06-01", "to": "2026-06-30"},
)


def _outcome(number: int) -> dict[str, Any]:
    if number % 9:
        return {"status": "success", "statusCode": 200}
    limited = {"status": "error", "statusCode": 429, "errorType": "rate_limit"}
    return limited if number % 2 else {"status": "error", "statusCode": 503, "errorType": "overloaded"}


@pytest.fixture
def used(acme: Tenant) -> Tenant:
    """An organization with use of two keys, some of it not folded."""
    other = acme.another_credential("Other")
    for number, tenant in enumerate((acme, other)):
        tenant.api.keep(
            *(
                record(
                    f"{number}-{hours}",
                    timestamp=at(NOW - timedelta(hours=hours * 17)),
                    model=f"model-{hours % 3}" if hours % 5 else None,
                    capability=("chat", "search")[hours % 2],
                    endpoint=f"/v1/{hours % 2}",
                    tokens={"prompt": 101 * hours, "completion": 7},
                    cost=f"0.{hours + 10}1234",
                    latencyMs=100 + hours,
                    **_outcome(hours),
                    quantities={"conversations": 1, "messages": 3, "pages": "0.5", "credits": "0.25"},
                )
                for hours in range(100)
            )
        )
        if number == 0:
            fold_pending()
    return acme


def api(client: Client, page: Any, name: str) -> Any:
    """Return what the API answers at the address that the page names."""
    match = re.search(rf'<a href="([^"]+)" data-api="{name}"', page.content.decode())
    assert match is not None, name
    return client.get(unescape(match[1])).json()


def plain(value: Any) -> str:
    """Write a number of the API as a page's exact figure has it, without its unit."""
    if value is None:
        return "–"
    text = str(value)
    if "." in text:
        whole, fraction = text.split(".")
        return f"{whole}.{fraction.rstrip('0')}".rstrip(".")
    return text


def bare(text: str) -> str:
    """Return an exact figure without its unit and needless zeros."""
    number = text.replace(",", "").removesuffix(" ms").removesuffix("%")
    return plain(number)


@pytest.mark.parametrize("chosen", FILTERS)
def test_figures_of_usage(used: Tenant, member: Client, chosen: dict[str, str]) -> None:
    page = member.get("/usage/", chosen)
    [row] = api(member, page, "figures")["rows"]
    shown = figures(page)
    assert len(shown) == 16
    for name, exact in shown.items():
        value = row[name.replace("-", ".")]
        expected = round(value * 100, 6) if name == "successRate" and value is not None else value
        assert bare(exact) == plain(expected), name


@pytest.mark.parametrize("chosen", FILTERS)
def test_the_series_of_usage(used: Tenant, member: Client, chosen: dict[str, str]) -> None:
    page = member.get("/usage/", chosen)
    if 'data-api="over-time"' not in page.content.decode():
        assert figures(page)["requests"] == "0"
        return
    rows = api(member, page, "over-time")["rows"]
    names = ("requests", "errors", "promptTokens", "completionTokens", "tokens", "cost", "latency.average")
    expected = [[plain(row[name]) for name in names] for row in reversed(rows)]
    shown = [[bare(cell) for cell in row[1:8]] for row in cells(page, "over-time-table")]
    assert shown == expected


@pytest.mark.parametrize("chosen", FILTERS[:5])
def test_the_leaderboard_of_models(used: Tenant, member: Client, chosen: dict[str, str]) -> None:
    page = member.get("/models/", chosen)
    rows = api(member, page, "leaderboard")["rows"]
    board = {row[0]: row for row in cells(page, "leaderboard")}
    assert len(board) == len(rows)
    for row in rows:
        shown = board[row["model"] or "(none)"]
        assert shown[2] == str(row["requests"])
        assert bare(shown[5]) == plain(row["tokens"])
        assert bare(shown[6]) == plain(row["cost"])


def cells(page: Any, name: str) -> list[list[str]]:
    """Return the machine-readable values of a table's rows, the shown ones where there are none."""
    pattern = rf'<table id="{name}"[^>]*>.*?<tbody>(.*?)</tbody>'
    match = re.search(pattern, page.content.decode(), flags=re.DOTALL)
    assert match is not None
    found = []
    for row in re.findall(r"<tr>(.*?)</tr>", match[1], flags=re.DOTALL):
        entries = re.findall(r"<t[hd]([^>]*)>(.*?)</t[hd]>", row, flags=re.DOTALL)
        found.append([_value(attributes, body) for attributes, body in entries])
    return found


def _value(attributes: str, body: str) -> str:
    match = re.search(r'data-value="([^"]*)"', attributes)
    return unescape(match[1] if match else re.sub(r"<[^>]*>", "", body).strip())


@pytest.mark.parametrize("timeframe", ["1h", "24h", "7d", "30d", "90d", "1y", "all"])
def test_keys(used: Tenant, member: Client, timeframe: str) -> None:
    page = member.get("/keys/", {"timeframe": timeframe})
    answer = api(member, page, "keys")
    shown = {row[0]: row for row in cells(page, "keys")}
    assert len(shown) == len(answer["usage"]["keys"])
    for key in answer["usage"]["keys"]:
        assert shown[key["keyId"]][1] == str(key["requests"])
        # Of long timeframes the busiest minutes are not looked for.
        peaks = [] if key["peakRpm"] is None else [str(key["peakRpm"])]
        assert shown[key["keyId"]][5:-1] == [*peaks, key["cost"]]
        assert bool(peaks) is (timeframe in ("1h", "24h", "7d", "30d"))
    one = member.get(f"/keys/{used.client_id}/", {"timeframe": timeframe})
    usage = api(member, one, "key")["usage"]
    found = figures(one)
    assert found["requests"] == str(usage["requests"])
    assert bare(found["cost"]) == plain(usage["cost"])
    assert bare(found["latency-p95"]) == plain(usage["latency"]["p95"])


@pytest.mark.parametrize(
    "chosen",
    [{}, {"status": "error"}, {"model": "model-1", "range": "7d"}, {"order": "asc", "status": "success"}],
)
def test_records(used: Tenant, member: Client, chosen: dict[str, str]) -> None:
    page = member.get("/logs/", chosen)
    answer = api(member, page, "records")
    assert [row[0] for row in cells(page, "records")] == [item["timestamp"] for item in answer["items"]]
    older = re.search(r'rel="next" href="([^"]+)"', page.content.decode())
    assert (older is not None) is (answer["cursor"] is not None)


@pytest.mark.parametrize("order", ["desc", "asc"])
def test_pages_of_records_follow_each_other(used: Tenant, member: Client, order: str) -> None:
    seen: list[str] = []
    path: str | None = f"/logs/?range=90d&order={order}"
    while path is not None:
        page = member.get(path)
        seen += [cell[0] for cell in cells(page, "records")]
        older = re.search(r'rel="next" href="([^"]+)"', page.content.decode())
        path = unescape(older[1]) if older else None
    assert len(seen) == 200
    assert seen == sorted(seen, reverse=order == "desc")


def test_records_are_filtered_by_what_went_wrong_and_where(used: Tenant, member: Client) -> None:
    wanted = {"endpoint": "/v1/0", "provider": "openai", "statusCode": "503", "errorType": "overloaded"}
    sent = member.get("/logs/", {**wanted, "range": "90d", "metaKey": "", "linkId": ""}, headers=HTMX)
    html = sent.content.decode()
    for name, value in wanted.items():
        # As a field of its own form it is not handed on a second time.
        form = html[html.index("more-filters") :].partition("</form>")[0]
        assert re.findall(rf'<input [^>]*name="{name}" value="([^"]*)"', form) == [value]
    for chip in ("Endpoint: /v1/0", "Provider: openai", "Status code: 503", "Error type: overloaded"):
        assert chip in text(sent)
    assert parse_qs(urlsplit(sent["HX-Push-Url"]).query) == {
        name: [value] for name, value in {**wanted, "range": "90d"}.items()
    }
    found = api(member, member.get("/logs/?range=90d&statusCode=503"), "records")["items"]
    assert {item["statusCode"] for item in found} == {503}
    assert member.get("/logs/?statusCode=600").status_code == 400
    assert "conversationId: one" in text(member.get("/logs/?conversationId=one"))


def test_a_record_in_full(used: Tenant, member: Client) -> None:
    page = member.get("/logs/0-9/")
    item = api(member, page, "record")
    html = page.content.decode()
    assert item["id"] == "0-9"
    assert "Unpriced" not in html
    assert bare(re.findall(r"<dt>Cost</dt><dd>([\d.,]+) EUR", html)[0]) == plain(item["cost"])
    assert member.get("/logs/nothing/").status_code == 404


def test_the_form_may_send_empty_fields_and_the_address_has_none(used: Tenant, member: Client) -> None:
    answer = member.get("/usage/?clientId=&capability=chat&model=&range=30d", headers=HTMX)
    assert answer["HX-Push-Url"] == "/usage/?capability=chat"


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("range=year", "Invalid range"),
        ("range=custom&from=tomorrow", "from must be a day"),
        ("range=custom&from=2026-02-02&to=2026-02-01", "must not come before"),
        ("view=colour", "Invalid view"),
        ("weekday=fri", "weekday goes with hour"),
        ("hour=7", "hour goes with weekday"),
        ("weekday=fri&hour=24", "hour must be a whole number from 0 to 23"),
        ("weekday=friday&hour=2", "Invalid weekday"),
        ("colour=red", "There is no parameter"),
    ],
)
def test_what_makes_no_sense_is_said(used: Tenant, member: Client, query: str, said: str) -> None:
    answer = member.get(f"/usage/?{query}")
    assert answer.status_code == 400
    assert said in answer.content.decode()


def test_a_key_of_others_is_unknown(used: Tenant, member: Client) -> None:
    other = make_tenant("Globex")
    assert member.get("/usage/", {"clientId": other.client_id}).status_code == 404
    assert member.get(f"/keys/{other.client_id}/").status_code == 404


@pytest.mark.parametrize(
    ("path", "most"), [("/usage/", 28), ("/models/", 23), ("/keys/", 28), ("/logs/", 23), ("/reference/", 17)]
)
def test_pages_ask_the_database_few_things(
    used: Tenant, member: Client, path: str, most: int, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    member.get(path)
    with django_assert_max_num_queries(most):
        member.get(path)


@pytest.mark.parametrize("view", ["requests", "tokens", "cost", "errors", "latency", "quota", "credits"])
def test_the_heat_map_is_called_by_what_it_counts(used: Tenant, member: Client, view: str) -> None:
    html = member.get("/usage/", {"view": view}).content.decode()
    assert f'<h2 id="hours-title">{view.capitalize()} by weekday and hour</h2>' in html


def test_charts_hold_what_their_tables_say(used: Tenant, member: Client) -> None:
    page = member.get("/usage/?view=cost").content.decode()
    match = re.search(r'<script id="over-time-data" type="application/json">(.*?)</script>', page, re.DOTALL)
    assert match is not None
    drawn = json.loads(match[1])["datasets"]["marks"]
    rows = table(member.get("/usage/?view=cost"), "over-time-table")
    shown = [float(row[6].replace(",", "")) for row in reversed(rows)]
    assert [round(mark["value"] - mark["low"], 9) for mark in drawn] == shown


def linked(page: Any, name: str, column: int) -> list[tuple[str, str]]:
    """Return where the cells of a column lead, and what they show, of those that lead anywhere."""
    match = re.search(rf'<table id="{name}"[^>]*>.*?<tbody>(.*?)</tbody>', page.content.decode(), re.DOTALL)
    assert match is not None
    rows = [re.findall(r"<t[hd].*?</t[hd]>", row, re.DOTALL) for row in match[1].split("</tr>")[:-1]]
    found = [re.search(r'<a href="([^"]+)">(.*?)</a>', row[column]) for row in rows]
    return [(unescape(one[1]), one[2].replace(",", "")) for one in found if one]


def counted(client: Client, url: str) -> int:
    """Return how many records the logs list at an address, as the API has them."""
    return len(api(client, client.get(url), "records")["items"])


def test_an_hour_leads_to_its_own_records(used: Tenant, member: Client) -> None:
    page = member.get("/usage/?range=day")
    rows = table(page, "over-time-table")
    ways = linked(page, "over-time-table", 0)
    assert len(ways) == len(rows)
    assert [counted(member, url) for url, _ in ways] == [int(row[1]) for row in rows]


def test_an_hour_of_a_weekday_leads_to_each_time_it_came(used: Tenant, member: Client) -> None:
    used.api.keep(record("a week ago", timestamp=at(NOW - timedelta(days=7))))
    page = member.get("/usage/?range=90d")
    [(url, shown)] = [one for one in linked(page, "hours-table", 3) if one[0].startswith("/usage/")]
    assert url == "/usage/?range=90d&weekday=wed&hour=14#hour"
    told = member.get(url)
    rows = cells(told, "hour-table")
    assert sum(int(row[1]) for row in rows) == int(shown) > 1
    assert {row[0][11:] for row in rows} == {"14:00:00"}
    ways = linked(told, "hour-table", 0)
    assert [counted(member, way) for way, _ in ways] == [int(row[1]) for row in rows if row[1] != "0"]
    assert api(member, told, "hour")["granularity"] == "hour"
    # Neither what clears the filters nor what shows other days keeps to the hour.
    ways = re.findall(
        r'href="(/usage/[^"]*)"[^>]*>Clear filters|<dd><a href="([^"]+)"', told.content.decode()
    )
    assert len(ways) == 3
    assert not any("weekday" in way for pair in ways for way in pair)


def test_an_hour_that_came_once_leads_to_its_records(used: Tenant, member: Client) -> None:
    page = member.get("/usage/?range=7d")
    ways = [way for day in range(1, 8) for way in linked(page, "hours-table", day)]
    assert ways
    assert [counted(member, url) for url, _ in ways] == [int(shown) for _, shown in ways]


def test_growth_leads_to_the_days_it_is_told_of(used: Tenant, member: Client) -> None:
    page = member.get("/usage/?capability=chat").content.decode()
    ways = re.findall(r'<dd><a href="([^"]+)" title="([^"]+)"', page)
    assert [unescape(url) for url, _ in ways] == [
        "/usage/?capability=chat&range=custom&from=2026-07-01&to=2026-07-14",
        "/usage/?capability=chat&range=custom&from=2026-05-16&to=2026-07-14",
    ]
    days = cells(member.get(unescape(ways[0][0])), "over-time-table")
    assert sum(int(row[1]) for row in days[:7]) == int(ways[0][1])


def test_quota_and_credits_can_be_seen_where_there_are_any(used: Tenant, member: Client) -> None:
    offered = member.get("/usage/").content.decode()
    assert 'id="view-credits"' in offered
    assert 'id="view-quota"' not in offered
    page = member.get("/usage/?view=credits")
    assert "Credits per day" in text(page)
    assert sum(Decimal(row[8]) for row in cells(page, "over-time-table")) == Decimal(figures(page)["credits"])


TWO_DAYS = {"from": (NOW - timedelta(days=1)).date().isoformat(), "to": NOW.date().isoformat()}


@pytest.mark.parametrize(("chosen", "column"), [({"range": "7d"}, 1), (TWO_DAYS, 2)])
def test_what_a_model_did_in_a_bucket_leads_to_its_records(
    used: Tenant, member: Client, chosen: dict[str, str], column: int
) -> None:
    ways = linked(member.get("/models/", chosen), "trends-table", column)
    assert ways
    assert [counted(member, url) for url, _ in ways] == [int(shown) for _, shown in ways]


def test_the_share_of_a_model_leads_to_its_records(used: Tenant, member: Client) -> None:
    ways = linked(member.get("/models/?range=7d"), "shares-table", 1)
    assert ways
    assert [counted(member, url) for url, _ in ways] == [int(shown) for _, shown in ways]


@pytest.mark.parametrize("timeframe", ["24h", "30d"])
def test_errors_of_a_key_lead_to_the_requests_that_failed(
    used: Tenant, member: Client, timeframe: str
) -> None:
    page = member.get(f"/keys/{used.client_id}/", {"timeframe": timeframe})
    ways = linked(page, "over-time-table", 2)
    assert ways
    assert [counted(member, url) for url, _ in ways] == [int(shown) for _, shown in ways]
    failed = re.search(r'<a href="([^"]+)">Failed requests', page.content.decode())
    assert failed is not None
    assert counted(member, unescape(failed[1])) == int(figures(page)["errors"])


@pytest.mark.parametrize("name", ["codes", "kinds"])
def test_errors_of_a_kind_lead_to_the_requests_that_failed_so(
    used: Tenant, member: Client, name: str
) -> None:
    page = member.get(f"/keys/{used.client_id}/?timeframe=30d")
    ways = linked(page, name, 0)
    assert len(ways) > 1
    assert [counted(member, url) for url, _ in ways] == [int(row[1]) for row in cells(page, name)]


@pytest.mark.parametrize("timeframe", ["24h", "7d"])
def test_an_endpoint_of_a_key_leads_to_its_records_of_the_timeframe(
    used: Tenant, member: Client, timeframe: str
) -> None:
    page = member.get(f"/keys/{used.client_id}/?timeframe={timeframe}")
    ways = linked(page, "endpoints", 0)
    assert ways
    assert [counted(member, url) for url, _ in ways] == [int(row[1]) for row in cells(page, "endpoints")]


def names_in(page: Any, name: str) -> list[str]:
    """Return the first cells of a table."""
    return [row[0] for row in cells(page, name)]


def test_what_use_is_made_of_is_sorted_by_any_column(used: Tenant, member: Client) -> None:
    page = member.get("/usage/?sort=name")
    assert names_in(page, "by-capability") == ["chat", "search"]
    assert re.search(r'aria-sort="ascending"><a[^>]*href="/usage/\?sort=name&amp;order=desc"', text_of(page))
    assert names_in(member.get("/usage/?sort=name&order=desc"), "by-capability") == ["search", "chat"]
    rising = [row[1] for row in cells(member.get("/usage/?sort=cost&order=asc"), "by-clientId")]
    falling = [row[1] for row in cells(member.get("/usage/?sort=cost"), "by-clientId")]
    assert len(rising) == 2
    assert rising == falling[::-1]


def text_of(page: Any) -> str:
    """Return the source of a page."""
    return str(page.content.decode())


def test_what_a_table_leaves_out_is_on_the_page_of_costs(acme: Tenant, member: Client) -> None:
    acme.api.keep(*(record(f"c-{number}", capability=f"chat-{number}", cost="1") for number in range(13)))
    page = member.get("/usage/?range=7d&view=tokens")
    assert len(cells(page, "by-capability")) == 12
    assert "first 12 of 13" in text_of(page)
    found = re.search(r'<a href="([^"]+)">All<span class="visually-hidden"> capabilities', text_of(page))
    assert found is not None
    assert unescape(found[1]) == "/costs/?range=7d&by=capability&sort=tokens"
    assert len(cells(member.get(unescape(found[1])), "causes")) == 13
    assert "API keys</span></a>" not in text_of(page)


@pytest.mark.parametrize("view", ["errors", "latency"])
def test_errors_and_latency_are_drawn(used: Tenant, member: Client, view: str) -> None:
    page = member.get("/usage/", {"view": view, "range": "7d"})
    drawn = re.search(r'<script id="over-time-data" type="application/json">(.*?)</script>', text_of(page))
    assert drawn is not None
    marks = json.loads(drawn[1])["datasets"]["marks"]
    column = {"errors": 2, "latency": 7}[view]
    shown = [float(row[column]) for row in reversed(cells(page, "over-time-table"))]
    assert any(shown)
    assert [mark["value"] for mark in marks] == shown
    assert f"{view.capitalize()}, 7-day average" in text_of(page)


def test_days_end_with_tomorrow_however_far_they_are_asked_for(used: Tenant, member: Client) -> None:
    page = member.get("/usage/?range=custom&from=2026-07-01&to=2998-12-31")
    assert "1–16 Jul 2026" in text(page)
    assert len(cells(page, "over-time-table")) == 16
    later = member.get("/usage/?range=custom&from=2100-01-01&to=2998-12-31")
    assert figures(later)["requests"] == "0"
