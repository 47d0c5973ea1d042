"""Services that apprise speaks to: every request through the guard, none beside it."""

from __future__ import annotations

import json
from ipaddress import ip_network
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from alerts.channels.services import create_channel
from alerts.models import Kind
from alerts.outbound import Answer, Exchange, Unanswered
from alerts.senders import chat
from organizations.tenancy import tenant_scope
from tests.alerts.receivers import Receiver, receiving, status
from tests.alerts.telling import attempts, clear, delivery, fire, work
from tests.usage.factories import Tenant

pytestmark = pytest.mark.django_db
TEAMS = (
    "https://prod-1.westeurope.logic.azure.com:443/workflows/643e69f83c8944f2a5a0b2d1c7e5f0a1"
    "/triggers/manual/paths/invoke?api-version=2016-06-01&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0"
    "&sig=KODuebWbDGYFr0z0eu-6Rj8aUKz7108W3wrNJZxFE5A"
)
WELCOMES = {
    "hooks.slack.com": (200, b"ok"),
    "api.opsgenie.com": (202, b'{"result": "Request will be processed", "requestId": "1"}'),
}
SLACK = "https://hooks.slack.com/services/T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ"
ADDRESSES = {
    Kind.SLACK: (SLACK, "hooks.slack.com"),
    Kind.TEAMS: (TEAMS, "prod-1.westeurope.logic.azure.com"),
    Kind.DISCORD: ("https://discord.com/api/webhooks/000000000000000000/" + "a" * 64, "discord.com"),
    Kind.PAGERDUTY: (f"pagerduty://{'b' * 32}@{'c' * 20}", "events.pagerduty.com"),
    Kind.OPSGENIE: ("opsgenie://12345678-1234-1234-1234-123456789012", "api.opsgenie.com"),
    Kind.MATTERMOST: ("mmosts://chat.example.com/token3token3token3token3", "chat.example.com"),
    Kind.GOOGLE_CHAT: (
        "https://chat.googleapis.com/v1/spaces/room/messages?key=thekey&token=thetoken",
        "chat.googleapis.com",
    ),
    Kind.TELEGRAM: ("tgram://123456789:abcdefghijklmnopqrstuvwxyzABCDEFGHI/12315544", "api.telegram.org"),
    Kind.NTFY: ("ntfys://ntfy.example.com/alerts", "ntfy.example.com"),
    Kind.PUSHOVER: (f"pover://{'u' * 30}@{'t' * 30}", "api.pushover.net"),
}  # fmt: skip


@pytest.fixture(autouse=True)
def _no_other_way(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: Any, **options: Any) -> None:
        raise AssertionError("a request went past the guard")

    monkeypatch.setattr(requests.adapters.HTTPAdapter, "send", refuse)
    monkeypatch.setattr("urllib3.connection.HTTPConnection.connect", refuse)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Exchange]:
    """What the guard was asked to do; everything is answered with success."""
    exchanges: list[Exchange] = []

    def answer(asked: Exchange, *, allowed: Any) -> Answer:
        exchanges.append(asked)
        code, body = WELCOMES.get(urlsplit(asked.url).hostname or "", (200, b'{"ok": true, "status": 1}'))
        return Answer(code, {"content-type": "application/json"}, body)

    monkeypatch.setattr(chat, "exchange", answer)
    return exchanges


def channel(tenant: Tenant, kind: str, url: str) -> None:
    with tenant_scope(tenant.id):
        create_channel(organization_id=tenant.id, kind=kind, name="Chat", url=url)


def test_every_service_has_an_address_to_try() -> None:
    assert ADDRESSES.keys() == chat.SERVICES.keys() == set(Kind) - {Kind.EMAIL, Kind.WEBHOOK}


@pytest.mark.parametrize("kind", list(ADDRESSES))
def test_a_service_is_told_through_the_guard_alone(kind: Kind, acme: Tenant, asked: list[Exchange]) -> None:
    url, host = ADDRESSES[kind]
    channel(acme, kind, url)
    fire(acme)
    assert work() == 1
    assert [urlsplit(one.url).hostname for one in asked] == [host]
    assert [one.url.partition(":")[0] for one in asked] == ["https"]
    sent = asked[0].body.decode() + json.dumps(dict(asked[0].headers))
    assert "Spend has reached 80" in sent.replace("%20", " ").replace("+", " ")
    assert delivery(acme).state == "delivered", attempts(acme)[0].error


@pytest.mark.parametrize("kind", list(ADDRESSES))
@pytest.mark.parametrize(
    "option", ["template=/etc/passwd", "redirect=yes", "verify=no", "attach=/etc/passwd"]
)
def test_options_that_loosen_or_read_files_are_refused(kind: Kind, option: str) -> None:
    url, _ = ADDRESSES[kind]
    with pytest.raises(chat.NotAnAddress, match="is not accepted here"):
        chat.check(kind, f"{url}{'&' if '?' in url else '?'}{option}")


@pytest.mark.parametrize("kind", list(ADDRESSES))
@pytest.mark.parametrize(
    "url", ["json://127.0.0.1/", "file:///etc/passwd", "https://example.com/hook", "syslog://", "dbus://", ""]
)
def test_an_address_of_anything_else_is_refused(kind: Kind, url: str) -> None:
    with pytest.raises(chat.NotAnAddress, match="Must be an address such as"):
        chat.check(kind, url)


def test_the_events_of_one_incident_are_one_incident_and_resolve_it(
    acme: Tenant, asked: list[Exchange]
) -> None:
    channel(acme, Kind.PAGERDUTY, ADDRESSES[Kind.PAGERDUTY][0])
    event = fire(acme)
    assert event is not None
    work()
    clear(acme, event)
    work()
    bodies = [json.loads(one.body) for one in asked]
    assert [(body["event_action"], body["dedup_key"]) for body in bodies] == [
        ("trigger", str(event.pk)),
        ("resolve", str(event.pk)),
    ]


def test_a_host_on_a_private_network_is_not_asked_by_a_service_either(acme: Tenant, settings: Any) -> None:
    settings.ALERT_ALLOWED_NETWORKS = [ip_network("127.0.0.0/8")]
    with receiving() as private:
        channel(acme, Kind.MATTERMOST, f"mmost://127.0.0.1:{private.port}/token3token3token3token3")
        fire(acme)
        settings.ALERT_ALLOWED_NETWORKS = []
        work()
        assert private.received == []
    assert attempts(acme)[0].error == "127.0.0.1 leads to 127.0.0.1, where no request may go."


def test_what_a_service_answers_is_seen(acme: Tenant, receiver: Receiver) -> None:
    receiver.then(status(302, b"elsewhere", Location="http://127.0.0.1:1/"))
    channel(acme, Kind.MATTERMOST, f"mmost://127.0.0.1:{receiver.port}/token3token3token3token3")
    fire(acme)
    work()
    (attempt,) = attempts(acme)
    assert (attempt.status, attempt.response, attempt.outcome) == (302, "elsewhere", "failed")
    assert len(receiver.received) == 1
    assert delivery(acme).state == "pending"


def test_a_service_that_is_gone_disables_its_channel(acme: Tenant, receiver: Receiver) -> None:
    receiver.then(status(410))
    channel(acme, Kind.NTFY, f"ntfy://127.0.0.1:{receiver.port}/alerts")
    fire(acme)
    work()
    assert delivery(acme, notice="fired").state == "failed"
    assert delivery(acme, notice="channelDisabled").recipient == "owner@acme.example"


def test_a_service_that_accepts_in_form_and_refuses_in_words_has_failed(
    acme: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, _ = ADDRESSES[Kind.SLACK]
    monkeypatch.setattr(chat, "exchange", lambda asked, *, allowed: Answer(200, {}, b"invalid_token"))
    channel(acme, Kind.SLACK, url)
    fire(acme)
    work()
    (attempt,) = attempts(acme)
    assert (attempt.outcome, attempt.response) == ("failed", "invalid_token")
    assert attempt.error == "The service answered that it did not accept this."


def test_a_service_that_does_not_answer_is_said(acme: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(asked: Exchange, *, allowed: Any) -> Answer:
        raise Unanswered("No answer within 20 seconds.")

    monkeypatch.setattr(chat, "exchange", fail)
    channel(acme, Kind.SLACK, ADDRESSES[Kind.SLACK][0])
    fire(acme)
    work()
    assert attempts(acme)[0].error == "No answer within 20 seconds."


def test_the_stand_in_for_requests_has_no_way_around_the_guard() -> None:
    guarded = chat._GuardedRequests()
    for name in ("Session", "adapters", "sessions", "api", "packages"):
        with pytest.raises(AttributeError, match="not guarded"):
            getattr(guarded, name)
    assert guarded.codes is requests.codes


def test_nothing_that_is_logged_has_the_address_in_it(
    acme: Tenant, asked: list[Exchange], caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level("DEBUG")
    channel(acme, Kind.SLACK, ADDRESSES[Kind.SLACK][0])
    fire(acme)
    work()
    out, err = capfd.readouterr()
    assert "TIiajkdnlazkcOXrIdevi7FQ" not in caplog.text + out + err
