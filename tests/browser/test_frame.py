"""Signing in and out, the theme, the menus and the keyboard, in a real browser."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PASSWORD, Visit
from tests.portal.pages import add_member
from tests.usage.factories import Tenant, make_tenant, record


@pytest.mark.parametrize("width", [360, 1440])
def test_signing_in_and_out(acme: Tenant, open_page: Callable[..., Visit], width: int) -> None:
    visit = open_page(width=width)
    page = visit.page
    page.goto(f"{visit.url}/?measure=tokens")
    assert visit.overflow() == 0
    page.get_by_label("E-mail address").fill("nobody@example.org")
    page.get_by_label("Password").fill("wrong")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("don't go together")
    assert visit.overflow() == 0
    page.get_by_label("E-mail address").fill(add_member(acme).email)
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(f"{visit.url}/?measure=tokens")
    page.locator(".menu.end summary").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("status")).to_have_text("You are signed out.")
    page.goto(f"{visit.url}/")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_the_theme_follows_the_system_until_another_is_chosen(
    acme: Tenant, open_page: Callable[..., Visit]
) -> None:
    acme.api.keep(record("one"))
    visit = open_page(theme="dark")
    page = visit.page
    visit.sign_in(acme)
    ground = "getComputedStyle(document.body).backgroundColor"
    bar = page.locator("#daily-chart .drawing:not(.coming) .mark-rect path").first
    bar.wait_for(state="attached")
    by_night, dark = page.evaluate(ground), bar.get_attribute("fill") or ""
    page.emulate_media(color_scheme="light")
    expect(bar).not_to_have_attribute("fill", dark)
    assert page.evaluate(ground) != by_night
    page.get_by_role("button", name="Theme: as the system. Change to dark").click()
    expect(bar).to_have_attribute("fill", dark)
    assert page.evaluate(ground) == by_night
    page.reload()
    assert page.evaluate(ground) == by_night
    page.get_by_role("button", name="Theme: dark. Change to light").click()
    page.get_by_role("button", name="Theme: light. Change to as the system").click()
    page.get_by_role("button", name="Theme: as the system. Change to dark").wait_for()
    assert page.evaluate("localStorage.getItem('theme')") == "auto"
    assert page.evaluate(ground) != by_night


def test_everything_can_be_reached_with_the_keyboard(acme: Tenant, visit: Visit) -> None:
    page = visit.page
    visit.sign_in(acme)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#content")).to_be_focused()
    menu = page.locator(".menu.end")
    menu.locator("summary").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Your account")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Sign out")).to_be_focused()
    page.keyboard.press("Escape")
    expect(menu.locator("summary")).to_be_focused()
    assert menu.get_attribute("open") is None


def test_a_menu_closes_when_something_else_is_pressed(acme: Tenant, visit: Visit) -> None:
    visit.sign_in(acme)
    visit.page.locator(".menu.end summary").click()
    visit.page.get_by_role("heading", name="Overview").click()
    expect(visit.page.get_by_role("button", name="Sign out")).to_be_hidden()


def test_switching_the_organization(acme: Tenant, open_page: Callable[..., Visit]) -> None:
    globex = make_tenant("The Globex Corporation of a very long name indeed")
    globex.api.keep(record("one"), record("two"))
    visit = open_page(width=360)
    page = visit.page
    user = add_member(globex, user=add_member(acme))
    page.goto(f"{visit.url}/")
    page.get_by_label("E-mail address").fill(user.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.locator(".switcher summary").click()
    assert visit.overflow() == 0
    page.get_by_role("link", name="The Globex Corporation").click()
    page.wait_for_url(f"**/?organization={globex.organization.slug}")
    expect(page.locator("#figure-requests data")).to_have_attribute("value", "2")
    assert visit.overflow() == 0


def test_the_reference_and_the_error_page(acme: Tenant, visit: Visit) -> None:
    page = visit.page
    visit.sign_in(acme)
    page.get_by_role("link", name="API reference", exact=True).click()
    page.get_by_role("link", name="Try it out").click()
    expect(page.get_by_text("/api/v1/records", exact=True).first).to_be_visible()
    page.goto(f"{visit.url}/nowhere")
    expect(page.get_by_role("heading", name="Page not found")).to_be_visible()
    # The browser itself reports the status.
    assert all("404" in one for one in visit.complaints)
    visit.complaints.clear()
