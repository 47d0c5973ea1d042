"""Limits, trials, comparisons and forecasts in a real browser, as their readers go through them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import expect

from billing import book
from core import clock
from tests.billing.pricing import price
from tests.billing.spending import limit_to
from tests.browser.conftest import Visit
from tests.browser.looking import look, settle
from tests.browser.people import statuses
from tests.usage.factories import Tenant, at, make_tenant, record

OTHERS = "others=house/other-1,house/other-2"


@pytest.fixture
def acme(transactional_db: None) -> Tenant:
    """An organization in Berlin that spends a unit a day, on a plan with spend limits."""
    tenant = make_tenant("Acme", plan="pay-as-you-go", timezone="Europe/Berlin", currency="EUR")
    for number in range(1, 3):
        price(currency="EUR", provider="house", model=f"other-{number}", prompt=100 * number)
    book.forget()
    now = clock.now()
    tenant.api.keep(
        *(
            record(
                f"{days}-{place}",
                timestamp=at(now - timedelta(days=days, hours=place)),
                model=f"model-{place}",
                provider="openai",
                tokens={"prompt": 1000, "completion": 10},
                cost="0.5",
            )
            for days in range(30)
            for place in range(2)
        )
    )
    return tenant


def test_a_limit_is_set_and_the_pause_is_seen_everywhere(acme: Tenant, visit: Visit) -> None:
    page = visit.page
    visit.sign_in(acme)
    page.locator("#menu").get_by_role("link", name="Spend limit").click()
    expect(page.get_by_role("heading", name="No spend limit")).to_be_visible()
    page.get_by_role("link", name="Set spend limit").first.click()
    page.get_by_label("Limit in EUR").fill("a lot")
    page.get_by_role("button", name="Set spend limit").click()
    expect(page.get_by_text("Enter an amount such as 250 or 99.50.")).to_be_visible()
    statuses(visit, 422)
    page.get_by_label("Limit in EUR").fill("5")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Spend limit for the organization saved")).to_be_visible()
    expect(page.locator("#strip")).to_contain_text("Access is paused.")
    page.get_by_role("link", name="Usage", exact=True).click()
    expect(page.locator("#strip")).to_contain_text("Access is paused.")
    page.get_by_role("link", name="View limit").click()
    page.get_by_role("link", name="Edit the limit of Entire organization").click()
    page.get_by_label("Limit in EUR").fill("500")
    page.get_by_role("button", name="Save changes").click()
    expect(page.locator("#strip")).to_be_empty()
    page.get_by_text("Remove…").click()
    page.get_by_role("button", name="Remove limit").click()
    expect(page.get_by_role("heading", name="No spend limit")).to_be_visible()
    page.get_by_role("link", name="History").click()
    expect(page.locator("#decisions tbody tr")).not_to_have_count(0)
    page.get_by_label("Event", exact=True).select_option("paused")
    page.wait_for_url("**kind=paused*")
    expect(page.locator("#decisions tbody tr")).to_have_count(1)


def test_a_limit_is_tried_on_past_weeks_with_the_keyboard(acme: Tenant, visit: Visit) -> None:
    page = visit.page
    visit.sign_in(acme)
    page.goto(f"{visit.url}/limits/trial/")
    page.get_by_label("Limit in EUR").focus()
    page.keyboard.type("4")
    page.keyboard.press("Enter")
    page.wait_for_url("**limit=4*")
    expect(page.get_by_role("heading", name="This limit would have paused")).to_be_visible()
    settle(page)
    page.get_by_text("Show as a table").click()
    expect(page.locator("#trial-table tbody tr").first).to_be_visible()


def test_models_are_compared_with(acme: Tenant, visit: Visit) -> None:
    page = visit.page
    visit.sign_in(acme)
    page.get_by_role("link", name="Models").click()
    page.get_by_role("link", name="Compare model costs").click()
    page.get_by_label("Provider and model").fill("house/other-2")
    page.get_by_role("button", name="Compare").click()
    expect(page.locator("#what-if tbody tr")).to_have_count(2)
    page.wait_for_url("**others=house*")
    page.get_by_label("Provider and model").fill("house/other-1")
    page.keyboard.press("Enter")
    expect(page.locator("#what-if tbody tr")).to_have_count(3)
    page.get_by_role("link", name="Remove house/other-2").click()
    expect(page.locator("#what-if tbody tr")).to_have_count(2)
    page.get_by_label("Provider and model").fill("house/nobody")
    page.get_by_role("button", name="Compare").click()
    expect(page.locator("#notice")).to_contain_text("There is no price for 'house/nobody' now.")
    statuses(visit, 400)


def test_costs_lead_to_their_records_and_foresee_the_rest(acme: Tenant, visit: Visit) -> None:
    page = visit.page
    visit.sign_in(acme)
    page.get_by_role("link", name="Costs").click()
    expect(page.locator("#forecast-of-all #figure-forecast-period")).to_be_visible()
    page.get_by_role("link", name="Capability", exact=True).click()
    page.wait_for_url("**by=capability*")
    expect(page.locator("#forecast-of-all #figure-forecast-period")).to_be_visible()
    settle(page)
    with page.expect_download() as table:
        page.get_by_role("button", name="CSV of Cost per day").first.click()
    assert table.value.path().read_text().startswith("Time,Total,7-day average,(none)")
    page.locator("#figure-rolling a").click()
    expect(page.get_by_role("heading", name="Usage logs")).to_be_visible()
    expect(page.get_by_role("link", name="Remove the filter since")).to_be_visible()


def test_prices_are_found_while_typing(acme: Tenant, visit: Visit) -> None:
    page = visit.page
    visit.sign_in(acme)
    page.get_by_role("link", name="Prices").click()
    expect(page.locator("#prices tbody tr")).to_have_count(2)
    page.get_by_label("Model or provider").press_sequentially("OTHER-2")
    expect(page.locator("#prices tbody tr")).to_have_count(1)
    page.wait_for_url("**search=OTHER-2*")


def test_prices_stay_sorted_while_searching(acme: Tenant, visit: Visit) -> None:
    page = visit.page
    visit.sign_in(acme)
    page.goto(f"{visit.url}/prices/?sort=tier&order=asc")
    page.locator("#prices").get_by_role("link", name="Prompt, EUR per 1M", exact=True).click()
    page.wait_for_url("**sort=prompt&order=asc")
    page.locator("#prices").get_by_role("link", name="Prompt, EUR per 1M", exact=True).click()
    page.wait_for_url("**sort=prompt&order=desc")
    search = page.get_by_label("Model or provider")
    search.press_sequentially("OTHER-")
    page.wait_for_url("**search=OTHER-*")
    expect(page.locator("#prices tbody th")).to_contain_text(["other-2", "other-1"])
    asked = parse_qs(urlsplit(page.url).query)
    assert asked == {"sort": ["prompt"], "order": ["desc"], "search": ["OTHER-"]}
    expect(search).to_be_focused()
    page.get_by_label("Tier").select_option("standard")
    page.wait_for_url("**tier=standard*")
    assert parse_qs(urlsplit(page.url).query) == {**asked, "tier": ["standard"]}


@pytest.mark.timeout(300)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_pages_with_something_to_say_are_accessible_and_fit(
    acme: Tenant, open_page: Callable[..., Visit], theme: str
) -> None:
    limit_to(acme, 9, warn_at=(50, 80))
    limit_to(acme, 2, credential_id=acme.credential_id)
    visit = open_page(theme=theme)
    visit.sign_in(acme)
    wrong: list[str] = []
    for path in (
        "/limits/",
        "/limits/set/",
        "/limits/history/",
        "/limits/trial/?limit=4&weeks=4",
        f"/models/what-if/?{OTHERS}",
        "/costs/forecast/",
        "/prices/",
    ):
        wrong += look(visit, path)
    assert wrong == []
