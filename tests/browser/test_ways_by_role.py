"""The main ways through the pages in a real browser, as each role goes them and no further."""

from __future__ import annotations

from uuid import uuid4

import pytest
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.core.cache import cache
from playwright.sync_api import expect

from organizations.models import User
from tests.alerts.telling import fire
from tests.billing.spending import limit_to
from tests.browser.conftest import Visit
from tests.browser.looking import settle
from tests.browser.people import code, enter, statuses
from tests.browser.test_roles import ROLES
from tests.contracts.test_roles import EVERYBODY, MAKERS, MANAGERS, READERS_OF_COSTS, SETTERS
from tests.portal.pages import add_member
from tests.usage.factories import Tenant, make_tenant, record

FORBIDDEN = 403
ALERT = "It costs too much."

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(autouse=True)
def _quietly(monkeypatch: pytest.MonkeyPatch) -> None:
    # No worker listens in the tests. Attempts are counted in the cache, which all tests share.
    monkeypatch.setattr("alerts.deliveries.writing.tell", lambda *args, **options: True)
    cache.clear()


@pytest.mark.parametrize("role", ROLES)
def test_the_main_ways(used: Tenant, visit: Visit, role: str) -> None:
    """Go them one after the other, in the order of a first day."""
    assert role in EVERYBODY
    other = make_tenant("Globex", plan="pay-as-you-go", currency="EUR")
    other.api.keep(record("one", cost="5"))
    user = add_member(other, role, user=add_member(used, role))
    fire(used, message=ALERT, occurrence=uuid4().hex)
    sign_in(visit, user)
    switch_organization(visit)
    share_a_filter(visit)
    drill_to_a_record(visit)
    make_and_rotate_a_key(visit, role)
    export(visit)
    read_an_alert(visit)
    invite(visit, role)
    set_a_limit(visit, other, role)
    statuses(visit, FORBIDDEN)


def sign_in(visit: Visit, user: User) -> None:
    """Sign in with a password, then with the code of an app."""
    secret = generate_totp_secret()
    TOTP.activate(user, secret)
    enter(visit, user)
    visit.page.get_by_label("Code").fill(code(secret))
    visit.page.get_by_role("button", name="Sign in").click()
    expect(visit.page.get_by_role("heading", name="Overview")).to_be_visible()


def switch_organization(visit: Visit) -> None:
    """Look at the other organization, and come back."""
    page = visit.page
    for name, slug in (("Globex", "globex"), ("Acme", "acme")):
        page.locator(".switcher summary").click()
        page.locator(".switcher").get_by_role("link", name=name).click()
        page.wait_for_url(f"**organization={slug}")
        expect(page.locator(".switcher summary")).to_contain_text(name)


def share_a_filter(visit: Visit) -> None:
    """Filter, and find the same by the address alone."""
    page = visit.page
    page.get_by_role("link", name="Usage", exact=True).click()
    page.get_by_label("Capability", exact=True).select_option("search")
    page.wait_for_url("**capability=search*")
    requests = visit.figure("requests")
    address = page.url
    page.goto("about:blank")
    page.goto(address)
    assert visit.figure("requests") == requests != "0"
    expect(page.get_by_label("Capability", exact=True)).to_have_value("search")


def drill_to_a_record(visit: Visit) -> None:
    """Press a bar, then one of its records."""
    page = visit.page
    settle(page)
    box = page.locator("#over-time-chart").bounding_box()
    assert box is not None
    page.locator("#over-time-chart").click(position={"x": box["width"] / 2, "y": box["height"] / 2})
    page.wait_for_url("**/logs/?*capability=search*")
    page.locator("#records tbody a").first.click()
    expect(page.get_by_role("heading", name="Record")).to_be_visible()


def make_and_rotate_a_key(visit: Visit, role: str) -> None:
    """Make a key and give it a new secret."""
    page = visit.page
    page.locator("#menu").get_by_role("link", name="API keys").click()
    expect(page.get_by_role("heading", name="API keys")).to_be_visible()
    expect(page.get_by_role("link", name="Create API key")).to_have_count(int(role in MAKERS))
    if role not in MAKERS:
        refused(visit, "/keys/new/")
        return
    page.get_by_role("link", name="Create API key").click()
    page.get_by_label("Name").fill("Laptop")
    page.get_by_role("button", name="Create key").click()
    first = page.locator("#secret").inner_text()
    page.get_by_role("link", name="View key").click()
    page.get_by_text("Rotate…").click()
    page.get_by_role("button", name="Rotate key").click()
    expect(page.locator("#secret")).not_to_have_text(first)


def set_a_limit(visit: Visit, tenant: Tenant, role: str) -> None:
    """Set the other organization a limit that is passed already; see the pause on every page, as all do."""
    page = visit.page
    page.goto(f"{visit.url}/?organization=globex")
    if role in SETTERS:
        page.locator("#menu").get_by_role("link", name="Spend limit").click()
        page.get_by_role("link", name="Set spend limit").first.click()
        page.get_by_label("Limit in EUR").fill("1")
        page.get_by_role("button", name="Set spend limit").click()
        expect(page.get_by_text("Spend limit for the organization saved")).to_be_visible()
    else:
        limit_to(tenant, 1)
        refused(visit, "/limits/set/", "globex")
        page.goto(f"{visit.url}/?organization=globex")
    page.locator("#menu").get_by_role("link", name="Models").click()
    expect(page.locator("#strip")).to_contain_text("Access is paused.")
    expect(page.locator("#strip").get_by_role("link", name="View limit")).to_have_count(
        int(role in READERS_OF_COSTS)
    )


def export(visit: Visit) -> None:
    """Take a file that is there, and ask for another."""
    page = visit.page
    page.locator("#menu").get_by_role("link", name="Exports").click()
    with page.expect_download() as file:
        page.get_by_role("link", name="Download").first.click()
    assert file.value.path().stat().st_size > 0
    page.get_by_label("Data").select_option("daily")
    page.get_by_role("button", name="Export").click()
    expect(page.get_by_text("Export started")).to_be_visible()
    expect(page.locator("#exports tbody tr")).to_have_count(2)


def read_an_alert(visit: Visit) -> None:
    """Read what the Overview tells of."""
    page = visit.page
    page.locator("#menu").get_by_role("link", name="Overview").click()
    page.get_by_role("link", name=ALERT).click()
    expect(page.get_by_role("heading", name=ALERT)).to_be_visible()


def invite(visit: Visit, role: str) -> None:
    """Offer somebody a membership."""
    page = visit.page
    settings = page.locator("#menu").get_by_role("link", name="Settings")
    expect(settings).to_have_count(int(role in MANAGERS))
    if role not in MANAGERS:
        refused(visit, "/settings/members/")
        return
    settings.click()
    page.get_by_role("link", name="Members").click()
    page.get_by_role("textbox", name="E-mail address", exact=True).fill("new@example.org")
    page.locator("#id_role").select_option("developer")
    page.get_by_role("button", name="Send invitation").click()
    expect(page.locator("#invitation-link")).to_contain_text("/invitation")
    expect(page.get_by_text("new@example.org as Developer")).to_be_visible()


def refused(visit: Visit, path: str, organization: str = "acme") -> None:
    """Go where a role may not, and be told so on a page that leads on."""
    answer = visit.page.goto(f"{visit.url}{path}?organization={organization}")
    assert answer is not None
    assert answer.status == FORBIDDEN
    expect(visit.page.get_by_role("link", name="Overview").first).to_be_visible()
