"""Deliveries to webhooks that answer, fail, hang, redirect, are gone or are down for hours."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
import time_machine

from alerts.channels.services import change_channel, delete_channel, rotate_secret
from alerts.deliveries.record import record
from alerts.deliveries.schedule import DELAYS
from organizations.models import Membership, User
from organizations.roles import Role
from organizations.tenancy import system_scope, tenant_scope
from tests.alerts.receivers import Receiver, receiving, status, unused_port
from tests.alerts.telling import again, attempts, clear, deliveries, delivery, fire, webhook, work
from tests.usage.factories import NOW, Tenant

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("stopped_clock")]


@pytest.fixture(autouse=True)
def _no_jitter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("random.random", lambda: 0.0)


def go_on(clock: time_machine.Traveller, delay: timedelta) -> int:
    """Let time pass, and a worker take its turn."""
    clock.shift(delay)
    return work()


def test_an_event_arrives_signed_and_is_what_happened(acme: Tenant, receiver: Receiver) -> None:
    made = webhook(acme, receiver.url)
    event = fire(acme)
    assert event is not None
    assert work() == 1
    (received,) = receiver.received
    assert received.verified(made.secret or "") == {
        "type": "alert.fired",
        "timestamp": "2026-07-15T12:34:56.789012Z",
        "data": {
            "id": str(event.pk),
            "rule": "11111111-1111-4111-8111-111111111111",
            "ruleName": "",
            "severity": "warning",
            "metric": "cost",
            "scope": {"kind": "organization"},
            "unit": "percent",
            "threshold": "80",
            "value": "81.25",
            "period": {"from": "2026-07-01T00:00:00Z", "to": "2026-08-01T00:00:00Z"},
            "message": "Spend has reached 80% of the limit.",
            "recommendation": "Raise the limit, or look at what spends the most.",
            "firedAt": "2026-07-15T12:34:56.789012Z",
            "resolvedAt": None,
            "organization": {"slug": "acme", "name": "Acme", "timezone": "UTC"},
        },
    }
    assert received.headers["content-type"] == "application/json"
    assert received.headers["webhook-timestamp"] == str(int(NOW.timestamp()))
    told = delivery(acme)
    assert received.message_id == f"msg_{told.pk.hex}"
    assert (told.state, told.attempt_count, told.finished_at) == ("delivered", 1, NOW)
    (attempt,) = attempts(acme)
    assert (attempt.number, attempt.outcome, attempt.status, attempt.error) == (1, "delivered", 204, "")
    assert again(made.channel).delivered_at == NOW
    assert work() == 0


def test_the_end_of_an_event_is_told_to_whoever_was_told_of_it(acme: Tenant, receiver: Receiver) -> None:
    webhook(acme, receiver.url)
    event = fire(acme)
    assert event is not None
    webhook(acme, receiver.url, name="Later")
    assert clear(acme, event) is not None
    assert work() == 2
    assert [one.path for one in receiver.received] == ["/hook", "/hook"]
    assert {one.notice for one in deliveries(acme)} == {"fired", "resolved"}
    assert {one.channel_name for one in deliveries(acme)} == {"Hook"}
    assert clear(acme, event) is None


def test_a_receiver_that_fails_is_tried_again_by_the_schedule_with_the_same_id(
    acme: Tenant, receiver: Receiver, stopped_clock: time_machine.Traveller
) -> None:
    made = webhook(acme, receiver.url)
    receiver.then(status(500, b"boom"))
    fire(acme)
    assert work() == 1
    for delay in DELAYS[:4]:
        assert go_on(stopped_clock, delay - timedelta(seconds=1)) == 0
        assert go_on(stopped_clock, timedelta(seconds=1)) == 1
    receiver.then(status(200))
    assert go_on(stopped_clock, DELAYS[4]) == 1

    assert len(set(receiver.ids)) == 1
    assert [one.number for one in attempts(acme)] == [1, 2, 3, 4, 5, 6]
    assert [(one.outcome, one.status, one.response) for one in attempts(acme)] == [
        *[("failed", 500, "boom")] * 5,
        ("delivered", 200, ""),
    ]
    assert receiver.received[-1].verified(made.secret or "")["type"] == "alert.fired"
    stamps = [int(one.headers["webhook-timestamp"]) for one in receiver.received]
    assert [later - earlier for earlier, later in pairwise(stamps)] == [
        int(delay.total_seconds()) for delay in DELAYS[:5]
    ]
    assert again(made.channel).failing_since is None


def test_a_receiver_that_was_down_for_hours_gets_everything_when_it_is_back(
    acme: Tenant, this_machine: None, stopped_clock: time_machine.Traveller
) -> None:
    port = unused_port()
    made = webhook(acme, f"http://127.0.0.1:{port}/hook")
    fire(acme)
    fire(acme, threshold=Decimal(95))
    assert work() == 2
    for delay in DELAYS[:4]:
        assert go_on(stopped_clock, delay) == 2
    assert {one.error for one in attempts(acme)} == {"[Errno 111] Connection refused."}
    assert again(made.channel).failing_since == NOW

    with receiving() as receiver:
        with tenant_scope(acme.id):
            change_channel(organization_id=acme.id, channel_id=made.channel.pk, url=receiver.url)
        assert go_on(stopped_clock, DELAYS[4]) == 2
        assert len(set(receiver.ids)) == 2
        assert all(one.verified(made.secret or "") for one in receiver.received)
    assert {one.state for one in deliveries(acme)} == {"delivered"}


def test_a_receiver_that_hangs_is_left_and_tried_again(
    acme: Tenant, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("alerts.senders.webhook.SECONDS", 0.3)
    webhook(acme, receiver.url)
    receiver.then(receiver.hang)
    fire(acme)
    assert work() == 1
    (attempt,) = attempts(acme)
    assert (attempt.outcome, attempt.status, attempt.error) == (
        "failed",
        None,
        "No answer within 0.3 seconds.",
    )
    assert delivery(acme).state == "pending"


def test_one_receiver_that_hangs_keeps_no_other_waiting(
    acme: Tenant, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    webhook(acme, receiver.url, name="Quick")
    with receiving() as slow:
        slow.then(slow.hang)
        webhook(acme, slow.url, name="Slow")
        fire(acme)
        monkeypatch.setattr("alerts.senders.webhook.SECONDS", 3.0)
        seen: list[str] = []

        def note(job: Any, result: Any, *, duration_ms: int) -> bool:
            seen.append("delivered" if result.delivered else "failed")
            slow.released.set()
            return record(job, result, duration_ms=duration_ms)

        monkeypatch.setattr("alerts.deliveries.run.record", note)
        assert work() == 2
    assert seen[0] == "delivered"


def test_a_redirection_is_a_failure_and_is_not_followed(acme: Tenant, receiver: Receiver) -> None:
    webhook(acme, receiver.url)
    receiver.then(status(307, Location=f"http://127.0.0.1:{receiver.port}/elsewhere"))
    fire(acme)
    work()
    (attempt,) = attempts(acme)
    assert (attempt.status, attempt.error) == (
        307,
        "The receiver answered 307; redirections are not followed.",
    )
    assert [one.path for one in receiver.received] == ["/hook"]
    assert delivery(acme).due_at == NOW + timedelta(seconds=5)


def test_a_receiver_that_asks_for_time_is_given_it(acme: Tenant, receiver: Receiver) -> None:
    webhook(acme, receiver.url)
    receiver.then(status(429, Retry_After="90"))
    fire(acme)
    work()
    assert delivery(acme).due_at == NOW + timedelta(seconds=90)


def test_410_disables_the_channel_and_tells_the_owners(acme: Tenant, receiver: Receiver) -> None:
    made = webhook(acme, receiver.url)
    receiver.then(status(410))
    fire(acme)
    fire(acme, threshold=Decimal(95))
    work()
    channel = again(made.channel)
    assert (channel.enabled, channel.disabled_because, channel.disabled_at) == (False, "gone", NOW)
    assert len(receiver.received) <= 2
    notices = deliveries(acme, notice="channelDisabled")
    assert [one.recipient for one in notices] == ["owner@acme.example"]
    assert notices[0].payload["data"]["channel"] == {
        "id": str(channel.pk),
        "kind": "webhook",
        "name": "Hook",
    }
    assert {one.state for one in deliveries(acme, notice="fired")} <= {"failed", "cancelled"}
    fire(acme, threshold=Decimal(100))
    last = deliveries(acme, notice="fired")
    assert sorted(one.recipient for one in last) == ["", "", "owner@acme.example"]


def test_after_failing_for_days_the_channel_is_disabled_and_every_owner_told_once(
    acme: Tenant, receiver: Receiver, stopped_clock: time_machine.Traveller
) -> None:
    with system_scope():
        second = User.objects.create(email="second@acme.example", password="!")
        Membership.objects.create(organization=acme.organization, user=second, role=Role.OWNER)
        analyst = User.objects.create(email="analyst@acme.example", password="!")
        Membership.objects.create(organization=acme.organization, user=analyst, role=Role.ANALYST)
    made = webhook(acme, receiver.url)
    receiver.then(status(503))
    fire(acme)
    work()
    for delay in DELAYS[:-1]:
        assert go_on(stopped_clock, delay) == 1
    assert again(made.channel).enabled
    fire(acme, threshold=Decimal(95))
    assert work() == 1
    for delay in DELAYS[:6]:
        assert go_on(stopped_clock, delay) == 1
    go_on(stopped_clock, DELAYS[-1] - sum(DELAYS[:6], timedelta()))
    channel = again(made.channel)
    assert (channel.enabled, channel.disabled_because) == (False, "failing")
    assert sorted(one.recipient for one in deliveries(acme, notice="channelDisabled")) == [
        "owner@acme.example",
        "second@acme.example",
    ]
    by_threshold = {one.payload["data"]["threshold"]: one for one in deliveries(acme, notice="fired")}
    first, other = by_threshold["80"], by_threshold["95"]
    assert (first.state, first.attempt_count, first.reason) == ("failed", 10, "The receiver answered 503.")
    assert (other.state, other.reason) == ("cancelled", "The channel was disabled.")


def test_one_success_in_between_begins_the_count_anew(
    acme: Tenant, receiver: Receiver, stopped_clock: time_machine.Traveller
) -> None:
    made = webhook(acme, receiver.url)
    receiver.then(status(500), status(200))
    fire(acme)
    work()
    assert again(made.channel).failing_since == NOW
    go_on(stopped_clock, DELAYS[0])
    assert again(made.channel).failing_since is None


def test_for_a_day_after_a_rotation_either_secret_verifies(
    acme: Tenant, receiver: Receiver, stopped_clock: time_machine.Traveller
) -> None:
    made = webhook(acme, receiver.url)
    with tenant_scope(acme.id):
        rotated = rotate_secret(organization_id=acme.id, channel_id=made.channel.pk)
    old, new = made.secret or "", rotated.secret or ""
    assert old != new
    fire(acme)
    work()
    assert receiver.received[0].verified(old) == receiver.received[0].verified(new)
    stopped_clock.shift(timedelta(hours=24))
    fire(acme, threshold=Decimal(95))
    work()
    assert receiver.received[1].verified(new)
    with pytest.raises(Exception, match="No matching signature"):
        receiver.received[1].verified(old)


def test_what_is_pending_for_a_deleted_channel_is_cancelled_and_stays_to_be_read(
    acme: Tenant, receiver: Receiver
) -> None:
    made = webhook(acme, receiver.url)
    fire(acme)
    with tenant_scope(acme.id):
        delete_channel(organization_id=acme.id, channel_id=made.channel.pk)
    assert work() == 0
    told = delivery(acme)
    assert (told.state, told.reason, told.channel_id) == ("cancelled", "The channel was deleted.", None)
    assert (told.channel_kind, told.channel_name) == ("webhook", "Hook")
    assert receiver.received == []


def test_a_receiver_on_a_private_network_is_not_asked(
    acme: Tenant, receiver: Receiver, settings: Any
) -> None:
    webhook(acme, receiver.url)
    fire(acme)
    settings.ALERT_ALLOWED_NETWORKS = []
    work()
    (attempt,) = attempts(acme)
    assert attempt.error == "127.0.0.1 leads to 127.0.0.1, where no request may go."
    assert receiver.received == []


def test_a_fault_of_ours_is_an_attempt_that_failed_and_says_nothing_of_the_address(
    acme: Tenant, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_down(job: Any) -> None:
        raise RuntimeError(f"secret {job.target}")

    webhook(acme, receiver.url)
    fire(acme)
    monkeypatch.setattr("alerts.deliveries.run.send", break_down)
    work()
    (attempt,) = attempts(acme)
    assert (attempt.outcome, attempt.error) == ("failed", "Something went wrong on our side.")
    assert delivery(acme).due_at == NOW + timedelta(seconds=5)


def test_answers_that_are_no_text_can_be_kept(acme: Tenant, receiver: Receiver) -> None:
    webhook(acme, receiver.url)
    receiver.then(status(400, b"\x00\xff" * 600))
    fire(acme)
    work()
    (attempt,) = attempts(acme)
    assert len(attempt.response) == 500
    assert "\x00" not in attempt.response


def test_a_moment_is_when_it_says(acme: Tenant, receiver: Receiver) -> None:
    webhook(acme, receiver.url)
    fire(acme, fired_at=datetime.fromisoformat("2026-07-15T12:00:00+02:00"))
    work()
    assert delivery(acme).payload["data"]["firedAt"] == "2026-07-15T10:00:00Z"
