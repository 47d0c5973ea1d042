"""The ways through the pages of use in a real browser, as their readers go them."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from playwright.sync_api import expect

from core import clock
from tests.billing.spending import limit_to
from tests.browser.conftest import PASSWORD, Visit
from tests.browser.looking import DRAWN, Looking, settle, violations
from tests.browser.people import statuses
from tests.portal.pages import add_member
from tests.usage.factories import Tenant, make_tenant

OF_STRANGERS = ("/sign-in/", "/account/password/reset/", "/account/password/reset/sent/", "/nowhere")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_what_strangers_see_is_accessible(
    transactional_db: None, open_page: Callable[..., Visit], theme: str
) -> None:
    visit = open_page(theme=theme, width=360)
    wrong = {}
    for path in OF_STRANGERS:
        visit.page.goto(f"{visit.url}{path}")
        if found := violations(visit.page):
            wrong[path] = found
        assert visit.overflow() == 0
    assert wrong == {}
    statuses(visit, 404)


def test_a_filter_is_in_the_address_and_can_be_shared(used: Tenant, open_page: Callable[..., Visit]) -> None:
    visit = open_page()
    page = visit.page
    visit.sign_in(used)
    page.get_by_role("link", name="Usage", exact=True).click()
    page.get_by_label("Capability", exact=True).select_option("search")
    page.wait_for_url("**/usage/?*capability=search*")
    page.get_by_label("Date range", exact=True).select_option("7d")
    page.wait_for_url("**range=7d*")
    page.get_by_role("navigation", name="Metric").get_by_role("link", name="Tokens").click()
    page.wait_for_url("**view=tokens*")
    requests = visit.figure("requests")
    assert int(requests) > 1
    shared = open_page()
    shared.sign_in(used, "analyst")
    shared.page.goto(page.url)
    assert shared.figure("requests") == requests
    expect(shared.page.get_by_label("Capability", exact=True)).to_have_value("search")
    shared.page.get_by_role("link", name="Clear filters").click()
    expect(shared.page.get_by_label("Capability", exact=True)).to_have_value("")


@pytest.mark.parametrize("path", ["/usage/", "/logs/"])
def test_another_organization_is_chosen_among_the_filters(used: Tenant, visit: Visit, path: str) -> None:
    other = make_tenant("Globex")
    user = add_member(used)
    add_member(other, user=user)
    visit.sign_in(used, user=user)
    page = visit.page
    page.goto(f"{visit.url}{path}?organization=acme&range=7d&clientId={used.client_id}")
    page.get_by_role("combobox", name="Organization").select_option("globex")
    page.wait_for_url("**organization=globex*")
    assert "range=7d" in page.url
    assert "clientId" not in page.url
    expect(page.locator(".switcher summary")).to_contain_text("Globex")
    expect(page.get_by_role("combobox", name="Organization")).to_have_value("globex")
    # The filters beside it still stay with the organization that was chosen.
    page.get_by_label("Date range", exact=True).select_option("90d")
    page.wait_for_url("**range=90d*")
    assert "organization=globex" in page.url


def test_days_of_ones_own(used: Tenant, visit: Visit) -> None:
    page = visit.page
    visit.sign_in(used)
    page.goto(f"{visit.url}/usage/")
    expect(page.get_by_label("From", exact=True)).to_be_hidden()
    page.get_by_label("Date range", exact=True).select_option("custom")
    page.wait_for_url("**range=custom*")
    day = (clock.now() - timedelta(days=3)).date().isoformat()
    page.get_by_label("From", exact=True).fill(day)
    page.get_by_label("From", exact=True).blur()
    page.wait_for_url(f"**from={day}*")
    expect(page.locator("#over-time-chart").locator(DRAWN)).to_be_visible()


def test_from_a_chart_to_the_records_and_to_one_in_full(used: Tenant, visit: Visit) -> None:
    page = visit.page
    visit.sign_in(used)
    page.goto(f"{visit.url}/usage/?capability=search")
    settle(page)
    box = page.locator("#over-time-chart").bounding_box()
    assert box is not None
    page.locator("#over-time-chart").click(position={"x": box["width"] / 2, "y": box["height"] / 2})
    page.wait_for_url("**/logs/?*capability=search*")
    expect(page.locator("#records tbody tr")).to_have_count(1)
    page.locator("#records tbody a").first.click()
    expect(page.get_by_role("heading", name="Record")).to_be_visible()
    page.get_by_role("link", name="conversation-").click()
    page.wait_for_url("**/logs/?*conversationId=*")
    expect(page.locator("#records tbody tr")).to_have_count(4)


def test_metadata_filters_records(used: Tenant, visit: Visit) -> None:
    page = visit.page
    visit.sign_in(used)
    page.goto(f"{visit.url}/logs/")
    page.get_by_text("Filter by endpoint, error, resource or metadata").click()
    page.get_by_label("Metadata key").fill("team")
    page.get_by_label("Metadata value").fill("nobody")
    page.get_by_role("button", name="Apply").click()
    expect(page.get_by_text("No records match these filters.")).to_be_visible()
    page.get_by_role("link", name="Remove the filter meta[team]").click()
    expect(page.locator("#records tbody tr")).to_have_count(50)


def test_records_are_filtered_by_their_status_code(used: Tenant, visit: Visit) -> None:
    page = visit.page
    visit.sign_in(used)
    page.goto(f"{visit.url}/logs/")
    page.get_by_text("Filter by endpoint, error, resource or metadata").click()
    page.get_by_label("Status code", exact=True).fill("503")
    page.get_by_label("Status code", exact=True).press("Enter")
    page.wait_for_url("**/logs/?statusCode=503")
    expect(page.locator(".tags")).to_have_text(re.compile("Status code: 503"))
    page.get_by_text("Filter by endpoint, error, resource or metadata").click()
    expect(page.get_by_label("Status code", exact=True)).to_have_value("503")
    page.get_by_label("Status code", exact=True).fill("")
    page.get_by_label("Error type").fill("overloaded")
    page.get_by_role("button", name="Apply").click()
    page.wait_for_url("**/logs/?errorType=overloaded")
    page.get_by_role("link", name="Remove the filter Error type").click()
    page.wait_for_url("**/logs/")


REFRESH = """() => new Promise((done) => {
    document.addEventListener("htmx:afterSettle", () => done(), { once: true });
    document.body.dispatchEvent(new Event("refresh"));
})"""
IN_SIGHT = """(link) => {
    const [one, all] = [link, link.parentElement].map((element) => element.getBoundingClientRect());
    return one.left >= all.left - 1 && one.right <= all.right + 1;
}"""
LINK = "#live .table-scroll tbody a[href]:not([id])"


def test_a_refresh_leaves_the_reader_where_they_are(used: Tenant, open_page: Callable[..., Visit]) -> None:
    visit = open_page(width=360)
    page = visit.page
    visit.sign_in(used)
    page.goto(f"{visit.url}/usage/")
    settle(page)
    wide = """() => [...document.querySelectorAll("#live :is(.table-scroll, .switches .switch)")].filter(
        (area) => area.scrollWidth - area.clientWidth > 20)"""
    places = f"() => ({wide})().map((area) => area.scrollLeft)"
    page.evaluate(f"() => ({wide})().forEach((area, at) => (area.scrollLeft = at % 2 ? 12 : 15))")
    before = page.evaluate(places)
    assert page.evaluate(f"() => new Set(({wide})().map((area) => area.className)).size") == 2
    assert set(before) == {12, 15}
    link = page.locator(LINK).locator("visible=true").nth(1)
    link.evaluate("(link) => link.focus({ preventScroll: true })")
    href = link.get_attribute("href")
    page.evaluate("window.old = document.activeElement")
    page.evaluate(REFRESH)
    assert page.evaluate("!window.old.isConnected")
    assert page.evaluate(places) == before
    assert page.evaluate("document.activeElement.getAttribute('href')") == href
    page.evaluate(
        """document.querySelector("#live a.sort, #live .switch a").focus({ preventScroll: true })"""
    )
    name = page.evaluate("document.activeElement.id")
    page.evaluate(REFRESH)
    assert name
    assert page.evaluate("document.activeElement.id") == name


def test_a_refresh_leaves_the_keyboard_where_it_is(used: Tenant, open_page: Callable[..., Visit]) -> None:
    visit = open_page()
    page = visit.page
    visit.sign_in(used)
    page.goto(f"{visit.url}/usage/")
    settle(page)
    for control in ("button", "summary"):
        found = page.locator(f"#live {control}:not([id])").locator("visible=true").nth(1)
        text = found.text_content()
        assert text
        found.focus()
        page.evaluate("window.old = document.activeElement")
        page.evaluate(REFRESH)
        assert page.evaluate("!window.old.isConnected")
        assert page.evaluate("document.activeElement.textContent") == text


def test_nothing_is_refreshed_under_a_question(used: Tenant, open_page: Callable[..., Visit]) -> None:
    visit = open_page()
    page = visit.page
    visit.sign_in(used)
    limit_to(used, 100)
    page.goto(f"{visit.url}/limits/")
    settle(page)
    page.evaluate(
        """() => { window.asked = 0;
            document.addEventListener("htmx:beforeRequest", () => { window.asked += 1; }); }"""
    )
    again = """() => { document.dispatchEvent(new Event("visibilitychange")); return window.asked; }"""
    question = page.locator("details.confirm summary", has_text="Remove")
    question.click()
    assert page.evaluate(again) == 0
    question.click()
    assert page.evaluate(again) == 1


def test_what_is_chosen_comes_into_sight_once(used: Tenant, open_page: Callable[..., Visit]) -> None:
    visit = open_page(width=360)
    page = visit.page
    visit.sign_in(used)
    page.goto(f"{visit.url}/usage/?view=credits")
    settle(page)
    last = page.locator(".switch a", has_text="Credits")
    left = "(link) => link.parentElement.scrollLeft"
    assert last.evaluate(left) > 0
    last.evaluate("(link) => (link.parentElement.scrollLeft = 0)")
    page.evaluate(REFRESH)
    assert last.evaluate(left) == 0
    page.locator(".switch a", has_text="Errors").click()
    page.wait_for_url("**view=errors*")
    now = page.locator(".switch a[aria-current]", has_text="Errors")
    expect(now).to_be_visible()
    assert now.evaluate(IN_SIGHT)
    assert now.evaluate(left) > 0


def test_tables_are_sorted_and_paged(used: Tenant, visit: Visit) -> None:
    page = visit.page
    visit.sign_in(used)
    page.goto(f"{visit.url}/models/")
    names = page.locator("#leaderboard tbody th")
    expect(names).to_have_text(["model-0", "model-1", "model-2", "model-3"])
    page.locator("#leaderboard").get_by_role("link", name="Error rate").click()
    page.wait_for_url("**sort=*")
    expect(names.first).to_have_text("model-3")
    expect(page.locator("#leaderboard th[aria-sort=descending]")).to_have_text("Error rate")
    page.goto(f"{visit.url}/logs/")
    newest = page.locator("#records tbody th").first.inner_text()
    page.get_by_role("link", name="Older").click()
    page.wait_for_url("**cursor=*")
    expect(page.locator("#records tbody tr")).to_have_count(50)
    expect(page.locator("#records tbody th").first).not_to_have_text(newest)
    page.go_back()
    expect(page.locator("#records tbody th").first).to_have_text(newest)


def test_charts_are_taken_along(used: Tenant, visit: Visit) -> None:
    page = visit.page
    visit.sign_in(used)
    page.goto(f"{visit.url}/usage/")
    settle(page)
    with page.expect_download() as picture:
        page.get_by_role("button", name="PNG of Requests per day").click()
    assert picture.value.path().read_bytes().startswith(b"\x89PNG")
    with page.expect_download() as table:
        page.get_by_role("button", name="CSV of Requests per day").click()
    lines = table.value.path().read_text().splitlines()
    assert lines[0] == (
        'Time,Requests,Errors,Prompt tokens,Completion tokens,Tokens,"Cost, EUR",'
        'Average latency,"Requests, 7-day average"'
    )
    assert len(lines) == 31
    assert sum(int(line.split(",")[1]) for line in lines[1:]) == int(visit.figure("requests"))


def test_a_key_is_made_rotated_and_revoked(used: Tenant, visit: Visit, looking: Looking) -> None:
    page = visit.page
    visit.sign_in(used, "developer")
    page.get_by_role("link", name="API keys").click()
    page.get_by_role("link", name="Create API key").click()
    page.get_by_role("button", name="Create key").click()
    expect(page.get_by_text("This field is required.")).to_be_visible()
    statuses(visit, 422)
    page.get_by_label("Name").fill("Laptop")
    page.get_by_role("button", name="Create key").click()
    first = page.locator("#secret").inner_text()
    assert first.startswith("hr_")
    looking.at(page, "API key created")
    page.get_by_role("button", name="Copy").first.click()
    assert page.evaluate("navigator.clipboard.readText()") == first
    page.get_by_role("link", name="View key").click()
    page.get_by_text("Rotate…").click()
    page.get_by_role("button", name="Rotate key").click()
    assert page.locator("#secret").inner_text() != first
    page.get_by_role("link", name="View key").click()
    page.get_by_text("Revoke…").click()
    page.get_by_role("button", name="Revoke key").click()
    expect(page.get_by_text("API key Laptop revoked")).to_be_visible()
    expect(page.get_by_text("Rotate…")).to_have_count(0)


def test_an_export_is_asked_for_and_taken(used: Tenant, visit: Visit) -> None:
    page = visit.page
    visit.sign_in(used)
    page.get_by_role("link", name="Exports").click()
    with page.expect_download() as file:
        page.get_by_role("link", name="Download").first.click()
    assert file.value.path().stat().st_size > 0
    page.get_by_label("Data").select_option("daily")
    page.get_by_role("button", name="Export").click()
    expect(page.get_by_text("Export started")).to_be_visible()
    expect(page.locator("#exports tbody tr")).to_have_count(2)


def test_somebody_is_invited_and_joins(used: Tenant, open_page: Callable[..., Visit]) -> None:
    owner = open_page()
    owner.sign_in(used)
    page = owner.page
    page.goto(f"{owner.url}/settings/members/")
    page.get_by_role("textbox", name="E-mail address", exact=True).fill("new@example.org")
    page.locator("#id_role").select_option("developer")
    page.get_by_role("button", name="Send invitation").click()
    link = page.locator("#invitation-link").inner_text()
    new = open_page(width=360)
    new.page.goto(link)
    new.page.get_by_label("Your name").fill("New")
    new.page.get_by_label("Password").fill(PASSWORD)
    new.page.get_by_role("button", name="Join").click()
    expect(new.page.get_by_text("Welcome to Acme.")).to_be_visible()


def test_the_menu_of_a_small_window(used: Tenant, open_page: Callable[..., Visit]) -> None:
    visit = open_page(width=360)
    page = visit.page
    visit.sign_in(used)
    link = page.get_by_role("link", name="Models")
    expect(link).to_be_hidden()
    page.get_by_role("button", name="Menu").click()
    expect(link).to_be_visible()
    page.keyboard.press("Escape")
    expect(link).to_be_hidden()
    page.get_by_role("button", name="Menu").click()
    link.click()
    expect(page.get_by_role("heading", name="Models")).to_be_visible()
