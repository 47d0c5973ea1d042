"""Burning grants down: in order, only while in force, never below zero; in the database as in Python."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from billing.ledger import services
from billing.ledger.burning import LATE, Burned, Held, Use, burn, in_order
from billing.models import Grant, LedgerAccount
from organizations.tenancy import tenant_scope
from tests.usage.factories import NOW, Tenant

HOUR = timedelta(hours=1)
MANY = 10**6


def held(number: int, balance: int | str, **fields: Any) -> Held:
    values = {"priority": 100, "effective_at": NOW - MANY * HOUR, "expires_at": None}
    return Held(number, balance=Decimal(balance), **{**values, **fields})


def use(amount: int | str, hours: int = 0) -> Use:
    return Use(NOW + hours * HOUR, Decimal(amount))


def test_priority_comes_first_then_expiry_then_age() -> None:
    grants = [
        held(1, 1),
        held(2, 1),
        held(3, 1, expires_at=NOW + 2 * HOUR),
        held(4, 1, expires_at=NOW + HOUR),
        held(5, 1, priority=1),
    ]
    assert [one.id for one in in_order(grants)] == [5, 4, 3, 1, 2]


def test_what_one_grant_lacks_the_next_gives_and_what_none_has_is_uncovered() -> None:
    grants = [held(1, "0.7"), held(2, 5)]
    assert burn([use("6.000000001")], grants, NOW) == Burned(
        {1: Decimal("0.7"), 2: Decimal(5)}, Decimal("0.300000001")
    )


def test_a_grant_covers_what_was_used_from_its_beginning_and_before_its_end() -> None:
    grants = [held(1, 100, effective_at=NOW - 2 * HOUR, expires_at=NOW + HOUR)]
    uses = [use(1, -3), use(2, -2), use(4, 0), use(8, 1), use(16, 2)]
    assert burn(uses, grants, NOW) == Burned({1: Decimal(6)}, Decimal(25))


def test_uses_may_arrive_an_hour_after_their_grant_expired_and_no_later() -> None:
    grants = [held(1, 100, expires_at=NOW)]
    uses = [use(1, -1)]
    almost = NOW + LATE - timedelta(microseconds=1)
    assert burn(uses, grants, almost) == Burned({1: Decimal(1)}, Decimal(0))
    assert burn(uses, grants, NOW + LATE) == Burned({}, Decimal(1))


def test_nothing_used_takes_nothing() -> None:
    assert burn([], [held(1, 1)], NOW) == Burned({}, Decimal(0))
    assert burn([use(0)], [held(1, 1)], NOW) == Burned({}, Decimal(0))


amounts = st.integers(1, 10**12).map(lambda n: Decimal(n) / 10**9)
moments = st.integers(-6, 6)


@st.composite
def grants(draw: st.DrawFn) -> Held:
    start = draw(st.integers(-6, 5))
    end = draw(st.none() | st.integers(max(start + 1, 1), 8))
    return held(
        0,
        0,
        priority=draw(st.integers(0, 2)),
        effective_at=NOW + start * HOUR,
        expires_at=None if end is None else NOW + end * HOUR,
    )


@st.composite
def worlds(draw: st.DrawFn) -> tuple[list[tuple[Held, Decimal]], list[list[Use]]]:
    """Grants with their amounts, and batches of uses."""
    made = draw(st.lists(st.tuples(grants(), amounts), min_size=1, max_size=5))
    uses = st.builds(lambda amount, hours: Use(NOW + hours * HOUR, amount), amounts, moments)
    return made, draw(st.lists(st.lists(uses, max_size=6), min_size=1, max_size=4))


@given(worlds())
def test_no_grant_gives_more_than_it_has_and_everything_used_is_accounted_for(world: Any) -> None:
    made, batches = world
    balances = {number: amount for number, (_, amount) in enumerate(made)}
    for uses in batches:
        now_held = [
            Held(number, one.priority, one.effective_at, one.expires_at, balances[number])
            for number, (one, _) in enumerate(made)
        ]
        burned = burn(uses, now_held, NOW)
        assert sum(burned.taken.values()) + burned.uncovered == sum(one.amount for one in uses)
        for number, amount in burned.taken.items():
            assert 0 < amount <= balances[number]
            balances[number] -= amount


@pytest.mark.usefixtures("stopped_clock")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(worlds())
def test_the_database_burns_as_the_pure_function_does(acme: Tenant, world: Any) -> None:
    made, batches = world
    with tenant_scope(acme.id):
        ours = [grant_of(acme, one, amount) for one, amount in made]
        for batch in batches:
            before = balances(ours)
            expected = burn(batch, [_held(one, before[one.pk]) for one in ours], NOW)
            missing = account(acme, "uncovered")
            run(acme, batch, NOW)
            after = balances(ours)
            taken = {key: before[key] - after[key] for key in before if before[key] != after[key]}
            assert taken == expected.taken
            assert missing - account(acme, "uncovered") == expected.uncovered
        for one in ours:
            services.revoke_grant(organization_id=acme.id, grant_id=one.pk)


def grant_of(tenant: Tenant, one: Held, amount: Decimal) -> Grant:
    return services.grant(
        organization_id=tenant.id,
        allowance="credits",
        amount=amount,
        reason="A test",
        priority=one.priority,
        effective_at=one.effective_at,
        expires_at=one.expires_at,
    )


def _held(one: Grant, balance: Decimal) -> Held:
    return Held(one.pk, one.priority, one.effective_at, one.expires_at, balance)


def balances(grants: Sequence[Grant]) -> dict[int, Decimal]:
    found = LedgerAccount.objects.filter(grant__in=grants)
    return dict(found.values_list("grant_id", "balance"))


def account(tenant: Tenant, kind: str) -> Decimal:
    return LedgerAccount.objects.get(
        organization_id=tenant.id, allowance="credits", kind=kind, grant=None
    ).balance


def run(tenant: Tenant, uses: Sequence[Use], now: datetime) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT billing_burn(%s, 'credits', %s::timestamptz[], %s::numeric[], %s)",
            [tenant.id, [one.moment for one in uses], [one.amount for one in uses], now],
        )
