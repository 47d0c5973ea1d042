"""What is stored stays as it is: by the ORM, by privileges, and by triggers where privileges don't bind."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from django.db import DatabaseError, connection, transaction
from psycopg import errors, sql

from organizations.tenancy import system_scope, tenant_scope
from tests.usage.factories import Tenant, make_tenant, record
from usage.models import Record

TABLES = ("usage_record", "usage_record_key")
CHANGES = {
    "update": "UPDATE {} SET occurred_at = occurred_at",
    "delete": "DELETE FROM {}",
    "truncate": "TRUNCATE {}",
}


@pytest.fixture
def acme(transactional_db: None) -> Tenant:
    tenant = make_tenant("Acme")
    tenant.api.keep(record("a"), record("b"))
    return tenant


def leaves(connection: psycopg.Connection[Any], table: str) -> list[str]:
    rows = connection.execute(
        "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = %s::regclass", [table]
    ).fetchall()
    assert rows
    return [name for (name,) in rows]


def in_system(connection: psycopg.Connection[Any], statement: str, table: str) -> None:
    with connection.transaction():
        connection.execute("SELECT set_config('headroom.system', 'on', true)")
        connection.execute(sql.SQL(statement).format(sql.Identifier(table)))


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("change", CHANGES)
def test_the_application_has_no_right_to_change_records(
    acme: Tenant, app_connection: psycopg.Connection[Any], change: str, table: str
) -> None:
    with pytest.raises(errors.InsufficientPrivilege):
        in_system(app_connection, CHANGES[change], table)
    assert len(acme.api.get("/records").items) == 2


@pytest.mark.parametrize("change", CHANGES)
def test_even_the_owner_is_refused(
    acme: Tenant, owner_connection: psycopg.Connection[Any], change: str
) -> None:
    with pytest.raises(
        errors.RestrictViolation, match=f"usage records are immutable: {change.upper()} refused"
    ):
        in_system(owner_connection, CHANGES[change], "usage_record")
    assert len(acme.api.get("/records").items) == 2


@pytest.mark.parametrize("change", CHANGES)
def test_even_the_owner_is_refused_on_a_partition_by_its_name(
    acme: Tenant, owner_connection: psycopg.Connection[Any], change: str
) -> None:
    for leaf in leaves(owner_connection, "usage_record"):
        is_empty = not owner_connection.execute(sql.SQL("TABLE {}").format(sql.Identifier(leaf))).fetchall()
        if change == "truncate" or not is_empty:
            with pytest.raises(errors.RestrictViolation):
                in_system(owner_connection, CHANGES[change], leaf)
    assert len(acme.api.get("/records").items) == 2


def test_the_moment_by_which_an_id_is_known_can_not_be_moved(
    acme: Tenant, owner_connection: psycopg.Connection[Any]
) -> None:
    with pytest.raises(errors.RestrictViolation):
        in_system(owner_connection, CHANGES["update"], "usage_record_key")


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("statement", ["TABLE {}", *CHANGES.values(), "INSERT INTO {} DEFAULT VALUES"])
def test_the_application_reaches_no_partition_by_its_name(
    acme: Tenant, app_connection: psycopg.Connection[Any], owner_connection: psycopg.Connection[Any],
    table: str, statement: str,
) -> None:  # fmt: skip
    for leaf in leaves(owner_connection, table):
        with pytest.raises(errors.InsufficientPrivilege):
            in_system(app_connection, statement, leaf)


@pytest.mark.parametrize(
    "statement",
    [
        "DROP TABLE usage_record",
        "ALTER TABLE usage_record DISABLE TRIGGER ALL",
        "ALTER TABLE usage_record NO FORCE ROW LEVEL SECURITY",
        "DROP POLICY tenant ON usage_record",
        "ALTER TABLE usage_record ADD COLUMN extra text",
        "CREATE TABLE own (a integer)",
        "SET ROLE headroom_owner",
        "SET ROLE headroom_lookup",
        "SET session_replication_role = 'replica'",
        "SELECT usage_attach_partition('usage_record_20200106', '2020-01-06')",
        "CREATE OR REPLACE FUNCTION usage_refuse_change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN END'",
    ],
)
def test_the_application_can_not_take_the_guards_away(
    acme: Tenant, app_connection: psycopg.Connection[Any], statement: str
) -> None:
    with pytest.raises(errors.InsufficientPrivilege):
        app_connection.execute(statement)


def test_the_orm_refuses_before_the_database_has_to(acme: Tenant) -> None:
    with tenant_scope(acme.id):
        stored = Record.objects.get(record_id="a")
        with pytest.raises(TypeError, match="immutable"):
            stored.save()
        with pytest.raises(TypeError, match="immutable"):
            stored.delete()


@pytest.mark.parametrize("change", ["update", "delete"])
def test_the_database_refuses_what_the_orm_sends_in_bulk(acme: Tenant, change: str) -> None:
    records = Record.objects.all()
    with tenant_scope(acme.id), pytest.raises(DatabaseError), transaction.atomic():
        records.update(count=0) if change == "update" else records._raw_delete("default")
    assert len(acme.api.get("/records").items) == 2


def test_what_is_pending_and_the_buckets_of_latency_can_not_be_altered_either(acme: Tenant) -> None:
    for statement in (
        "UPDATE usage_pending SET count = 0",
        "TRUNCATE usage_pending",
        "UPDATE usage_latency_bucket SET unit = 1",
        "DELETE FROM usage_latency_bucket",
    ):
        with pytest.raises(DatabaseError, match="permission denied"), system_scope():
            connection.cursor().execute(statement)
