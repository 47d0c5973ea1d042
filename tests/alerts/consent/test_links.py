"""Unsubscribing and confirming by the links in mails: without signing in, by a button, and by one click."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.test import Client

from alerts.channels.services import create_channel
from alerts.reports.writing import write_due
from organizations.services import remove_member
from organizations.tenancy import tenant_scope
from tests.alerts.posting import Post, part
from tests.alerts.reports.reporting import MONDAY, make_report, member
from tests.alerts.telling import again, attempts, clear, deliveries, fire, mailbox, work
from tests.usage.factories import Tenant, make_tenant
from usage import partitions

pytestmark = pytest.mark.django_db
OUTSIDE = "books@outside.example"
ONE_CLICK = {"List-Unsubscribe": "One-Click"}


@pytest.fixture
def clock() -> Any:
    partitions.forget()
    with time_machine.travel(MONDAY.replace(day=7), tick=False) as traveller:
        yield traveller


@pytest.fixture
def acme(db: None, clock: time_machine.Traveller) -> Tenant:
    return make_tenant("Acme", timezone="Europe/Berlin")


@pytest.fixture
def stranger() -> Client:
    """Somebody who is not signed in, and whose requests need CSRF tokens."""
    return Client(enforce_csrf_checks=True)


def link(mail: Any, page: str = "unsubscribe") -> str:
    """Return the path of a link in a mail."""
    found = re.search(rf"https://headroom\.example(/{page}/\S+)", part(mail, "plain"))
    assert found is not None
    return found[1]


def outside(tenant: Tenant) -> Any:
    with tenant_scope(tenant.id):
        return create_channel(
            organization_id=tenant.id, kind="email", name="Accountant", address=OUTSIDE
        ).channel


def test_a_mail_programs_click_ends_a_report_and_looking_at_the_link_does_not(
    acme: Tenant, post: Post, stranger: Client, clock: time_machine.Traveller
) -> None:
    report = make_report(acme)
    clock.move_to(MONDAY)
    assert (write_due(), work()) == (1, 1)
    path = link(post.mails[0])
    for _ in range(2):
        page = stranger.get(path)
        assert (page.status_code, "Unsubscribe?" in page.content.decode()) == (200, True)
        assert "For the board" in page.content.decode()
    assert page["Referrer-Policy"] == "same-origin"
    assert "no-store" in page["Cache-Control"]
    for _ in range(2):
        assert stranger.post(path, ONE_CLICK).status_code == 200
    shown = acme.another_credential("Manages", scopes=["alerts:write"]).api.get(
        f"/alerts/reports/{report.pk}"
    )
    (ada,) = shown.body["members"]
    assert (ada["email"], ada["unsubscribedAt"]) == ("ada@example.com", "2026-07-13T06:00:00Z")
    clock.shift(7 * 24 * 3600)
    assert (write_due(), work()) == (0, 0)
    stranger.post(path, {"action": "again"})
    clock.shift(7 * 24 * 3600)
    assert (write_due(), work()) == (1, 1)


def test_a_member_who_unsubscribes_from_alerts_is_told_none_and_the_owners_hear_of_it(
    acme: Tenant, post: Post, stranger: Client
) -> None:
    channel = mailbox(acme, "ops@example.com")
    fire(acme)
    work()
    assert post.mails[0]["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    stranger.post(link(post.mails[0]), ONE_CLICK)
    now = again(channel)
    assert (now.enabled, now.disabled_because) == (False, "unsubscribed")
    work()
    assert post.recipients == ["ops@example.com", "owner@acme.example"]
    fire(acme, threshold=None)
    work()
    assert "ops@example.com" not in post.recipients[1:]
    assert post.mails[1]["Subject"].startswith(
        "[Acme] Channel disabled: Operations no longer receives alerts."
    )
    assert post.mails[1]["List-Unsubscribe"] is None


def test_nobody_but_its_owner_turns_an_address_on_again_after_it_unsubscribed(
    acme: Tenant, post: Post, stranger: Client
) -> None:
    channel = mailbox(acme, "ops@example.com")
    fire(acme)
    work()
    path = link(post.mails[0])
    stranger.post(path, ONE_CLICK)
    manager = acme.another_credential("Manages", scopes=["alerts:write", "usage:read"]).api
    address = f"/alerts/channels/{channel.pk}"
    refused = manager.call("PATCH", address, {"enabled": True})
    assert (refused.status, refused.body["code"]) == (409, "unconfirmed")
    assert manager.call("POST", f"{address}/test").body["code"] == "unconfirmed"
    assert manager.call("POST", f"{address}/confirmation").status == 202
    assert again(channel).disabled_because == "unconfirmed"
    work()
    confirm = next(mail for mail in post.mails if "confirm" in mail["Subject"])
    visitor = Client()
    assert visitor.get(link(confirm, "confirm-address")).status_code == 200
    assert not again(channel).enabled
    visitor.post(link(confirm, "confirm-address"))
    assert again(channel).enabled


def test_who_unsubscribed_by_mistake_takes_it_back_by_the_same_link(
    acme: Tenant, post: Post, stranger: Client
) -> None:
    channel = mailbox(acme, "ops@example.com")
    fire(acme)
    work()
    path = link(post.mails[0])
    assert "Subscribe again" in stranger.post(path).content.decode()
    assert "You are subscribed again" in stranger.post(path, {"action": "again"}).content.decode()
    assert again(channel).enabled


def test_an_external_address_gets_nothing_but_the_question_until_it_agrees(
    acme: Tenant, post: Post, stranger: Client
) -> None:
    channel = outside(acme)
    shown = acme.api.get(f"/alerts/channels/{channel.pk}").body
    assert (shown["enabled"], shown["disabledBecause"], shown["confirmedAt"]) == (False, "unconfirmed", None)
    fire(acme)
    work()
    (mail,) = [one for one in post.mails if one["To"] == OUTSIDE]
    assert (
        mail["Subject"].strip().startswith("[Acme] Please confirm: Acme wants to send its alerts and reports")
    )
    assert mail["List-Unsubscribe"] is None
    path = link(mail, "confirm-address")
    assert "Confirm this address" in stranger.get(path).content.decode()
    assert stranger.post(path).status_code == 403
    visitor = Client()
    assert "Address confirmed" in visitor.post(path).content.decode()
    assert "Address confirmed" in visitor.get(path).content.decode()
    fire(acme, threshold=None)
    work()
    assert post.recipients.count(OUTSIDE) == 2
    stranger.post(link(post.mails[-1]), ONE_CLICK)
    visitor.post(path)
    assert again(channel).disabled_because == "unsubscribed"


def test_a_link_to_confirm_works_for_seven_days_and_for_the_address_it_went_to(
    acme: Tenant, post: Post, clock: time_machine.Traveller
) -> None:
    channel = outside(acme)
    work()
    path = link(post.mails[0], "confirm-address")
    manager = acme.another_credential("Manages", scopes=["alerts:write", "usage:read"]).api
    assert (
        manager.call("PATCH", f"/alerts/channels/{channel.pk}", {"address": "new@outside.example"}).status
        == 200
    )
    visitor = Client()
    assert visitor.post(path).status_code == 404
    assert not again(channel).enabled
    work()
    path = link(post.mails[1], "confirm-address")
    clock.shift(7 * 24 * 3600 + 1)
    assert visitor.post(path).status_code == 404
    assert not again(channel).enabled


def test_an_old_addresss_link_does_not_unsubscribe_the_new_one(
    acme: Tenant, post: Post, stranger: Client
) -> None:
    channel = mailbox(acme, "ops@example.com")
    fire(acme)
    work()
    member(acme, "new@example.com")
    manager = acme.another_credential("Manages", scopes=["alerts:write"]).api
    manager.call("PATCH", f"/alerts/channels/{channel.pk}", {"address": "new@example.com"})
    assert again(channel).enabled
    page = stranger.post(link(post.mails[0]), ONE_CLICK)
    assert (page.status_code, again(channel).enabled) == (404, True)


@pytest.mark.parametrize(
    "change", [lambda path: f"{path[:-2]}/", lambda path: path.replace("/unsubscribe/", "/confirm-address/")]
)
def test_a_link_that_was_tampered_with_does_nothing(change: Any, acme: Tenant, post: Post) -> None:
    channel = mailbox(acme)
    fire(acme)
    work()
    path = change(link(post.mails[0]))
    for method in ("get", "post"):
        assert getattr(Client(), method)(path).status_code == 404
    assert again(channel).enabled


def test_who_manages_an_organization_without_channels_can_unsubscribe_from_its_alerts(
    acme: Tenant, post: Post, stranger: Client
) -> None:
    event = fire(acme)
    assert event is not None
    work()
    assert post.recipients == ["owner@acme.example"]
    path = link(post.mails[0])
    assert "sends you e-mails about its alerts" in stranger.get(path).content.decode()
    assert "no longer sends you e-mails about its alerts" in stranger.post(path, ONE_CLICK).content.decode()
    clear(acme, event)
    fire(acme, threshold=None)
    assert (work(), post.recipients) == (0, ["owner@acme.example"])
    stranger.post(path, {"action": "again"})
    fire(acme, threshold=Decimal(95))
    assert work() == 1


def test_who_left_the_organization_gets_no_report_and_finds_nothing_to_end(
    acme: Tenant, post: Post, stranger: Client, clock: time_machine.Traveller
) -> None:
    make_report(acme)
    clock.move_to(MONDAY)
    assert (write_due(), work()) == (1, 1)
    remove_member(organization_id=acme.id, user_id=member(acme, "ada@example.com").pk)
    assert "You are not told any more" in stranger.get(link(post.mails[0])).content.decode()
    clock.shift(7 * 24 * 3600)
    assert write_due() == 0


def test_confirmations_are_limited_as_tests_are(acme: Tenant) -> None:
    manager = acme.another_credential("Manages", scopes=["alerts:write"]).api
    made = [
        manager.call(
            "POST", "/alerts/channels", {"kind": "email", "name": "x", "address": f"{n}@outside.example"}
        ).status
        for n in range(21)
    ]
    assert made == [201] * 20 + [429]
    assert len(deliveries(acme, notice="confirmation")) == 20
    assert attempts(acme) == []
