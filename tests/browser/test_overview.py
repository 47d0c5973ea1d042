"""The Overview in a real browser: it shows the API's figures, draws, and keeps itself fresh."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest
from playwright.sync_api import expect

from core import clock
from tests.browser.conftest import Visit
from tests.browser.looking import Looking
from tests.serving import Server
from tests.usage.factories import Tenant, at, record

DRAWING = "#daily-chart .drawing:not(.coming) svg"
BARS = f"{DRAWING} .mark-rect.layer_0_marks path"


@pytest.fixture
def records(acme: Tenant) -> None:
    """A record or more for each of the last 90 days."""
    now = clock.now()
    acme.api.keep(
        *(
            record(
                f"{days}-{place}",
                timestamp=at(now - timedelta(days=days)),
                tokens={"prompt": 12345 * (place + 1), "completion": 67},
                cost=f"0.{days + 10}1234567",
                quantities={"quota": 3, "credits": "1.5"},
            )
            for days in range(90)
            for place in range(days % 3 + 1)
        )
    )


def usage(visit: Visit, tenant: Tenant) -> dict[str, Any]:
    """Ask the same server's API for the billing period."""
    headers = {"Authorization": f"Bearer {tenant.api.key}"}
    answer: dict[str, Any] = httpx.get(f"{visit.url}/api/v1/usage", headers=headers).raise_for_status().json()
    return answer


def send(visit: Visit, tenant: Tenant, **fields: Any) -> None:
    """Send a record to the same server."""
    headers = {"Authorization": f"Bearer {tenant.api.key}"}
    httpx.post(f"{visit.url}/api/v1/records", headers=headers, json=record(**fields)).raise_for_status()


def test_shows_the_figures_of_the_api(acme: Tenant, records: None, visit: Visit) -> None:
    visit.sign_in(acme)
    answer = usage(visit, acme)
    assert visit.figure("requests") == str(answer["requests"]["total"])
    assert visit.figure("tokens") == str(answer["tokens"]["total"])
    assert visit.figure("cost") == answer["cost"].rstrip("0")
    assert visit.figure("quota") == str(answer["quota"]["consumed"])
    assert visit.figure("credits") == str(answer["credits"]["consumed"])


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_fits_every_window_and_draws(
    acme: Tenant, records: None, open_page: Callable[..., Visit], theme: str
) -> None:
    visit = open_page(theme=theme)
    page = visit.page
    visit.sign_in(acme)
    for width in (360, 768, 1024, 1440):
        page.set_viewport_size({"width": width, "height": 900})
        page.reload()
        expect(page.locator(BARS)).to_have_count(90)
        assert visit.overflow() == 0
        page.get_by_text("Exact figures").click()
        page.get_by_text("Show as a table").click()
        expect(page.locator("#daily-table tbody tr").last).to_be_visible()
        assert visit.overflow() == 0


def test_a_day_leads_to_its_records_and_the_chart_is_taken_along(
    acme: Tenant, records: None, visit: Visit
) -> None:
    page = visit.page
    visit.sign_in(acme)
    expect(page.locator(BARS)).to_have_count(90)
    with page.expect_download() as picture:
        page.get_by_role("button", name="PNG of Requests per day").click()
    assert picture.value.path().read_bytes().startswith(b"\x89PNG")
    with page.expect_download() as table:
        page.get_by_role("button", name="CSV of Requests per day").click()
    lines = table.value.path().read_text().splitlines()
    assert lines[0] == 'Day,Requests,Tokens,"Cost, EUR"'
    assert sum(int(line.split(",")[1]) for line in lines[1:]) == 180
    box = page.locator("#daily-chart").bounding_box()
    assert box is not None
    page.locator("#daily-chart").click(position={"x": box["width"] / 2, "y": box["height"] / 3})
    page.wait_for_url("**/logs/?range=custom&from=*")
    expect(page.get_by_role("heading", name="Usage logs")).to_be_visible()


def test_what_is_counted_and_how_it_is_drawn_is_in_the_address(
    acme: Tenant, records: None, visit: Visit
) -> None:
    page = visit.page
    visit.sign_in(acme)
    expect(page.locator(BARS)).to_have_count(90)
    page.evaluate("window.isTheSame = true")
    page.get_by_role("navigation", name="Metric").get_by_role("link", name="Cost").click()
    page.wait_for_url("**/?measure=cost&shape=bars")
    page.get_by_role("link", name="Area").click()
    page.wait_for_url("**/?measure=cost&shape=area")
    expect(page.get_by_role("heading", name="Cost per day in EUR, last 90 days")).to_be_visible()
    expect(page.locator(f"{DRAWING} .mark-area path")).to_have_count(1)
    expect(page.locator(DRAWING)).to_have_count(1)
    assert page.evaluate("window.isTheSame")
    assert page.evaluate("document.activeElement.id") == "shape-area"
    page.go_back()
    expect(page.get_by_role("heading", name="Cost per day in EUR")).to_be_visible()
    expect(page.locator(BARS)).to_have_count(90)


def test_a_day_answers_the_pointer(acme: Tenant, records: None, visit: Visit) -> None:
    visit.sign_in(acme)
    expect(visit.page.locator(BARS)).to_have_count(90)
    visit.page.locator("#daily-chart").hover(position={"x": 600, "y": 100})
    said = visit.page.locator("#vg-tooltip-element")
    expect(said).to_be_visible()
    expect(said).to_contain_text("Requests")


def test_keeps_itself_fresh_and_what_is_open_open(acme: Tenant, records: None, visit: Visit) -> None:
    page = visit.page
    page.clock.install()
    visit.sign_in(acme)
    expect(page.locator(BARS)).to_have_count(90)
    page.evaluate("window.isTheSame = document.getElementById('daily-chart')")
    page.get_by_text("Exact figures").click()
    before = int(visit.figure("requests"))
    send(visit, acme, tokens={"prompt": 1})
    page.clock.fast_forward(21_000)
    expect(page.locator("#figure-requests data")).to_have_attribute("value", str(before + 1))
    expect(page.locator("#figures-table")).to_have_attribute("open", "")
    page.clock.run_for(1000)
    expect(page.locator(DRAWING)).to_have_count(1)
    assert page.evaluate("window.isTheSame === document.getElementById('daily-chart')")


def test_says_when_it_is_not_fresh(acme: Tenant, records: None, visit: Visit, server: Server) -> None:
    visit.url = server.url
    page = visit.page
    page.clock.install()
    visit.sign_in(acme)
    server.kill()
    page.clock.fast_forward(21_000)
    expect(page.get_by_role("status")).to_have_text(
        "This page is not up to date: the server can't be reached."
    )
    server.restart()
    page.clock.fast_forward(21_000)
    expect(page.locator("#notice")).to_have_text("")
    # The browser itself reports that nobody answered.
    assert all("net::ERR_CONNECTION_" in one or "htmx:" in one for one in visit.complaints)
    visit.complaints.clear()


def test_an_empty_organization_comes_to_its_first_record(
    acme: Tenant, visit: Visit, looking: Looking
) -> None:
    page = visit.page
    page.clock.install()
    visit.sign_in(acme)
    looking.at(page, "Overview")
    page.get_by_role("button", name="Create API key").click()
    expect(page.get_by_text("It is shown only once")).to_be_visible()
    looking.at(page, "Overview")
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    words = shlex.split(page.evaluate("navigator.clipboard.readText()"))
    assert words[2] == f"{visit.url}/api/v1/records"
    headers = dict(word.split(": ", 1) for word in words if ": " in word and not word.startswith("{"))
    httpx.post(words[2], headers=headers, content=words[-1]).raise_for_status()
    page.clock.fast_forward(21_000)
    expect(page.locator("#figure-requests data")).to_have_attribute("value", "1")
    expect(page.locator(BARS)).to_have_count(90)
    # The key is still there to be kept.
    expect(page.locator("#first-command")).to_contain_text("Bearer hr_")
