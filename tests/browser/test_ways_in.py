"""Ways into an account in a real browser: password, reset, invitation, single sign-on."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from aiosmtpd.controller import Controller
from django.core.cache import cache
from playwright.sync_api import expect

from organizations.services import invite
from organizations.tenancy import tenant_scope
from tests.alerts.posting import Post, part
from tests.alerts.receivers import unused_port
from tests.browser.conftest import PASSWORD, Visit
from tests.browser.looking import Looking
from tests.browser.people import enter, statuses
from tests.portal.issuer import Issuer, issuing
from tests.portal.pages import add_member
from tests.serving import Server
from tests.usage.factories import Tenant, make_tenant

ANOTHER = "another long password"
TRIES = 6
pytestmark = pytest.mark.timeout(300)


@pytest.fixture(autouse=True)
def _no_attempts_yet() -> None:
    """Attempts are counted in the cache, which all tests share."""
    cache.clear()


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    """The single sign-on."""
    with issuing() as running:
        yield running


@pytest.fixture
def post() -> Iterator[tuple[Post, str]]:
    """A mail server, and its address."""
    handler = Post()
    controller = Controller(handler, hostname="127.0.0.1", port=unused_port())
    controller.start()
    yield handler, f"smtp://127.0.0.1:{controller.port}"
    controller.stop()


@pytest.fixture
def url(make_server: Callable[..., Server], issuer: Issuer, post: tuple[Post, str]) -> str:
    """Where a server with single sign-on and mail answers."""
    return make_server(env={**issuer.environment, "EMAIL_URL": post[1]}).url


def test_the_sign_in_tells_what_is_wrong_and_when_to_wait(
    acme: Tenant, visit: Visit, looking: Looking
) -> None:
    user = add_member(acme)
    page = visit.page
    page.goto(f"{visit.url}/sign-in/")
    expect(page.get_by_label("E-mail address")).to_be_focused()
    looking.at(visit.page, "Sign in")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_label("E-mail address")).to_be_focused()
    expect(page.get_by_label("E-mail address")).to_have_accessible_description("This field is required.")
    for _ in range(TRIES):
        page.get_by_label("E-mail address").fill(user.email)
        page.get_by_label("Password").fill("wrong")
        page.keyboard.press("Enter")
        expect(page.get_by_label("Password")).to_have_value("")
    expect(page.get_by_role("alert").filter(has_text="Too many attempts failed")).to_be_focused()
    looking.at(visit.page, "Sign in")


def test_the_page_of_too_many_attempts(acme: Tenant, visit: Visit, looking: Looking) -> None:
    page = visit.page
    for _ in range(TRIES):
        page.goto(f"{visit.url}/account/password/reset/")
        page.get_by_label("E-mail address").fill("nobody@example.org")
        page.get_by_role("button", name="Send link").click()
        page.wait_for_load_state()
    looking.at(visit.page, "Too many attempts")
    statuses(visit, 429)


def test_a_password_is_reset_by_mail_and_changed(
    acme: Tenant, visit: Visit, looking: Looking, post: tuple[Post, str]
) -> None:
    user = add_member(acme)
    page = visit.page
    page.goto(f"{visit.url}/sign-in/")
    page.get_by_role("link", name="Forgot your password?").click()
    looking.at(visit.page, "Reset your password")
    page.get_by_role("button", name="Send link").click()
    expect(page.get_by_label("E-mail address")).to_be_focused()
    looking.at(visit.page, "Reset your password")
    page.get_by_label("E-mail address").fill(user.email)
    page.get_by_role("button", name="Send link").click()
    looking.at(visit.page, "Check your e-mail")
    [mail] = post[0].mails
    assert mail["Subject"] == "Headroom: Reset your password"
    link = re.search(r"http\S+", part(mail, "plain"))
    assert link is not None
    page.goto(link[0])
    looking.at(visit.page, "Choose a new password")
    page.get_by_label("New password", exact=True).fill("short")
    page.get_by_label("Repeat new password").fill("other")
    page.get_by_role("button", name="Change password").click()
    expect(page.get_by_label("New password", exact=True)).to_be_focused()
    looking.at(visit.page, "Choose a new password")
    for label in ("New password", "Repeat new password"):
        page.get_by_label(label, exact=True).fill(ANOTHER)
    page.get_by_role("button", name="Change password").click()
    looking.at(visit.page, "Password changed")
    page.goto(link[0])
    looking.at(visit.page, "This link doesn't work any more")
    enter(visit, user, password=ANOTHER, path="/account/password/")
    looking.at(visit.page, "Password")
    page.get_by_label("Current password").fill("wrong")
    page.get_by_label("New password", exact=True).fill(PASSWORD)
    page.get_by_label("Repeat new password").fill(PASSWORD)
    page.get_by_role("button", name="Change password").click()
    expect(page.get_by_label("Current password")).to_have_accessible_description(
        "This isn't your current password."
    )
    looking.at(visit.page, "Password")
    for label, value in (
        ("Current password", ANOTHER),
        ("New password", PASSWORD),
        ("Repeat new password", PASSWORD),
    ):
        page.get_by_label(label, exact=True).fill(value)
    page.get_by_role("button", name="Change password").click()
    expect(page.get_by_role("status")).to_have_text("Password changed.")
    assert "If this wasn't you" in part(post[0].mails[-1], "plain")


def invitation(tenant: Tenant, email: str) -> str:
    """Invite somebody, and return the path of the link."""
    with tenant_scope(tenant.id):
        token = invite(organization_id=tenant.id, email=email, role="analyst", invited_by_id=None).token
    return f"/invitations/{token}/"


def test_an_invitation_of_a_new_person(acme: Tenant, visit: Visit, looking: Looking) -> None:
    page = visit.page
    path = invitation(acme, "new@example.org")
    page.goto(f"{visit.url}{path}")
    looking.at(visit.page, "Join Acme")
    page.get_by_label("Password").fill("short")
    page.get_by_role("button", name="Join").click()
    expect(page.get_by_label("Password")).to_be_focused()
    looking.at(visit.page, "Join Acme")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Join").click()
    expect(page.get_by_text("Welcome to Acme.")).to_be_visible()
    page.goto(f"{visit.url}{path}")
    looking.at(visit.page, "This link doesn't work any more")
    statuses(visit, 404, 422)


def test_an_invitation_of_somebody_with_an_account(acme: Tenant, visit: Visit, looking: Looking) -> None:
    globex = make_tenant("Globex")
    user = add_member(globex)
    page = visit.page
    enter(visit, user, path=invitation(acme, user.email))
    looking.at(visit.page, "Join Acme")
    page.get_by_role("button", name="Join").click()
    expect(page.get_by_text("Welcome to Acme.")).to_be_visible()
    page.goto(f"{visit.url}{invitation(acme, 'other@example.org')}")
    looking.at(visit.page, "Join Acme")
    expect(page.get_by_text("This invitation is for other@example.org")).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_single_sign_on_and_what_can_go_wrong(
    acme: Tenant, visit: Visit, issuer: Issuer, looking: Looking
) -> None:
    user = add_member(acme)
    page = visit.page

    def go() -> None:
        page.goto(f"{visit.url}/sign-in/?next=/account/")
        page.get_by_role("link", name="Continue with Acme ID").click()

    go()
    looking.at(visit.page, "No account found")
    issuer.refusal = "access_denied"
    go()
    looking.at(visit.page, "Sign-in cancelled")
    issuer.refusal = "server_error"
    go()
    looking.at(visit.page, "Sign-in failed")
    statuses(visit, 401)
    issuer.refusal = ""
    issuer.claims |= {"sub": "2", "email": user.email}
    go()
    looking.at(visit.page, "Profile")


def test_every_form_is_done_with_the_keyboard(acme: Tenant, visit: Visit) -> None:
    user = add_member(acme)
    page = visit.page
    page.goto(f"{visit.url}/sign-in/?next=/account/")
    page.keyboard.type(user.email)
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Tab")
    button = page.get_by_role("button", name="Sign in")
    expect(button).to_be_focused()
    assert button.evaluate("one => getComputedStyle(one).outlineStyle") == "solid"
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Profile")).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.keyboard.press("Enter")
    names = []
    for _ in range(6):
        page.keyboard.press("Tab")
        names.append(page.evaluate("document.activeElement.textContent.trim()"))
    assert names == [
        "← Back to Overview",
        "Profile",
        "Password",
        "Two-factor",
        "Sessions",
        "Set up two-factor authentication",
    ]
