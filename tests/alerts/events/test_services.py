"""Raising and resolving events."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
import time_machine
from django.db import DatabaseError, connection, connections, transaction
from django.test.utils import CaptureQueriesContext

from alerts.channels.services import change_channel
from alerts.events import Draft, raise_events, resolve_events
from alerts.models import Delivery, Event
from core.periods import Period
from organizations.models import Membership, User
from organizations.tenancy import system_scope, tenant_scope
from tests.alerts.telling import FIRED, JULY, RULE, clear, deliveries, fire, mailbox, webhook
from tests.usage.factories import NOW, Tenant, make_tenant

pytestmark = pytest.mark.django_db
HOOK = "https://hooks.example.com/one"


def draft(organization_id: int = 1, **changes: Any) -> Draft:
    return replace(Draft(organization_id, **FIRED), **changes)


def test_an_event_is_written_with_a_pending_delivery_for_each_channel(
    acme: Tenant, stopped_clock: time_machine.Traveller
) -> None:
    webhook(acme, HOOK)
    mailbox(acme)
    event = fire(acme)
    assert event is not None
    assert (event.fired_at, event.resolved_at, event.rule_id) == (NOW, None, RULE)
    told = deliveries(acme)
    assert {(one.channel_kind, one.state, one.due_at) for one in told} == {
        ("webhook", "pending", NOW),
        ("email", "pending", NOW),
    }
    assert {one.event_id for one in told} == {event.pk}


def test_without_a_channel_the_owners_and_admins_are_told_by_mail(acme: Tenant) -> None:
    for name, role in (("admin", "admin"), ("dev", "developer"), ("gone", "admin")):
        with system_scope():
            user = User.objects.create(email=f"{name}@acme.example", password="!", is_active=name != "gone")
            Membership.objects.create(organization=acme.organization, user=user, role=role)
    event = fire(acme)
    assert event is not None
    clear(acme, event)
    told = [(one.notice, one.channel_kind, one.recipient) for one in deliveries(acme)]
    assert sorted(told) == [
        ("fired", "email", "admin@acme.example"),
        ("fired", "email", "owner@acme.example"),
        ("resolved", "email", "admin@acme.example"),
        ("resolved", "email", "owner@acme.example"),
    ]


def test_of_channels_that_are_chosen_and_disabled_nobody_else_is_told(acme: Tenant) -> None:
    one = webhook(acme, HOOK).channel
    with tenant_scope(acme.id):
        change_channel(organization_id=acme.id, channel_id=one.pk, enabled=False)
    assert fire(acme, channels=frozenset({one.pk})) is not None
    assert deliveries(acme) == []


def test_the_same_event_is_raised_once(acme: Tenant) -> None:
    webhook(acme, HOOK)
    assert fire(acme) is not None
    assert fire(acme, value=Decimal(99), message="Still so.") is None
    assert len(deliveries(acme)) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"rule_id": UUID(int=7)},
        {"rule_revision": 2},
        {"metric": "tokens"},
        {"scope": {"kind": "credential", "value": "cl_1"}},
        {"threshold": Decimal(95)},
        {"period": Period(JULY.start + timedelta(days=31), JULY.end + timedelta(days=31))},
        {"occurrence": "2"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_what_makes_an_event_another_one(change: dict[str, Any], acme: Tenant) -> None:
    assert draft().dedup_key != draft(**change).dedup_key
    assert fire(acme) is not None
    assert fire(acme, **change) is not None


def test_a_threshold_is_the_same_however_it_is_written() -> None:
    assert draft(threshold=Decimal("80")).dedup_key == draft(threshold=Decimal("80.000")).dedup_key


def test_what_only_describes_an_event_does_not_make_it_another() -> None:
    same = draft(
        value=Decimal(3), message="Else", severity="critical", recommendation="", chart={"points": []}
    )
    assert draft().dedup_key == same.dedup_key


def test_two_organizations_may_have_the_same_event(acme: Tenant, globex: Tenant) -> None:
    assert fire(acme) is not None
    assert fire(globex) is not None


def test_only_the_channels_that_are_named_and_enabled_are_told(acme: Tenant) -> None:
    one, two = webhook(acme, HOOK, "One").channel, webhook(acme, HOOK, "Two").channel
    webhook(acme, HOOK, "Three")
    with tenant_scope(acme.id):
        change_channel(organization_id=acme.id, channel_id=two.pk, enabled=False)
    fire(acme, channels=frozenset({one.pk, two.pk}))
    assert [told.channel_name for told in deliveries(acme)] == ["One"]


def test_a_snapshot_stays_what_it_was(acme: Tenant) -> None:
    webhook(acme, HOOK)
    fire(acme)
    with tenant_scope(acme.id), pytest.raises(DatabaseError, match="immutable"), transaction.atomic():
        Delivery.objects.update(payload={"type": "alert.fired", "data": {}})


@pytest.mark.parametrize("column", ["message", "severity", "fired_at", "scope", "organization_id"])
def test_of_an_event_only_its_end_can_be_written(column: str, acme: Tenant) -> None:
    event = fire(acme)
    assert event is not None
    values = {"scope": {}, "fired_at": NOW, "organization_id": acme.id + 1}
    with tenant_scope(acme.id), pytest.raises(DatabaseError), transaction.atomic():
        Event.objects.update(**{column: values.get(column, "info")})
    assert clear(acme, event) is not None
    with tenant_scope(acme.id), pytest.raises(DatabaseError, match="immutable"), transaction.atomic():
        Event.objects.update(resolved_at=None)


@pytest.mark.parametrize("table", ["alerts_event", "alerts_delivery", "alerts_attempt"])
def test_nothing_that_was_told_can_be_deleted(table: str, acme: Tenant) -> None:
    with (
        tenant_scope(acme.id),
        pytest.raises(DatabaseError, match="permission denied"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(f"DELETE FROM {table}")


def test_an_event_ends_once_and_with_its_moment(acme: Tenant, stopped_clock: time_machine.Traveller) -> None:
    webhook(acme, HOOK)
    event = fire(acme)
    assert event is not None
    stopped_clock.shift(60)
    ended = clear(acme, event)
    assert ended is not None
    assert ended.resolved_at == NOW + timedelta(seconds=60)
    assert clear(acme, event) is None
    (told,) = deliveries(acme, notice="resolved")
    assert told.payload["type"] == "alert.resolved"
    assert told.payload["data"]["resolvedAt"] == "2026-07-15T12:35:56.789012Z"


def test_a_disabled_channel_is_not_told_of_the_end(acme: Tenant) -> None:
    made = webhook(acme, HOOK)
    event = fire(acme)
    assert event is not None
    with tenant_scope(acme.id):
        change_channel(organization_id=acme.id, channel_id=made.channel.pk, enabled=False)
    clear(acme, event)
    assert deliveries(acme, notice="resolved") == []


def test_any_number_of_events_takes_the_same_statements(acme: Tenant, globex: Tenant) -> None:
    for tenant in (acme, globex):
        webhook(tenant, HOOK)
        mailbox(tenant)

    def statements(count: int, revision: int) -> int:
        drafts = [
            draft(tenant.id, rule_revision=revision, threshold=Decimal(number))
            for tenant in (acme, globex)
            for number in range(count)
        ]
        with system_scope(), CaptureQueriesContext(connection) as said:
            raised = raise_events(drafts)
            assert len(raised) == 2 * count
            assert len(resolve_events(event.pk for event in raised)) == 2 * count
        return len(said)

    assert statements(1, 1) == statements(50, 2)
    assert len(deliveries(acme)) == 2 * 2 * 51


def test_drafts_of_one_event_in_one_call_raise_it_once(acme: Tenant) -> None:
    with tenant_scope(acme.id):
        assert len(raise_events([draft(acme.id), draft(acme.id)])) == 1
        assert raise_events([]) == []


@pytest.mark.django_db(transaction=True)
def test_of_several_who_raise_the_same_event_at_once_one_does() -> None:
    acme = make_tenant("Acme")
    webhook(acme, HOOK)
    start = threading.Barrier(4)

    def one() -> Event | None:
        start.wait()
        try:
            return fire(acme)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        raised = [future.result() for future in [pool.submit(one) for _ in range(4)]]
    assert sum(event is not None for event in raised) == 1
    assert len(deliveries(acme)) == 1


@pytest.mark.django_db(transaction=True)
def test_of_several_who_end_an_event_at_once_one_does() -> None:
    acme = make_tenant("Acme")
    webhook(acme, HOOK)
    event = fire(acme)
    assert event is not None
    start = threading.Barrier(4)

    def one() -> Event | None:
        start.wait()
        try:
            return clear(acme, event)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        ended = [future.result() for future in [pool.submit(one) for _ in range(4)]]
    assert sum(one is not None for one in ended) == 1
    assert len(deliveries(acme, notice="resolved")) == 1
