"""What was told is removed when the history has passed it, and no sooner."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.db import DatabaseError, connection, transaction

from alerts import retention
from alerts.models import Event
from core import clock
from organizations.tenancy import tenant_scope
from tests.alerts.receivers import Receiver
from tests.alerts.telling import attempts, clear, deliveries, fire, webhook, work
from tests.usage.factories import Tenant, make_tenant

pytestmark = pytest.mark.django_db
SECOND = timedelta(seconds=1)


def events(tenant: Tenant) -> int:
    with tenant_scope(tenant.id):
        return Event.objects.count()


def tell(tenant: Tenant, receiver: Receiver, **changes: Any) -> Event:
    """Fire an event, and have it told."""
    found = fire(tenant, **changes)
    assert found is not None
    work()
    return found


@pytest.fixture
def free(stopped_clock: time_machine.Traveller, db: None) -> Tenant:
    """An organization whose plan's history is shorter than what is kept."""
    return make_tenant("Acme", plan="free")


def test_it_goes_after_the_least_that_is_kept_with_its_deliveries_and_attempts(
    free: Tenant, receiver: Receiver, stopped_clock: time_machine.Traveller
) -> None:
    webhook(free, receiver.url)
    clear(free, tell(free, receiver))
    work()
    stopped_clock.shift(timedelta(days=90))
    assert retention.drop_expired(clock.now()) == 0
    stopped_clock.shift(SECOND)
    assert retention.drop_expired(clock.now()) == 3
    assert (events(free), deliveries(free), attempts(free)) == (0, [], [])


def test_a_longer_history_of_the_plan_keeps_it_longer(
    acme: Tenant, receiver: Receiver, stopped_clock: time_machine.Traveller
) -> None:
    days = acme.caller().plan.history_days or 3660
    assert days > 90
    webhook(acme, receiver.url)
    clear(acme, tell(acme, receiver))
    work()
    stopped_clock.shift(timedelta(days=days))
    assert retention.drop_expired(clock.now()) == 0
    stopped_clock.shift(timedelta(days=1))
    assert retention.drop_expired(clock.now()) == 3


def test_what_is_pending_and_what_a_rule_holds_open_stay(
    free: Tenant, receiver: Receiver, stopped_clock: time_machine.Traveller
) -> None:
    webhook(free, receiver.url)
    tell(free, receiver, period=None, threshold=Decimal(1))
    tell(free, receiver, period=None, threshold=Decimal(2), rule_id=None, rule_revision=None)
    waiting = fire(free, threshold=Decimal(3))
    stopped_clock.shift(timedelta(days=200))
    # Two deliveries, and the event that no rule holds; the other open one and the one that waits stay.
    assert retention.drop_expired(clock.now()) == 3
    assert events(free) == 2
    assert [one.event_id for one in deliveries(free)] == [waiting.pk if waiting else None]


def test_it_goes_by_chunks_and_of_each_organization_by_its_own_history(
    free: Tenant, receiver: Receiver, stopped_clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    globex = make_tenant("Globex")
    for tenant in (free, globex):
        webhook(tenant, receiver.url)
        for threshold in range(5):
            tell(tenant, receiver, threshold=Decimal(threshold))
    stopped_clock.shift(timedelta(days=120))
    monkeypatch.setattr(retention, "AT_ONCE", 2)
    assert retention.drop_expired(clock.now()) == 10
    assert (events(free), len(deliveries(free))) == (0, 0)
    assert (events(globex), len(deliveries(globex))) == (5, 5)


def test_nobody_removes_any_of_it_otherwise(acme: Tenant, receiver: Receiver) -> None:
    webhook(acme, receiver.url)
    tell(acme, receiver)
    for table in ("alerts_attempt", "alerts_delivery", "alerts_event"):
        with (
            tenant_scope(acme.id),
            pytest.raises(DatabaseError, match="permission denied"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(f"DELETE FROM {table}")
