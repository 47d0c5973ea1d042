"""Several workers at once, and workers that are lost: nothing is lost with them, little is repeated."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.db import DatabaseError, OperationalError, connections

from alerts.deliveries import run
from alerts.deliveries.claim import LEASE, OF_A_LANE, claim
from alerts.deliveries.record import record
from alerts.models import Delivery, DeliveryState
from alerts.senders import Job, Result
from organizations.tenancy import system_scope, tenant_scope
from tests.alerts.receivers import Receiver, receiving, status
from tests.alerts.telling import attempts, deliveries, delivery, fire, webhook, work
from tests.usage.factories import Tenant, make_tenant

pytestmark = pytest.mark.django_db(transaction=True)


class Killed(BaseException):
    """What becomes of a worker whose machine is gone."""


def in_threads(count: int, task: Callable[[], Any]) -> list[Any]:
    """Run a task several times at once, each with a connection of its own."""
    start = threading.Barrier(count)

    def one() -> Any:
        start.wait()
        try:
            return task()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(count) as pool:
        return [future.result() for future in [pool.submit(one) for _ in range(count)]]


@pytest.fixture
def acme(transactional_db: None) -> Tenant:
    return make_tenant("Acme")


def test_workers_at_once_send_everything_once(acme: Tenant, receiver: Receiver) -> None:
    for number in range(5):
        webhook(acme, receiver.url, name=f"Hook {number}")
    for threshold in range(6):
        fire(acme, threshold=Decimal(threshold))
    taken = in_threads(4, work)
    assert sum(taken) == 30
    assert len(receiver.ids) == len(set(receiver.ids)) == 30
    assert {one.state for one in deliveries(acme)} == {"delivered"}
    assert [one.number for one in attempts(acme)] == [1] * 30


def test_of_workers_that_claim_at_once_each_gets_others(acme: Tenant, receiver: Receiver) -> None:
    for number in range(6):
        webhook(acme, receiver.url, name=f"Hook {number}")
    for threshold in range(4):
        fire(acme, threshold=Decimal(threshold))
    claimed = [job.delivery_id for jobs in in_threads(4, claim) for job in jobs]
    assert len(claimed) == len(set(claimed))
    assert len(claimed) >= 16


def test_a_receiver_is_given_turns_so_that_its_backlog_keeps_no_other_waiting(
    acme: Tenant, receiver: Receiver
) -> None:
    webhook(acme, receiver.url, name="Busy")
    for threshold in range(20):
        fire(acme, threshold=Decimal(threshold))
    webhook(acme, receiver.url, name="Other")
    fire(acme, threshold=Decimal(99))
    with system_scope():
        names = list(
            Delivery.objects.filter(pk__in=[job.delivery_id for job in claim()]).values_list(
                "channel_name", flat=True
            )
        )
    assert sorted(names) == ["Busy"] * OF_A_LANE + ["Other"]


def test_a_worker_lost_before_it_sent_loses_nothing(
    acme: Tenant, receiver: Receiver, stopped_clock: time_machine.Traveller
) -> None:
    webhook(acme, receiver.url)
    fire(acme)
    assert len(claim()) == 1
    assert work() == 0
    stopped_clock.shift(LEASE - timedelta(seconds=1))
    assert work() == 0
    stopped_clock.shift(timedelta(seconds=1))
    assert work() == 1
    assert len(receiver.received) == 1
    assert [(one.number, one.outcome) for one in attempts(acme)] == [(1, "lost"), (2, "delivered")]


def test_a_worker_lost_after_it_sent_repeats_the_same_message_once(
    acme: Tenant,
    receiver: Receiver,
    stopped_clock: time_machine.Traveller,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    webhook(acme, receiver.url)
    fire(acme)

    def die(job: Job, result: Result, *, duration_ms: int) -> bool:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(run, "record", die)
        with pytest.raises(Killed):
            work()
    assert len(receiver.received) == 1
    assert delivery(acme).state == DeliveryState.PENDING
    stopped_clock.shift(LEASE)
    assert work() == 1
    assert work() == 0
    assert len(receiver.ids) == 2
    assert len(set(receiver.ids)) == 1
    assert receiver.received[0].body == receiver.received[1].body
    assert delivery(acme).state == DeliveryState.DELIVERED


def test_a_worker_that_comes_back_after_its_lease_changes_nothing(
    acme: Tenant, receiver: Receiver, stopped_clock: time_machine.Traveller
) -> None:
    webhook(acme, receiver.url)
    fire(acme)
    (late,) = claim()
    stopped_clock.shift(LEASE)
    assert work() == 1
    before = delivery(acme)
    assert record(late, Result(delivered=False, status=500), duration_ms=1) is False
    after = delivery(acme)
    assert (after.state, after.attempt_count, after.finished_at) == ("delivered", 2, before.finished_at)
    assert [one.outcome for one in attempts(acme)] == ["lost", "delivered"]


def test_a_delivery_whose_workers_are_always_lost_is_given_up_in_the_end(
    acme: Tenant, receiver: Receiver, stopped_clock: time_machine.Traveller
) -> None:
    webhook(acme, receiver.url)
    fire(acme)
    for _ in range(10):
        assert len(claim()) == 1
        stopped_clock.shift(LEASE)
    assert claim() == []
    told = delivery(acme)
    assert (told.state, told.reason, told.attempt_count) == ("failed", "Its workers were lost too often.", 10)
    assert {one.outcome for one in attempts(acme)} == {"lost"}


def test_a_result_that_cannot_be_kept_takes_no_other_with_it(
    acme: Tenant, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("One", "Two", "Three"):
        webhook(acme, receiver.url, name=name)
    fire(acme)
    refused: list[Job] = []

    def keep(job: Job, result: Result, *, duration_ms: int) -> bool:
        if not refused:
            refused.append(job)
            raise OperationalError("the connection is lost")
        return record(job, result, duration_ms=duration_ms)

    monkeypatch.setattr(run, "record", keep)
    with pytest.raises(DatabaseError):
        work()
    states = {one.pk: one.state for one in deliveries(acme)}
    assert states.pop(refused[0].delivery_id) == "pending"
    assert set(states.values()) == {"delivered"}


def test_an_event_that_is_rolled_back_is_told_to_nobody(acme: Tenant, receiver: Receiver) -> None:
    webhook(acme, receiver.url)

    def raise_and_die() -> None:
        with tenant_scope(acme.id):
            fire(acme)
            raise Killed

    with pytest.raises(Killed):
        raise_and_die()
    assert work() == 0
    assert receiver.received == []


def test_a_channel_that_fails_in_several_workers_is_disabled_once_and_told_of_once(
    acme: Tenant, receiver: Receiver
) -> None:
    webhook(acme, receiver.url)
    receiver.then(status(410))
    for threshold in range(OF_A_LANE * 2):
        fire(acme, threshold=Decimal(threshold))
    in_threads(2, work)
    assert len(deliveries(acme, notice="channelDisabled")) == 1
    states = {one.state for one in deliveries(acme, notice="fired")}
    assert states <= {"failed", "cancelled"}


def test_what_several_organizations_are_told_stays_apart(acme: Tenant, receiver: Receiver) -> None:
    globex = make_tenant("Globex")
    with receiving() as theirs:
        mine, other = webhook(acme, receiver.url), webhook(globex, theirs.url)
        fire(acme)
        fire(globex)
        assert work() == 2
        for tenant, made, got in ((acme, mine, receiver), (globex, other, theirs)):
            (received,) = got.received
            slug = received.verified(made.secret or "")["data"]["organization"]["slug"]
            assert slug == tenant.organization.slug
