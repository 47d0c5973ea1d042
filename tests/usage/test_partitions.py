"""Weekly partitions: made on demand and ahead, used by no one directly."""

from __future__ import annotations

import threading
from datetime import UTC, date, datetime, timedelta
from typing import Any

import psycopg
import pytest
from django.db import DatabaseError, IntegrityError, connection, connections
from pytest_django import DjangoAssertNumQueries

from organizations.tenancy import tenant_scope
from tests.usage.factories import Tenant, at, make_tenant, record
from usage import partitions

pytestmark = pytest.mark.django_db

LONG_AGO = datetime(2017, 3, 8, 9, tzinfo=UTC)
MONDAY = date(2017, 3, 6)


def weeks() -> list[date]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT usage_partition_weeks()")
        return [row[0] for row in cursor.fetchall()]


def partition_of(organization_id: int, record_id: str) -> str:
    with tenant_scope(organization_id), connection.cursor() as cursor:
        cursor.execute("SELECT tableoid::regclass::text FROM usage_record WHERE id = %s", [record_id])
        row = cursor.fetchone()
        assert row is not None
        return str(row[0])


def drop(monday: date, *owners: int) -> None:
    if monday in weeks():
        with connection.cursor() as cursor:
            cursor.execute("SELECT usage_set_apart(%s, %s::bigint[])", [monday, list(owners)])
            cursor.execute("SELECT usage_swap(%s)", [monday])
            cursor.execute("SELECT usage_free_expired()")


@pytest.mark.usefixtures("stopped_clock")
def test_a_record_whose_week_has_no_partition_gets_one(acme: Tenant) -> None:
    drop(MONDAY)
    assert MONDAY not in weeks()
    acme.api.keep(record("a", timestamp=at(LONG_AGO)))
    assert MONDAY in weeks()
    assert partition_of(acme.id, "a") == "usage_record_20170306"


@pytest.mark.usefixtures("stopped_clock")
def test_a_week_begins_on_monday_in_utc(acme: Tenant) -> None:
    monday = datetime(2017, 3, 13, tzinfo=UTC)
    acme.api.keep(
        record("last", timestamp=at(monday - timedelta(microseconds=1))),
        record("first", timestamp=at(monday)),
    )
    assert partition_of(acme.id, "last") == "usage_record_20170306"
    assert partition_of(acme.id, "first") == "usage_record_20170313"


@pytest.mark.usefixtures("stopped_clock")
def test_a_partition_that_went_away_since_it_was_last_used_is_made_again(acme: Tenant) -> None:
    acme.api.keep(record("a", timestamp=at(LONG_AGO)))
    drop(MONDAY, acme.id)
    acme.api.keep(record("b", timestamp=at(LONG_AGO)), record("c"))
    assert sorted(acme.api.get("/records").ids) == ["b", "c"]


def test_an_integrity_error_of_another_kind_is_not_taken_for_a_missing_partition(acme: Tenant) -> None:
    with pytest.raises(IntegrityError) as caught, tenant_scope(acme.id):
        connection.cursor().execute(
            "INSERT INTO usage_pending (organization_id, credential_id, occurred_at, count, succeeded,"
            " execution, type) VALUES (%s, NULL, now(), 1, true, false, 'a')",
            [acme.id],
        )
    assert not partitions.is_missing(caught.value)


def test_partitions_are_made_ahead_once(db: None) -> None:
    far = datetime(2041, 5, 15, 12, tzinfo=UTC)
    ahead = [date(2041, 5, 13) + timedelta(weeks=number) for number in range(5)]
    assert not set(ahead) & set(weeks())
    assert partitions.make_ahead(far) == 5
    assert set(ahead) <= set(weeks())
    assert partitions.make_ahead(far) == 0
    assert partitions.make_ahead(far + timedelta(weeks=2)) == 2


def test_a_partition_is_asked_for_once_a_process(
    db: None, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(2):
        partitions.ensure(partitions.numbers_of([LONG_AGO, LONG_AGO + timedelta(days=7)]))
    with django_assert_num_queries(0):
        partitions.ensure(partitions.numbers_of([LONG_AGO, LONG_AGO + timedelta(days=9)]))


@pytest.mark.parametrize("day", ["2017-03-07", "2017-03-12"])
def test_a_partition_begins_on_a_monday_only(db: None, day: str) -> None:
    with pytest.raises(DatabaseError, match="begins on a Monday"):
        connection.cursor().execute("SELECT usage_make_partition(%s)", [day])


def test_a_new_partition_has_the_indexes_and_the_guards_of_the_others(db: None) -> None:
    partitions.make(date(2041, 7, 1))
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname, (SELECT count(*) FROM pg_index WHERE indrelid = c.oid),"
            " (SELECT count(*) FROM pg_trigger WHERE tgrelid = c.oid),"
            " has_table_privilege(oid, 'SELECT') FROM pg_class c WHERE relname IN (%s, %s)",
            ["usage_record_20410701", "usage_record"],
        )
        found = {name: rest for name, *rest in cursor.fetchall()}
    assert found == {"usage_record": [5, 2, True], "usage_record_20410701": [5, 2, False]}


@pytest.mark.django_db(transaction=True)
def test_many_who_miss_the_same_partition_make_it_once() -> None:
    acme = make_tenant("Acme")
    moment = datetime(2018, 1, 3, 12, tzinfo=UTC)
    drop(date(2018, 1, 1))
    ready = threading.Barrier(6)
    made: list[int] = []

    def send(number: int) -> None:
        try:
            ready.wait()
            answer = acme.api.send(
                [record(f"r{number}", timestamp=at(moment)), record("shared", timestamp=at(moment))]
            )
            made.append(answer.body["accepted"])
        finally:
            connections.close_all()

    threads = [threading.Thread(target=send, args=[number]) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(made) == [1, 1, 1, 1, 1, 2]
    assert len(acme.api.get("/records").items) == 7


def test_reading_and_writing_go_on_while_a_partition_is_made(
    owner_connection: psycopg.Connection[Any], app_connection: psycopg.Connection[Any]
) -> None:
    acme = make_tenant("Acme")
    acme.api.keep(record("before"))
    with app_connection.transaction(force_rollback=True):
        app_connection.execute("SELECT usage_make_partition('2041-08-05')")
        connection.cursor().execute("SET lock_timeout = '1s'")
        try:
            acme.api.keep(record("meanwhile"))
            assert sorted(acme.api.get("/records").ids) == ["before", "meanwhile"]
        finally:
            connection.cursor().execute("RESET lock_timeout")
