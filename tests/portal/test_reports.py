"""Scheduled reports on the page of exports: seen, made, changed, sent, ended, and one's own subscription."""

from __future__ import annotations

from typing import Any

import pytest
import time_machine
from django.test import Client

from alerts.consent.services import mute
from alerts.models import Report
from organizations.models import Membership
from organizations.tenancy import tenant_scope
from tests.alerts.reports.reporting import make_report
from tests.alerts.telling import deliveries, mailbox, webhook
from tests.portal.pages import add_member, sign_in, signed_in, table, text
from tests.usage.factories import Tenant

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _nobody_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("alerts.deliveries.writing.tell", lambda *args, **options: True)


def terms(**changes: Any) -> dict[str, Any]:
    return {"name": "For the board", "cadence": "weekly", "hour": "8", "enabled": "on", **changes}


def only(tenant: Tenant) -> Report:
    with tenant_scope(tenant.id):
        return Report.objects.get()


def test_a_report_is_made_shown_changed_and_ended(
    acme: Tenant, member: Client, stopped_clock: time_machine.Traveller
) -> None:
    assert "No scheduled reports." in text(member.get("/exports/"))
    hook = webhook(acme, "https://hooks.example.com/1").channel
    reader = add_member(acme, "analyst")
    made = member.post(
        "/exports/reports/new/", terms(members=[reader.email], channels=[str(hook.pk)]), follow=True
    )
    assert "Report For the board scheduled." in text(made)
    (row,) = table(made, "reports")
    assert row[1] == "Mondays, 08:00<small>Next 20 Jul 2026, 08:00, for 13–19 Jul 2026</small>"
    assert f"{reader.email}<br>Hook" in row[2]
    path = f"/exports/reports/{only(acme).pk}/"
    assert f'value="{reader.email}" id="id_members_' in member.get(path).content.decode()
    changed = member.post(path, terms(cadence="monthly", hour="17", members=[reader.email]), follow=True)
    (row,) = table(changed, "reports")
    assert row[1] == "First of the month, 17:00<small>Next 1 Aug 2026, 17:00, for 1–31 Jul 2026</small>"
    assert "Hook" not in row[2]
    assert "Report deleted" in text(member.post(f"{path}end/", follow=True))
    assert "No scheduled reports." in text(member.get("/exports/"))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "Choose at least one recipient."),
        ({"members": ["nobody@example.com"]}, "nobody@example.com is not one of the available choices."),
        ({"hour": "24", "members": []}, "24 is not one of the available choices."),
        ({"name": ""}, "This field is required."),
    ],
)
def test_what_is_no_report_is_said_at_its_field(
    changes: dict[str, Any], said: str, acme: Tenant, member: Client
) -> None:
    answer = member.post("/exports/reports/new/", terms(**changes))
    assert (answer.status_code, said in text(answer)) == (422, True)


def test_one_is_sent_by_hand_to_who_asks(acme: Tenant) -> None:
    owner = add_member(acme)
    path = f"/exports/reports/{make_report(acme).pk}/send/"
    assert f"on its way to {owner.email}" in text(signed_in(owner).post(path, follow=True))
    (told,) = deliveries(acme)
    assert (told.notice, told.recipient, told.payload["data"]["isTest"]) == ("test", owner.email, True)


def test_who_may_not_change_reports_sees_their_own_and_ends_their_subscription(acme: Tenant) -> None:
    reader, other = add_member(acme, "analyst"), add_member(acme, "developer")
    report = make_report(acme, members=[reader.email])
    page = signed_in(reader).get("/exports/")
    (row,) = table(page, "reports")
    assert row[0] == "For the board"
    assert "End" not in text(page).partition("Scheduled reports")[2]
    assert "No scheduled reports." in text(signed_in(other).get("/exports/"))
    path = f"/exports/reports/{report.pk}/subscription/"
    assert "Subscribe again" in text(signed_in(reader).post(path, follow=True))
    assert "unsubscribed" in text(sign_in(acme).get("/exports/"))
    assert signed_in(other).post(path).status_code == 404
    assert "You are subscribed to the report again." in text(
        signed_in(reader).post(path, {"action": "again"}, follow=True)
    )


def test_who_unsubscribed_from_alerts_takes_it_back_there(acme: Tenant) -> None:
    owner = add_member(acme)
    assert "You unsubscribed from alert e-mails." not in text(signed_in(owner).get("/exports/"))
    with tenant_scope(acme.id):
        mute(Membership.objects.get(user=owner))
    assert "You unsubscribed from alert e-mails." in text(signed_in(owner).get("/exports/"))
    again = signed_in(owner).post("/exports/alert-mails/", follow=True)
    assert "You unsubscribed from alert e-mails." not in text(again)


def test_a_channel_whose_address_awaits_its_owner_can_be_asked_again_and_not_be_tested(
    acme: Tenant, member: Client
) -> None:
    made = member.post(
        "/alerts/channels/new/?kind=email",
        {"name": "Accountant", "target": "books@outside.example"},
        follow=True,
    )
    assert "A confirmation link was sent to the address." in text(made)
    assert "Unconfirmed" in text(made)
    assert "Send test" not in text(made)
    (first,) = deliveries(acme)
    asked = member.post(f"/alerts/channels/{first.channel_id}/confirm/", follow=True)
    assert "A confirmation link is on its way to the address." in text(asked)
    assert [one.notice for one in deliveries(acme)] == ["confirmation", "confirmation"]


def test_a_member_whose_channel_is_unsubscribed_turns_it_on_again_at_once(acme: Tenant) -> None:
    owner = add_member(acme)
    channel = mailbox(acme, owner.email)
    with tenant_scope(acme.id):
        type(channel).objects.filter(pk=channel.pk).update(
            enabled=False, disabled_because="unsubscribed", disabled_at=channel.created_at
        )
    answer = signed_in(owner).post(f"/alerts/channels/{channel.pk}/confirm/", follow=True)
    assert "Operations enabled." in text(answer)
