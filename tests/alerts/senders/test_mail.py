"""Mails through a real SMTP server."""

from __future__ import annotations

from typing import Any

import pytest
import time_machine

from tests.alerts.posting import Post, part
from tests.alerts.receivers import unused_port
from tests.alerts.telling import attempts, clear, delivery, fire, mailbox, work
from tests.usage.factories import Tenant

pytestmark = pytest.mark.django_db
CHART = {
    "points": [[f"2026-07-{day:02d}T00:00:00Z", str(day * 2)] for day in range(1, 16)],
    "threshold": "25",
    "unit": "USD",
    "timezone": "Europe/Berlin",
}


def test_an_event_arrives_as_text_and_html(
    acme: Tenant, post: Post, stopped_clock: time_machine.Traveller
) -> None:
    mailbox(acme, "ops@example.com")
    fire(acme)
    assert work() == 1
    (mail,) = post.mails
    assert post.recipients == ["ops@example.com"]
    assert mail["Subject"] == "[Acme] Warning: Spend has reached 80% of the limit."
    assert mail["From"] == "Headroom <headroom@mail.example>"
    assert mail["To"] == "ops@example.com"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Message-ID"] == f"<{delivery(acme).pk}@mail.example>"
    text = part(mail, "plain")
    for line in (
        "Spend has reached 80% of the limit.",
        "Organization: Acme",
        "Value: 81.25%",
        "Threshold: 80%",
        "Period: 1 Jul 2026, 00:00 UTC – 1 Aug 2026, 00:00 UTC",
        "Fired: 15 Jul 2026, 12:34 UTC",
        "Raise the limit, or look at what spends the most.",
    ):
        assert line in text
    html = part(mail, "html")
    assert "<h1" in html
    assert "Spend has reached 80% of the limit." in html
    assert html.count("http") == html.count("https://headroom.example/unsubscribe/") == 1
    (attempt,) = attempts(acme)
    assert (attempt.outcome, attempt.status) == ("delivered", 250)


def test_the_chart_is_an_image_inside_the_mail(acme: Tenant, post: Post) -> None:
    mailbox(acme)
    fire(acme, chart=CHART)
    work()
    (mail,) = post.mails
    assert mail.get_content_type() == "multipart/related"
    (image,) = [one for one in mail.walk() if one.get_content_type() == "image/png"]
    assert image["Content-ID"] == "<chart>"
    assert image.get_content_disposition() == "inline"
    assert bytes(image.get_payload(decode=True) or b"").startswith(b"\x89PNG")
    assert 'src="cid:chart"' in part(mail, "html")


def test_a_chart_that_cannot_be_drawn_keeps_no_mail_back(acme: Tenant, post: Post) -> None:
    mailbox(acme)
    fire(acme, chart={"points": [["yesterday", "much"]]})
    work()
    (mail,) = post.mails
    assert "cid:" not in part(mail, "html")


def test_what_an_organization_says_of_itself_is_text_and_no_header(acme: Tenant, post: Post) -> None:
    from organizations.services import rename

    rename(organization_id=acme.id, name="<b>Acme</b>")
    mailbox(acme)
    fire(acme, message="A line\r\nBcc: thief@example.com <script>alert(1)</script>")
    work()
    (mail,) = post.mails
    assert mail["Bcc"] is None
    assert post.recipients == ["ops@example.com"]
    assert mail["Subject"].startswith("[<b>Acme</b>] Warning: A line Bcc: thief@example.com")
    html = part(mail, "html")
    assert "<script>" not in html
    assert "&lt;b&gt;Acme&lt;/b&gt;" in html


def test_the_end_of_an_event_is_told_as_such(acme: Tenant, post: Post) -> None:
    mailbox(acme)
    event = fire(acme)
    assert event is not None
    work()
    clear(acme, event)
    work()
    assert post.mails[1]["Subject"] == "[Acme] Resolved: Spend has reached 80% of the limit."


def test_a_mailbox_that_does_not_exist_is_not_tried_again(acme: Tenant, post: Post) -> None:
    post.to_recipient = "550 No such mailbox"
    mailbox(acme)
    fire(acme)
    work()
    told = delivery(acme)
    assert (told.state, told.reason) == ("failed", "The mail server answered 550.")
    (attempt,) = attempts(acme)
    assert (attempt.status, attempt.response) == (550, "No such mailbox")


@pytest.mark.parametrize(
    ("to_recipient", "to_message", "status", "state"),
    [
        ("451 Come back later", "250 Kept", 451, "pending"),
        ("", "451 Come back later", 451, "pending"),
        ("", "554 No", 554, "failed"),
    ],
)
def test_what_is_refused_for_now_is_tried_again_and_what_is_refused_for_good_is_not(
    to_recipient: str, to_message: str, status: int, state: str, acme: Tenant, post: Post
) -> None:
    post.to_recipient, post.to_message = to_recipient, to_message
    mailbox(acme)
    fire(acme)
    work()
    assert (attempts(acme)[0].status, delivery(acme).state) == (status, state)


def test_a_mail_server_that_is_away_is_tried_again(acme: Tenant, post: Post, settings: Any) -> None:
    settings.EMAIL_PORT = unused_port()
    mailbox(acme)
    fire(acme)
    work()
    assert attempts(acme)[0].error.startswith("The mail server can't be reached")
    assert delivery(acme).state == "pending"


def test_without_a_mail_server_it_is_said_that_there_is_none(acme: Tenant, settings: Any) -> None:
    settings.EMAIL_HOST = ""
    mailbox(acme)
    fire(acme)
    work()
    assert attempts(acme)[0].error == "There is no mail server: EMAIL_URL is not set."
    assert delivery(acme).state == "pending"
