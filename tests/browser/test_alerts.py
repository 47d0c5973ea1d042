"""Alerts and the organizations of one person in a real browser, and the operator's admin."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from playwright.sync_api import expect

from organizations.models import User
from tests.alerts.rules.ruling import make_rule
from tests.alerts.telling import deliveries, fire, mailbox, webhook, work
from tests.browser.conftest import Visit
from tests.browser.looking import Looking, look, settle, violations
from tests.portal.pages import add_member
from tests.usage.factories import Tenant, make_tenant, record
from usage.rollups.fold import fold_pending

CHART = {
    "unit": "EUR",
    "timezone": "Europe/Berlin",
    "threshold": "10",
    "points": [["2026-07-14T10:00:00Z", "4"], ["2026-07-14T11:00:00Z", "12.5"]],
}
OPERATION = ("/admin/", "/admin/organizations/credential/", "/admin/usage/record/", "/admin/alerts/delivery/")


@pytest.fixture(autouse=True)
def _nobody_told(monkeypatch: pytest.MonkeyPatch) -> None:
    # No worker listens in the tests: turns are taken by hand.
    monkeypatch.setattr("alerts.deliveries.writing.tell", lambda *args, **options: True)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_one_of_each_is_accessible_and_fits(
    acme: Tenant, open_page: Callable[..., Visit], theme: str
) -> None:
    channel = mailbox(acme)
    rule = make_rule(acme, name="Busy")
    event = fire(acme, chart=CHART, occurrence=uuid4().hex)
    assert event is not None
    [told] = deliveries(acme)
    visit = open_page(theme=theme)
    visit.sign_in(acme)
    wrong: list[str] = []
    for path in (
        f"/alerts/events/{event.pk}/",
        f"/alerts/channels/{channel.pk}/",
        "/alerts/channels/new/?kind=webhook",
        f"/alerts/rules/{rule.pk}/",
        f"/alerts/deliveries/{told.pk}/",
    ):
        wrong += look(visit, path)
    assert wrong == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_operators_admin_is_accessible_in_the_portals_colours(
    acme: Tenant, open_page: Callable[..., Visit], theme: str
) -> None:
    acme.api.keep(record("one", model="house"))
    fold_pending()
    visit = open_page(theme=theme)
    user = add_member(acme)
    User.objects.filter(pk=user.pk).update(is_staff=True, is_superuser=True)
    visit.sign_in(acme, user=user)
    wrong: dict[str, Any] = {}
    for path in OPERATION:
        visit.page.goto(f"{visit.url}{path}")
        if found := violations(visit.page):
            wrong[path] = found
        ground = visit.page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert ground == ("rgb(16, 21, 27)" if theme == "dark" else "rgb(245, 246, 248)")
    assert wrong == {}


def test_an_alert_is_read_from_the_overview(acme: Tenant, visit: Visit) -> None:
    acme.api.keep(record("one"))
    fire(acme, chart=CHART, message="It costs too much.", occurrence=uuid4().hex)
    page = visit.page
    visit.sign_in(acme)
    page.get_by_role("link", name="It costs too much.").click()
    expect(page.get_by_role("heading", name="It costs too much.")).to_be_visible()
    expect(page.get_by_text("Raise the limit, or look at what spends the most.")).to_be_visible()
    settle(page)
    page.get_by_text("Show as a table").click()
    expect(page.get_by_role("cell", name="12.50 EUR")).to_be_visible()


def test_a_channel_is_added_and_tested(acme: Tenant, visit: Visit, looking: Looking) -> None:
    page = visit.page
    visit.sign_in(acme)
    page.goto(f"{visit.url}/alerts/channels/")
    page.get_by_role("link", name="Add channel").first.click()
    page.get_by_role("link", name="Webhook").click()
    page.get_by_label("Name").fill("Pager")
    page.get_by_label("Address").fill("https://hooks.invalid/headroom")
    page.get_by_role("button", name="Add channel").click()
    expect(page.locator("#secret")).to_contain_text("whsec_")
    looking.at(page, "Pager added")
    page.get_by_role("link", name="Go to the channel").click()
    page.get_by_role("button", name="Send test").click()
    expect(page.get_by_text("Sending…")).to_be_visible()
    work()
    # There is no such host: the page finds out by itself, and says why.
    expect(page.locator("#live .tag").first).to_have_text("Failed")
    expect(page.get_by_text("Sending…")).to_have_count(0)


def test_what_was_given_up_is_sent_again(acme: Tenant, visit: Visit) -> None:
    channel = mailbox(acme)
    fire(acme, occurrence=uuid4().hex)
    page = visit.page
    visit.sign_in(acme)
    page.goto(f"{visit.url}/alerts/channels/{channel.pk}/")
    page.get_by_role("button", name="Disable").click()
    expect(page.get_by_text("Pending deliveries are cancelled")).to_be_visible()
    page.goto(f"{visit.url}/alerts/channels/{channel.pk}/")
    page.get_by_role("button", name="Enable").click()
    page.goto(f"{visit.url}/alerts/deliveries/?state=cancelled")
    page.get_by_role("button", name="Resend").click()
    expect(page.get_by_text("Sending…")).to_be_visible()
    assert [one.state for one in deliveries(acme)].count("pending") == 1


def test_a_report_is_scheduled_and_sent(acme: Tenant, visit: Visit) -> None:
    mailbox(acme)
    page = visit.page
    visit.sign_in(acme)
    page.goto(f"{visit.url}/exports/")
    page.get_by_role("link", name="Schedule report").click()
    page.get_by_label("Name", exact=True).fill("For the board")
    page.get_by_label("Operations").check()
    page.get_by_role("button", name="Schedule report").click()
    expect(page.get_by_text("Report For the board scheduled.")).to_be_visible()
    page.get_by_role("button", name="Send now").click()
    expect(page.get_by_text("The latest report is on its way to")).to_be_visible()


def test_a_rule_is_made_and_switched_off(acme: Tenant, visit: Visit) -> None:
    page = visit.page
    visit.sign_in(acme)
    page.goto(f"{visit.url}/alerts/rules/")
    page.get_by_role("link", name="New rule").click()
    page.get_by_label("Name").fill("Costly")
    page.get_by_label("Metric").fill("cost")
    page.get_by_label("Thresholds").fill("50")
    page.get_by_label("Window", exact=True).select_option("24h")
    page.get_by_role("button", name="Create rule").click()
    expect(page.get_by_text("Cost at or above 50.00 EUR over 24 hours")).to_be_visible()
    page.get_by_role("button", name="Disable").click()
    expect(page.get_by_text("Costly disabled")).to_be_visible()


def test_rules_channels_and_secrets_are_sorted_in_place(acme: Tenant, visit: Visit) -> None:
    for name in ("Beta", "Alpha"):
        make_rule(acme, name=name)
        webhook(acme, "https://hooks.example.com/hook", name)
    page = visit.page
    visit.sign_in(acme)
    for path, table, head in (
        ("/alerts/rules/", "rules", "Rule"),
        ("/alerts/channels/", "channels", "Channel"),
        ("/settings/webhooks/", "webhooks", "Webhook"),
    ):
        page.goto(f"{visit.url}{path}")
        heading = page.locator(f"#{table}").get_by_role("link", name=head, exact=True)
        heading.click()
        page.wait_for_url("**sort=name&order=asc*")
        expect(page.locator(f"#{table} tbody th").first).to_contain_text("Alpha")
        expect(page.locator(f"#{table} caption")).to_contain_text("By name")
        heading.click()
        page.wait_for_url("**sort=name&order=desc*")
        expect(page.locator(f"#{table} th[aria-sort=descending]")).to_have_text(head)
        expect(page.get_by_role("heading", level=1)).to_have_count(1)
    page.goto(f"{visit.url}/alerts/rules/?sort=name&order=asc")
    page.get_by_role("button", name="Disable Alpha").click()
    expect(page.get_by_text("Alpha disabled")).to_be_visible()
    expect(page).to_have_url(f"{visit.url}/alerts/rules/?sort=name&order=asc")


def test_from_one_organization_to_another_and_across_them(acme: Tenant, visit: Visit) -> None:
    globex = make_tenant("Globex")
    globex.api.keep(record("one"), record("two"))
    user = add_member(acme)
    add_member(globex, user=user)
    page = visit.page
    visit.sign_in(acme, user=user)
    page.locator(".switcher summary").click()
    page.get_by_role("link", name="All organizations").click()
    expect(page.locator("#organizations tbody tr")).to_have_count(2)
    page.locator("#organizations").get_by_role("link", name="Globex").click()
    page.wait_for_url("**organization=globex*")
    expect(page.locator(".switcher summary")).to_contain_text("Globex")
    assert visit.figure("requests") == "2"
    page.locator(".switcher summary").click()
    page.get_by_role("link", name="Acme", exact=True).click()
    page.wait_for_url("**organization=acme*")
    expect(page.locator(".switcher summary")).to_contain_text("Acme")
