"""Limits under many hands, on real connections: nothing overspent, nothing leaked, nobody in a ring."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import Any
from uuid import UUID

import psycopg
import pytest
from django.db import connection

from billing.models import Reservation, SpendBucket, SpendLimit
from billing.services.reservations import ReservationSettled
from billing.services.upkeep import upkeep
from core import clock
from organizations.tenancy import tenant_scope
from tests.billing.spending import (
    UNIT,
    ask,
    decisions,
    figures,
    give_back,
    hold,
    limit_of,
    limit_to,
    spend,
    the_limit,
    unlimit,
)
from tests.usage.factories import Tenant, make_tenant
from tests.usage.senders import running

pytestmark = pytest.mark.django_db(transaction=True)

HANDS = 12


@pytest.fixture
def acme(transactional_db: None) -> Tenant:
    """An organization whose plan has spend limits."""
    return make_tenant("Acme", plan="pay-as-you-go")


def at_once(works: list[Callable[[], Any]]) -> list[Any]:
    """Run functions at the same time, each on a connection of its own."""

    def run(work: Callable[[], Any]) -> Any:
        try:
            return work()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(run, works))


def sampler(db: psycopg.Connection[Any], tenant: Tenant, seen: list[Decimal]) -> Callable[[], None]:
    """Return what notes, once a call, how far the fullest limit is beyond its amount."""
    db.execute("SELECT set_config('headroom.organization_id', %s, false)", [str(tenant.id)])

    def sample() -> None:
        row = db.execute(
            "SELECT max(spent_nanos + reserved_nanos - limit_nanos) FROM billing_spend_limit"
        ).fetchone()
        assert row is not None
        seen.append(row[0])

    return sample


def test_of_many_who_ask_at_once_exactly_as_many_are_let_in_as_the_limit_affords(
    acme: Tenant, app_connection: psycopg.Connection[Any]
) -> None:
    limit_to(acme, 100)
    seen: list[Decimal] = []

    def asks() -> int:
        return sum(ask(acme, 1).decided.allowed for _ in range(20))

    with running(sampler(app_connection, acme, seen)):
        allowed = at_once([asks] * HANDS)
    assert sum(allowed) == 100
    assert figures(acme) == (0, 100, "open")
    assert max(seen) <= 0
    assert len(seen) > 10


def test_holds_of_two_limits_are_all_or_nothing_whoever_comes_first(
    acme: Tenant, app_connection: psycopg.Connection[Any]
) -> None:
    tenants = [acme, *(acme.another_credential(f"key {number}") for number in range(3))]
    limit_to(acme, 60)
    for tenant in tenants:
        limit_to(acme, 20, credential_id=tenant.credential_id)
    seen: list[Decimal] = []

    def asks(tenant: Tenant) -> Callable[[], int]:
        return lambda: sum(ask(tenant, 1).decided.allowed for _ in range(15))

    with running(sampler(app_connection, acme, seen)):
        allowed = at_once([asks(tenant) for tenant in tenants for _ in range(3)])
    assert sum(allowed) == 60
    assert figures(acme)[1] == 60
    assert sum(figures(acme, tenant.credential_id)[1] for tenant in tenants) == 60
    assert max(seen) <= 0


def test_a_hold_that_is_settled_given_back_and_expired_at_once_ends_once(acme: Tenant) -> None:
    limit_to(acme, 1000)
    for _ in range(25):
        reservation = hold(acme, 2, seconds=0.001)
        before = figures(acme)[0]
        at_once(
            [
                partial(spend, acme, 1, reservation=reservation),
                partial(give_back_unless_settled, acme, reservation),
                partial(upkeep, acme.organization),
                partial(give_back_unless_settled, acme, reservation),
            ]
        )
        assert figures(acme) == (before + 1, 0, "open")
        with tenant_scope(acme.id):
            stored = Reservation.objects.get(pk=reservation)
        assert stored.state in ("settled", "released", "expired")
        assert stored.settled_nanos == UNIT


def test_pausing_and_resuming_are_each_announced_once_by_whoever_comes_first(acme: Tenant) -> None:
    limit_to(acme, 10, warn_at=(50, 80))
    at_once([lambda: spend(acme, 1)] * HANDS)
    assert figures(acme) == (12, 0, "paused")
    assert sorted(decisions(acme)) == ["limitSet", "paused", "warned 50", "warned 80"]
    # The window moves on for all of them at once.
    with tenant_scope(acme.id):
        then = clock.now() - timedelta(days=9)
        SpendBucket.objects.update(quarter=then)
        SpendLimit.objects.update(window_end=clock.now(), window_start=then)
    at_once(
        [lambda: upkeep(acme.organization)] * 4 + [lambda: ask(acme, 1)] * 4 + [lambda: spend(acme, 1)] * 4
    )
    assert figures(acme) == (4, 4, "open")
    assert decisions(acme).count("resumed") == 1


def test_everything_at_once_over_several_limits_ends_in_books_that_agree(acme: Tenant) -> None:
    tenants = [acme, *(acme.another_credential(f"key {number}") for number in range(3))]
    for tenant in tenants[1:]:
        limit_to(acme, 10_000, credential_id=tenant.credential_id)
    limit_to(acme, 100_000)

    at_once([partial(move_about, tenants, seed) for seed in range(8)])
    upkeep(acme.organization)
    for credential_id, expected in books(acme, tenants):
        limit = limit_of(acme, credential_id)
        assert (limit.spent_nanos, limit.reserved_nanos) == expected


def move_about(tenants: list[Tenant], seed: int) -> None:
    """Hold, settle, give back, spend and keep, in an order of the seed's own."""
    moves = random.Random(seed)
    held: list[UUID] = []
    for _ in range(25):
        tenant = moves.choice(tenants)
        match moves.randrange(6):
            case 0 | 1:
                held.append(hold(tenant, 3, seconds=moves.choice((0.001, 600))))
            case 2 if held:
                spend(tenant, 1, reservation=held.pop())
            case 3 if held:
                give_back(tenant, held.pop())
            case 4:
                upkeep(tenant.organization)
            case _:
                spend(tenant, 2)


def give_back_unless_settled(tenant: Tenant, reservation: UUID) -> None:
    with suppress(ReservationSettled):
        give_back(tenant, reservation)


def books(acme: Tenant, tenants: list[Tenant]) -> Iterator[tuple[int | None, tuple[int, int]]]:
    """Yield what each limit should say, from its quarter-hours and the holds there are."""
    with tenant_scope(acme.id):
        holds = list(Reservation.objects.filter(state="held").values_list("credential_id", "amount_nanos"))
        for credential_id in (None, *(tenant.credential_id for tenant in tenants[1:])):
            limit = the_limit(credential_id)
            spent = sum(bucket.cost_nanos for bucket in SpendBucket.objects.filter(limit=limit))
            reserved = sum(
                amount for owner, amount in holds if credential_id is None or owner == credential_id
            )
            yield credential_id, (int(spent), reserved)


def test_a_limit_set_and_removed_amid_spending_never_has_a_hold_too_many(acme: Tenant) -> None:
    def change() -> None:
        limit_to(acme, 1_000_000)
        unlimit(acme)

    def use() -> None:
        for _ in range(25):
            verdict = ask(acme, 2)
            spend(acme, 1, reservation=verdict.reservation)

    with running(change):
        at_once([use] * 6)
    limit_to(acme, 1_000_000)
    with tenant_scope(acme.id):
        held = Reservation.objects.filter(state="held").count()
    assert (held, figures(acme)[1]) == (0, 0)
