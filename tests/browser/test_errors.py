"""Pages of errors, and those that links of mails lead to, in a real browser."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

import pytest
from django.test import RequestFactory
from playwright.sync_api import expect
from structlog.contextvars import bound_contextvars

from alerts.channels.services import create_channel
from alerts.consent.links import confirm_link, mute_link
from config import maintenance
from core.views import server_error
from organizations.tenancy import tenant_scope
from tests.browser.conftest import Visit
from tests.browser.looking import Looking
from tests.browser.people import enter, statuses
from tests.portal.pages import add_member
from tests.usage.factories import Tenant

pytestmark = pytest.mark.timeout(300)


def test_links_of_mails(acme: Tenant, visit: Visit, looking: Looking) -> None:
    address = "books@outside.example"
    with tenant_scope(acme.id):
        made = create_channel(organization_id=acme.id, kind="email", name="Accountant", address=address)
    page = visit.page

    def go(link: str) -> None:
        page.goto(re.sub(r"^https?://[^/]+", visit.url, link))

    go(confirm_link(acme.id, made.channel.pk, address))
    looking.at(visit.page, "Receive messages from Acme?")
    page.get_by_role("button", name="Confirm this address").click()
    looking.at(visit.page, "Address confirmed")
    member = add_member(acme)
    go(mute_link(acme.id, member.email))
    looking.at(visit.page, "Unsubscribe?")
    page.get_by_role("button", name="Unsubscribe").click()
    looking.at(visit.page, "You are unsubscribed")
    page.get_by_role("button", name="Subscribe again").click()
    looking.at(visit.page, "You are subscribed again")
    go("https://elsewhere.example/unsubscribe/made-up/")
    looking.at(visit.page, "This link doesn't work any more")
    statuses(visit, 404)


def test_the_page_of_a_fault(
    transactional_db: None, visit: Visit, looking: Looking, rf: RequestFactory
) -> None:
    with bound_contextvars(request_id="0" * 32):
        fault = server_error(rf.get("/broken")).content.decode()
    visit.page.route(
        "**/broken", lambda route: route.fulfill(status=500, content_type="text/html", body=fault)
    )
    visit.page.goto(f"{visit.url}/broken")
    looking.at(visit.page, "Something went wrong")
    expect(visit.page.get_by_text("Request ID: 0000")).to_be_visible()
    statuses(visit, 500)


def test_errors_of_members_and_of_strangers(
    acme: Tenant, open_page: Callable[..., Visit], looking: Looking
) -> None:
    member, stranger = open_page(), open_page()
    enter(member, add_member(acme, "analyst"))
    member.page.get_by_role("heading", name="Overview").wait_for()
    for visit in (member, stranger):
        visit.page.goto(f"{visit.url}/nowhere")
        looking.at(visit.page, "Page not found")
        in_frame = visit.page.get_by_role("navigation", name="Main")
        expect(in_frame).to_have_count(1 if visit is member else 0)
        visit.page.goto(f"{visit.url}/sign-out/")
        looking.at(visit.page, "This address can’t be opened directly")
    member.page.goto(f"{member.url}/settings/")
    looking.at(member.page, "Access denied")
    member.page.goto(f"{member.url}/keys/cl_nobodys/")
    looking.at(member.page, "Page not found")
    member.page.goto(f"{member.url}/?organization=globex")
    looking.at(member.page, "You're not a member")
    for visit in (member, stranger):
        visit.page.goto(f"{visit.url}/account/password/reset/")
        visit.page.evaluate("document.querySelector('[name=csrfmiddlewaretoken]').value = 'x'")
        visit.page.get_by_label("E-mail address").fill("ada@example.org")
        visit.page.get_by_role("button", name="Send link").click()
        looking.at(visit.page, "This form has expired")
    stranger.page.goto(f"{stranger.url}/account/inactive/")
    looking.at(stranger.page, "Account deactivated")
    maintenance.begin(maintenance.Notice(message="The database moves to a new machine."))
    try:
        # Every process of the host sees it within a second.
        time.sleep(1.5)
        stranger.page.goto(f"{stranger.url}/")
        looking.at(stranger.page, "Down for maintenance")
    finally:
        maintenance.end()
    for visit in (member, stranger):
        statuses(visit, 403, 404, 405, 503)
