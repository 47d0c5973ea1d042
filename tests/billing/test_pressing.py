"""Which limits press, as one statement finds them: the same as their standings say."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine

from billing.models import Enforcement, Window
from billing.queries.limits import standing
from billing.queries.pressing import Pressing, is_close, pressing
from core import clock
from organizations.tenancy import tenant_scope
from tests.billing.spending import UNIT, limit_to, spend
from tests.usage.factories import NOW, Tenant, make_tenant

pytestmark = pytest.mark.django_db


@pytest.fixture
def acme(stopped_clock: time_machine.Traveller) -> Tenant:
    return make_tenant("Acme", timezone="Europe/Berlin", currency="EUR")


def found(tenant: Tenant) -> list[Pressing]:
    with tenant_scope(tenant.id):
        return pressing(tenant.id, timezone=tenant.organization.timezone, now=clock.now())


def test_a_limit_below_every_share_does_not_press(acme: Tenant) -> None:
    limit_to(acme, 10, warn_at=(50, 80))
    spend(acme, 4.9)
    assert found(acme) == []


@pytest.mark.parametrize(
    ("units", "reached", "is_close", "is_paused"),
    [(5, 50, False, False), (8, 80, True, False), (10, 100, True, True), (12, 100, True, True)],
)
def test_the_largest_share_that_is_reached_counts(
    acme: Tenant, units: float, reached: int, is_close: bool, is_paused: bool
) -> None:
    limit_to(acme, 10, warn_at=(50, 80))
    spend(acme, units)
    [one] = found(acme)
    assert (one.reached, one.is_close, one.is_paused) == (reached, is_close, is_paused)
    assert (one.spent_nanos, one.limit_nanos) == (units * UNIT, 10 * UNIT)


@pytest.mark.parametrize(
    ("reached", "warn_at", "expected"),
    [
        (50, (50, 80, 95), False),
        (80, (50, 80, 95), True),
        (95, (50, 80, 95), True),
        (50, (50, 60, 70), False),
        (60, (50, 60, 70), True),
        (50, (50, 80), False),
        (80, (50, 80), True),
        (70, (50, 70), True),
        (50, (50,), True),
        (85, (85, 90, 95), True),
        (100, (), True),
    ],
)
def test_a_share_is_urgent_late(reached: int, warn_at: tuple[int, ...], expected: bool) -> None:
    assert is_close(reached, warn_at) is expected


def test_a_limit_that_only_warns_is_never_paused(acme: Tenant) -> None:
    limit_to(acme, 10, enforcement=Enforcement.WARN)
    spend(acme, 11)
    [one] = found(acme)
    assert (one.reached, one.is_paused) == (100, False)


@pytest.mark.parametrize("window", list(Window))
@pytest.mark.parametrize("hours", [0, 1, 30, 24 * 6, 24 * 9])
def test_it_is_as_the_standing_says_whatever_upkeep_has_come_to(
    acme: Tenant, stopped_clock: time_machine.Traveller, window: Window, hours: int
) -> None:
    limit_to(acme, 10, window=window, warn_at=(10,))
    spend(acme, 6, at=NOW - timedelta(days=1))
    spend(acme, 5)
    stopped_clock.move_to(NOW + timedelta(hours=hours))
    with tenant_scope(acme.id):
        now = clock.now()
        stands = standing(acme.id, None, timezone=acme.organization.timezone, now=now)
    assert stands is not None
    expected = [stands.spent_nanos] if stands.spent_nanos >= UNIT else []
    assert [one.spent_nanos for one in found(acme)] == expected
    for one in found(acme):
        assert one.is_paused is (stands.state == "paused")
        if one.is_paused or window == Window.WEEK:
            assert one.resets_at == stands.resets_at


def test_what_is_paused_comes_first_then_the_organization(acme: Tenant) -> None:
    other = acme.another_credential("Other")
    limit_to(acme, 10, warn_at=(50,))
    limit_to(acme, 5, credential_id=acme.credential_id)
    limit_to(acme, 2, credential_id=other.credential_id, warn_at=(10,))
    spend(acme, 6)
    spend(acme, 1.9, credential_id=other.credential_id)
    assert [one.client_id for one in found(acme)] == [acme.client_id, None, other.client_id]


def test_others_limits_are_not_seen(acme: Tenant) -> None:
    limit_to(make_tenant("Globex"), 1)
    limit_to(acme, 1)
    spend(acme, 2)
    assert len(found(acme)) == 1
