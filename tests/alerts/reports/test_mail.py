"""Reports by mail through a real SMTP server, and what chats and webhooks get of them."""

from __future__ import annotations

import re
from email.message import EmailMessage
from html import unescape
from typing import Any

import pytest
import time_machine

from alerts.reports.writing import write_due
from alerts.senders.words import words
from organizations.services import rename
from tests.alerts.posting import Post, part
from tests.alerts.receivers import Receiver
from tests.alerts.reports.reporting import MONDAY, make_report, use
from tests.alerts.telling import deliveries, mailbox, webhook, work
from tests.billing.spending import limit_to
from tests.usage.factories import Tenant, make_tenant
from usage import partitions

pytestmark = pytest.mark.django_db


@pytest.fixture
def clock() -> Any:
    partitions.forget()
    with time_machine.travel(MONDAY.replace(day=1), tick=False) as traveller:
        yield traveller


@pytest.fixture
def acme(db: None, clock: time_machine.Traveller) -> Tenant:
    tenant = make_tenant("Acme", timezone="Europe/Berlin", currency="EUR")
    rename(organization_id=tenant.id, name="Acme & Sons")
    return tenant


def sent(tenant: Tenant, clock: time_machine.Traveller, **terms: Any) -> None:
    make_report(tenant, **terms)
    clock.move_to(MONDAY if terms.get("cadence") != "monthly" else MONDAY.replace(month=8, day=1))
    assert write_due() == 1
    assert work() == 1


def text_of(mail: EmailMessage) -> str:
    """Return the words of the HTML part."""
    html = part(mail, "html").partition("<body")[2]
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", html)).split())


def test_a_weekly_report_arrives_as_text_as_html_and_with_its_chart_inside(
    acme: Tenant, post: Post, clock: time_machine.Traveller
) -> None:
    clock.move_to(MONDAY)
    use(acme, 21, other=acme.another_credential("Batch <jobs>"))
    limit_to(acme, 100)
    clock.move_to(MONDAY.replace(day=7))
    sent(acme, clock)
    (mail,) = post.mails
    assert post.recipients == ["ada@example.com"]
    assert mail["Subject"].strip() == "[Acme & Sons] Weekly report, 6–12 Jul 2026"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Message-ID"] == f"<{deliveries(acme)[0].pk}@mail.example>"
    assert [one.get_content_type() for one in mail.walk()] == [
        "multipart/related",
        "multipart/alternative",
        "text/plain",
        "text/html",
        "image/png",
    ]
    assert {one.get_content_charset() for one in mail.walk() if one.get_content_maintype() == "text"} == {
        "utf-8"
    }
    (image,) = [one for one in mail.walk() if one.get_content_type() == "image/png"]
    assert (image["Content-ID"], image.get_content_disposition()) == ("<chart>", "inline")
    assert bytes(image.get_payload(decode=True) or b"").startswith(b"\x89PNG")
    html, text = part(mail, "html"), part(mail, "plain")
    assert 'src="cid:chart"' in html
    assert (
        'alt="Cost by day, 6–12 Jul 2026, beside the week before: at most 8.50 EUR, on 10 Jul 2026."' in html
    )
    assert "Batch &lt;jobs&gt;" in html
    for said in (text, text_of(mail)):
        plain = " ".join(said.split())
        for fact in (
            "Compared with 29 Jun – 5 Jul 2026",
            "Requests",
            "22",
            "+57%",
            "17.50 EUR",
            "Batch <jobs>",
            "+7.00 EUR, new",
            "claude-sonnet-4",
            "Cost to expect, 13–19 Jul 2026",
            "four times in five between",
            "Spend limit",
            "of 100.00 EUR spent",
            "It is the report “For the board” of Acme & Sons.",
        ):
            assert fact in plain, fact


def test_who_gets_a_report_can_unsubscribe_with_one_click(
    acme: Tenant, post: Post, clock: time_machine.Traveller
) -> None:
    sent(acme, clock)
    (mail,) = post.mails
    link = mail["List-Unsubscribe"].strip().removeprefix("<").removesuffix(">")
    assert link.startswith("https://headroom.example/unsubscribe/")
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert f'href="{link}"' in part(mail, "html")
    assert f"Unsubscribe: {link}" in part(mail, "plain")


def test_a_monthly_report_of_nothing_says_so(acme: Tenant, post: Post, clock: time_machine.Traveller) -> None:
    sent(acme, clock, cadence="monthly")
    (mail,) = post.mails
    assert mail["Subject"].strip() == "[Acme & Sons] Monthly report, 1–31 Jul 2026"
    assert "Cost by day" not in text_of(mail)
    assert 'alt="Requests by day, 1–31 Jul 2026: nothing."' in part(mail, "html")


def test_a_report_by_an_unencrypted_portal_promises_no_one_click(
    acme: Tenant, post: Post, clock: time_machine.Traveller, settings: Any
) -> None:
    settings.PUBLIC_URL = "http://localhost:8000"
    sent(acme, clock)
    (mail,) = post.mails
    assert mail["List-Unsubscribe"].strip().startswith("<http://localhost:8000/unsubscribe/")
    assert mail["List-Unsubscribe-Post"] is None


def test_a_webhook_gets_the_figures_typed_and_signed(
    acme: Tenant, receiver: Receiver, clock: time_machine.Traveller
) -> None:
    made = webhook(acme, receiver.url)
    sent(acme, clock, channels=[made.channel.pk])
    (received,) = receiver.received
    message = received.verified(made.secret or "")
    assert message["type"] == "report.weekly"
    assert message["timestamp"] == "2026-07-13T06:00:00Z"
    assert message["data"]["figures"]["requests"] == {"value": 0, "before": 0, "change": None}
    assert len(message["data"]["daily"]) == 7


def test_a_chat_gets_the_same_in_words(acme: Tenant, clock: time_machine.Traveller) -> None:
    clock.move_to(MONDAY)
    use(acme, 21)
    clock.move_to(MONDAY.replace(day=7))
    channel = mailbox(acme)
    make_report(acme, channels=[channel.pk])
    clock.move_to(MONDAY)
    assert write_due() == 1
    said = words(deliveries(acme)[0].payload)
    assert said.title == "Weekly report, 6–12 Jul 2026"
    assert said.message == "Acme & Sons, 6–12 Jul 2026: 21 requests (+50%) for 10.50 EUR (+50%)."
    assert "Active keys: 1 (no change)" in said.text
    assert "Models, by cost: gpt-4o 7.00 EUR (+3.50 EUR)" in said.text
