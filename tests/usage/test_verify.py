"""Verifying, repairing, rebuilding, and moving the days to another zone."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import psycopg
import pytest

from core.periods import Period
from organizations.models import Organization
from organizations.services import set_timezone
from organizations.tenancy import system_scope
from tests.usage.factories import NOW, Tenant, make_tenant
from tests.usage.filling import contents, fill, rows, usage
from usage import tasks
from usage.rollups.cubes import CUBES
from usage.rollups.fold import fold_pending
from usage.rollups.rebuild import move_days, rebuild, stretches
from usage.rollups.verify import repair, verify

pytestmark = pytest.mark.django_db

TABLES = tuple(cube.table for cube in CUBES)


@pytest.fixture(autouse=True)
def _clock(stopped_clock: Any) -> None:
    """Everything here happens at `NOW`."""


def test_without_records_there_is_nothing_to_verify(acme: Tenant) -> None:
    assert list(verify(acme.organization)) == []


def tamper(owner: psycopg.Connection[Any], statement: str, *values: Any) -> None:
    with owner.transaction():
        owner.execute("SELECT set_config('headroom.system', 'on', true)")
        assert owner.execute(statement, values).rowcount > 0


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("damage", ["changed", "removed", "added"])
def test_what_is_wrong_with_a_cube_is_found_and_mended(
    owner_connection: psycopg.Connection[Any], table: str, damage: str
) -> None:
    acme, globex = make_tenant("Acme"), make_tenant("Globex")
    for tenant in (acme, globex):
        fill(tenant)
    fold_pending()
    fill(acme, 10, prefix="pending")
    good, others = usage(acme), contents(globex)
    column = "quantity" if "meter" in table else "requests"
    place = f"organization_id = {acme.id} AND bucket = (SELECT max(bucket) FROM {table})"
    statements = {
        "changed": f"UPDATE {table} SET {column} = {column} + 1 WHERE {place}",
        "removed": f"DELETE FROM {table} WHERE {place}",
        "added": f"INSERT INTO {table} SELECT * FROM jsonb_populate_record("
        f"(SELECT r FROM {table} r WHERE {place} LIMIT 1), '{{\"credential_id\": {globex.credential_id}}}')",
    }
    tamper(owner_connection, statements[damage])
    found = list(verify(acme.organization))
    assert {difference.cube for difference in found} == {table}
    assert {difference.organization for difference in found} == {"acme"}
    assert list(verify(globex.organization)) == []
    assert repair(found) == len({difference.stretch.start for difference in found}) == 1
    assert list(verify(acme.organization)) == []
    assert usage(acme) == good
    assert contents(globex) == others


def test_a_cube_with_a_day_on_which_nothing_happened_is_found_and_mended(
    owner_connection: psycopg.Connection[Any],
) -> None:
    acme = make_tenant("Acme")
    fill(acme, 4)
    fold_pending()
    tamper(
        owner_connection,
        "UPDATE usage_rollup_day SET bucket = bucket - 200"
        " WHERE bucket = (SELECT max(bucket) FROM usage_rollup_day)",
    )
    found = list(verify(acme.organization))
    assert len({difference.stretch.start for difference in found}) == 2
    repair(found)
    assert list(verify(acme.organization)) == []
    assert usage(acme)["requests"]["total"] == 4


def test_lost_pending_rows_are_found_and_mended(owner_connection: psycopg.Connection[Any]) -> None:
    acme = make_tenant("Acme")
    fill(acme)
    tamper(owner_connection, "DELETE FROM usage_pending WHERE model = 'm1'")
    found = list(verify(acme.organization))
    assert {difference.cube for difference in found} == set(TABLES)
    repair(found)
    assert list(verify(acme.organization)) == []
    assert usage(acme)["requests"]["total"] == 40
    assert fold_pending() == 0


def test_the_nightly_task_counts_what_differs(owner_connection: psycopg.Connection[Any]) -> None:
    acme = make_tenant("Acme")
    fill(acme)
    fold_pending()
    assert tasks.verify_rollups() == 0
    tamper(owner_connection, "DELETE FROM usage_rollup_minute WHERE organization_id = %s", acme.id)
    assert tasks.verify_rollups() == 40


def test_rebuilding_changes_nothing_that_is_right(acme: Tenant) -> None:
    fill(acme)
    fold_pending()
    fill(acme, 10, prefix="pending")
    before, cubes = usage(acme), contents(acme)
    for stretch in stretches(acme.organization, Period(NOW - timedelta(days=400), NOW + timedelta(days=2))):
        rebuild(stretch)
    assert usage(acme) == before
    assert rows("usage_pending") == 0
    assert contents(acme) != cubes
    assert list(verify(acme.organization)) == []


def test_rebuilding_one_organization_leaves_the_others_alone(acme: Tenant, globex: Tenant) -> None:
    for tenant in (acme, globex):
        fill(tenant)
    fold_pending(chunk=30, most=1)
    before = contents(globex)
    for stretch in stretches(acme.organization, Period(NOW - timedelta(days=30), NOW + timedelta(days=2))):
        rebuild(stretch)
    assert contents(globex) == before
    assert rows("usage_pending") == 40
    for tenant in (acme, globex):
        assert usage(tenant)["requests"]["total"] == 40
        assert list(verify(tenant.organization)) == []


@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Kathmandu", "Pacific/Kiritimati", "UTC"])
def test_the_days_can_be_moved_to_another_zone(acme: Tenant, zone: str) -> None:
    fill(acme)
    fold_pending()
    fill(acme, 10, prefix="pending")
    before = usage(acme)
    move_days(acme.organization, zone)
    with system_scope():
        moved = Organization.objects.get(pk=acme.id)
    assert moved.rollup_timezone == zone
    assert usage(acme) == before
    assert list(verify(moved)) == []


def test_days_follow_the_organizations_zone_on_schedule(acme: Tenant) -> None:
    fill(acme)
    fold_pending()
    assert tasks.align_days() == 0
    set_timezone(organization_id=acme.id, timezone="Australia/Lord_Howe")
    before = usage(acme)
    assert tasks.align_days() == 1
    assert tasks.align_days() == 0
    assert usage(acme) == before
