"""Second factors, passkeys and sessions in a real browser, each page looked at as it stands."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.core.cache import cache
from playwright.sync_api import CDPSession, Page, expect

from organizations.services import require_second_factor
from tests.browser.conftest import Visit
from tests.browser.looking import Looking
from tests.browser.people import code, confirm, enter, sign_out, statuses
from tests.portal.pages import add_member
from tests.usage.factories import Tenant, make_tenant

DEVICE = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}
pytestmark = pytest.mark.timeout(300)


@pytest.fixture(autouse=True)
def _no_attempts_yet() -> None:
    """Attempts are counted in the cache, which all tests share."""
    cache.clear()


@pytest.fixture
def named(visit: Visit) -> Visit:
    """A page at a host with a name: passkeys belong to one."""
    visit.url = visit.url.replace("127.0.0.1", "localhost")
    return visit


def with_device(page: Page) -> CDPSession:
    """Give the browser a device that keeps passkeys."""
    device = page.context.new_cdp_session(page)
    device.send("WebAuthn.enable")
    device.send("WebAuthn.addVirtualAuthenticator", {"options": DEVICE})
    return device


def test_an_authenticator_app_from_its_setting_up_to_its_end(
    acme: Tenant, visit: Visit, looking: Looking
) -> None:
    user = add_member(acme)
    page = visit.page
    enter(visit, user, path="/account/factors/")
    looking.at(visit.page, "Two-factor authentication")
    page.get_by_role("link", name="Set up an authenticator app").click()
    looking.at(visit.page, "Confirm it's you")
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_label("Password")).to_have_accessible_description(
        "This isn't your password. Try again."
    )
    looking.at(visit.page, "Confirm it's you")
    confirm(page)
    looking.at(visit.page, "Set up an authenticator app")
    expect(page.get_by_role("img", name="QR code")).to_be_visible()
    page.get_by_label("Code from the app").fill("000000")
    page.get_by_role("button", name="Activate").click()
    expect(page.get_by_label("Code from the app")).to_be_focused()
    looking.at(visit.page, "Set up an authenticator app")
    secret = page.locator("#secret").inner_text()
    page.get_by_label("Code from the app").fill(code(secret))
    page.get_by_role("button", name="Activate").click()
    expect(page.get_by_text("Authenticator app activated.")).to_be_visible()
    looking.at(visit.page, "Recovery codes")
    codes = [one.strip() for one in page.locator("#recovery-codes li").all_inner_texts()]
    with page.expect_download() as file:
        page.get_by_role("link", name="Download").click()
    assert file.value.path().read_text().split() == codes
    page.get_by_role("button", name="Copy").click()
    assert page.evaluate("navigator.clipboard.readText()").split() == codes
    sign_out(page)
    enter(visit, user, path="/account/factors/")
    looking.at(visit.page, "Two-factor authentication")
    page.get_by_label("Code").fill("000000")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_label("Code")).to_be_focused()
    expect(page.get_by_label("Code")).to_have_accessible_description(re.compile("This code isn't right"))
    looking.at(visit.page, "Two-factor authentication")
    page.get_by_label("Code").fill(code(secret, later=1))
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_text("10 of 10 left")).to_be_visible()
    looking.at(visit.page, "Two-factor authentication")
    sign_out(page)
    enter(visit, user, path="/account/factors/")
    page.get_by_label("Code").fill(codes[0])
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_text("9 of 10 left")).to_be_visible()
    page.get_by_role("link", name="Generate new codes").click()
    looking.at(visit.page, "Confirm it's you")
    page.get_by_role("link", name="Use authenticator app or code").click()
    looking.at(visit.page, "Confirm it's you")
    page.get_by_label("Code").fill(codes[1])
    page.get_by_role("button", name="Confirm").click()
    looking.at(visit.page, "Generate new recovery codes?")
    page.get_by_role("button", name="Generate").click()
    expect(page.get_by_text("New recovery codes were generated.")).to_be_visible()
    page.goto(f"{visit.url}/account/factors/")
    page.get_by_role("link", name="Deactivate").click()
    looking.at(visit.page, "Deactivate the authenticator app?")
    page.get_by_role("button", name="Deactivate").click()
    expect(page.get_by_text("Authenticator app deactivated.")).to_be_visible()


def test_a_passkey_from_its_adding_to_its_removal(acme: Tenant, named: Visit, looking: Looking) -> None:
    user = add_member(acme)
    page = named.page
    enter(named, user, path="/account/factors/webauthn/")
    looking.at(named.page, "Security keys and passkeys")
    page.get_by_role("link", name="Add security key or passkey").click()
    confirm(page)
    looking.at(named.page, "Add a security key or passkey")
    device = with_device(page)
    page.get_by_label("Name").fill("Work laptop")
    expect(page.get_by_label("Use it as a passkey")).to_be_checked()
    page.get_by_role("button", name="Add").click()
    looking.at(named.page, "Recovery codes")
    # The same device again: it says so itself.
    page.goto(f"{named.url}/account/factors/webauthn/add/")
    page.get_by_role("button", name="Add").click()
    expect(page.get_by_role("alert")).to_have_text("This security key or passkey is added already.")
    looking.at(named.page, "Add a security key or passkey")
    sign_out(page)
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()
    sign_out(page)
    enter(named, user)
    looking.at(named.page, "Two-factor authentication")
    page.get_by_role("button", name="Use a security key or passkey").click()
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()
    page.goto(f"{named.url}/account/factors/webauthn/")
    looking.at(named.page, "Security keys and passkeys")
    page.get_by_role("link", name="Rename").click()
    page.get_by_role("link", name="Use a security key").click()
    looking.at(named.page, "Confirm it's you")
    page.get_by_role("button", name="Use a security key or passkey").click()
    looking.at(named.page, "Rename Work laptop")
    page.get_by_label("Name").fill("Laptop")
    page.get_by_role("button", name="Save").click()
    page.get_by_role("link", name="Remove Laptop").click()
    looking.at(named.page, "Remove Laptop?")
    page.get_by_role("button", name="Remove").click()
    expect(page.get_by_text("You have not added any yet.")).to_be_visible()
    device.send("WebAuthn.disable")


def test_a_passkey_that_is_refused_is_told_on_the_page(acme: Tenant, named: Visit) -> None:
    page = named.page
    device = page.context.new_cdp_session(page)
    device.send("WebAuthn.enable")
    # The device has no passkey, and says so after its time.
    options = {**DEVICE, "isUserVerified": False}
    device.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    page.goto(f"{named.url}/sign-in/")
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_role("alert").first).to_contain_text("No security key or passkey was used")


def test_an_organization_leads_to_the_second_factor_it_requires(
    acme: Tenant, visit: Visit, looking: Looking
) -> None:
    user = add_member(acme)
    add_member(make_tenant("Globex"), user=user)
    require_second_factor(organization_id=acme.id, required=True)
    page = visit.page
    enter(visit, user)
    looking.at(visit.page, "Two-factor authentication required")
    expect(page.get_by_role("link", name="Globex")).to_be_visible()
    page.get_by_role("link", name="Set it up").click()
    page.get_by_role("link", name="Set up an authenticator app").click()
    confirm(page)
    page.get_by_label("Code from the app").fill(code(page.locator("#secret").inner_text()))
    page.get_by_role("button", name="Activate").click()
    page.get_by_role("link", name="Go to Overview").click()
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()
    statuses(visit, 403)


def test_sessions_are_seen_and_ended(acme: Tenant, open_page: Callable[..., Visit], looking: Looking) -> None:
    user = add_member(acme)
    here, there, elsewhere = open_page(), open_page(), open_page()
    for visit in (there, elsewhere, here):
        enter(visit, user, path="/account/sessions/")
        visit.page.get_by_role("heading", name="Sessions").wait_for()
    looking.at(here.page, "Sessions")
    rows = here.page.locator(".rows li")
    expect(rows).to_have_count(3)
    expect(rows.first).to_contain_text("Chrome on Linux This session")
    # The latest of the others is the first after this one.
    rows.nth(1).get_by_role("button", name="Sign out").click()
    expect(rows).to_have_count(2)
    there.page.reload()
    expect(there.page.get_by_role("heading", name="Sessions")).to_be_visible()
    elsewhere.page.reload()
    expect(elsewhere.page.get_by_role("heading", name="Sign in")).to_be_visible()
    here.page.get_by_role("button", name="Sign out everywhere else").click()
    expect(here.page.get_by_role("status")).to_have_text("Signed out everywhere else.")
    there.page.reload()
    expect(there.page.get_by_role("heading", name="Sign in")).to_be_visible()
    here.page.goto(f"{here.url}/account/")
    looking.at(here.page, "Profile")
    here.page.get_by_label("Name").fill("Ada")
    here.page.get_by_role("button", name="Save").click()
    expect(here.page.get_by_role("status")).to_have_text("Saved.")
    here.page.get_by_role("link", name="Back to Overview").click()
    expect(here.page.get_by_role("heading", name="Overview")).to_be_visible()
