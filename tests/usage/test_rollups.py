"""Folding: what is pending becomes part of the cubes, and no answer changes."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from django.db import connection, connections
from pytest_django import DjangoAssertNumQueries

from organizations.tenancy import system_scope, tenant_scope
from tests.usage.factories import NOW, Tenant, at, make_tenant, record
from tests.usage.filling import contents, fill, rows, usage
from usage.rollups.cubes import CUBES
from usage.rollups.fold import fold_pending, lock_rollups
from usage.rollups.verify import verify

pytestmark = pytest.mark.django_db

TABLES = tuple(cube.table for cube in CUBES)


@pytest.fixture(autouse=True)
def _clock(stopped_clock: Any) -> None:
    """Everything here happens at `NOW`."""


def test_folding_moves_what_is_pending_into_the_cubes_and_changes_no_answer(acme: Tenant) -> None:
    fill(acme)
    before = usage(acme)
    assert (rows("usage_pending"), [rows(table) for table in TABLES]) == (40, [0] * 5)
    assert fold_pending() == 40
    assert (rows("usage_pending"), all(rows(table) for table in TABLES)) == (0, True)
    assert usage(acme) == before
    assert fold_pending() == 0
    assert usage(acme) == before


@pytest.mark.parametrize(("chunk", "most", "folded"), [(7, 50, 40), (7, 2, 14), (40, 50, 40), (1000, 1, 40)])
def test_a_fold_takes_bounded_chunks(acme: Tenant, chunk: int, most: int, folded: int) -> None:
    fill(acme)
    before = usage(acme)
    assert fold_pending(chunk=chunk, most=most) == folded
    assert rows("usage_pending") == 40 - folded
    assert usage(acme) == before
    assert list(verify(acme.organization)) == []


def test_folding_in_pieces_makes_the_same_cubes_as_folding_at_once(acme: Tenant, globex: Tenant) -> None:
    fill(acme)
    while fold_pending(chunk=3, most=1):
        pass
    fill(globex)
    fold_pending()

    assert contents(acme, owner=False) == contents(globex, owner=False)


def test_organizations_of_different_zones_are_folded_together(acme: Tenant) -> None:
    zones = {"Kathmandu": "Asia/Kathmandu", "Kiritimati": "Pacific/Kiritimati"}
    tenants = [acme, *(make_tenant(name, timezone=zone) for name, zone in zones.items())]
    for tenant in tenants:
        fill(tenant, 10)
    assert fold_pending() == 30
    for tenant in tenants:
        assert list(verify(tenant.organization)) == []
        assert usage(tenant)["requests"]["total"] == 10


def test_only_one_folder_is_at_work(acme: Tenant, app_connection: psycopg.Connection[Any]) -> None:
    fill(acme, 5)
    with app_connection.transaction():
        app_connection.execute("SELECT pg_advisory_xact_lock(hashtextextended('usage rollups', 0))")
        assert fold_pending() == 0
        assert usage(acme)["requests"]["total"] == 5
    assert fold_pending() == 5


def test_late_records_join_what_was_folded(acme: Tenant) -> None:
    fill(acme)
    fold_pending()
    fill(acme, 20, prefix="late")
    assert usage(acme)["requests"]["total"] == 60
    fold_pending()
    assert usage(acme)["requests"]["total"] == 60
    assert list(verify(acme.organization)) == []


def test_days_of_the_organization_are_one_row_each(acme: Tenant) -> None:
    kathmandu = make_tenant("Kathmandu", timezone="Asia/Kathmandu")
    midnight = datetime(2026, 7, 9, 18, 15, tzinfo=UTC)
    tick = timedelta(microseconds=1)
    for tenant in (acme, kathmandu):
        tenant.api.keep(record("a", timestamp=at(midnight - tick)), record("b", timestamp=at(midnight)))
    fold_pending()
    for tenant, expected in (
        (acme, [("2026-07-09", 2)]),
        (kathmandu, [("2026-07-09", 1), ("2026-07-10", 1)]),
    ):
        with tenant_scope(tenant.id), connection.cursor() as cursor:
            cursor.execute(
                "SELECT bucket::text, requests FROM usage_rollup_day WHERE dimension = 0 ORDER BY bucket"
            )
            assert cursor.fetchall() == expected


def test_the_totals_of_a_period_are_one_statement_whatever_its_edges(
    acme: Tenant, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    fill(acme)
    acme.api.get("/usage")
    for query in ({}, {"from": at(NOW - timedelta(days=9, microseconds=7))}, {"clientId": acme.client_id}):
        # The door; savepoint and scope, the client if one is named, the totals, what is granted; scope and
        # savepoint put back.
        with django_assert_num_queries(7 + len(query) * ("clientId" in query)):
            acme.api.get("/usage", **query)


def test_a_folder_never_waits_for_one_who_rebuilds(transactional_db: None) -> None:
    acme = make_tenant("Acme")
    fill(acme)
    locked, finish = threading.Event(), threading.Event()

    def hold() -> None:
        with system_scope(), connection.cursor() as cursor:
            lock_rollups(cursor)
            locked.set()
            finish.wait(20)
        connections.close_all()

    holder = threading.Thread(target=hold)
    holder.start()
    try:
        assert locked.wait(20)
        assert fold_pending() == 0
        fill(acme, 5, prefix="meanwhile")
        assert usage(acme)["requests"]["total"] == 45
    finally:
        finish.set()
        holder.join()
    assert fold_pending() == 45
