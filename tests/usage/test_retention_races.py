"""Retention beside senders, readers and upgrades: nobody waits for long, and nobody loses anything."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from django.db import OperationalError, connection, connections

from organizations.services import change_plan
from organizations.tenancy import system_scope
from tests.usage.factories import NOW, Tenant, at, make_tenant, record
from tests.usage.test_retention import tables
from usage import retention
from usage.retention import drop_expired
from usage.rollups.verify import verify


@pytest.fixture(autouse=True)
def _clock(stopped_clock: Any) -> None:
    """Everything here happens at `NOW`."""


@contextmanager
def in_background(work: Callable[[], Any]) -> Iterator[list[Any]]:
    """Run work in a thread with connections of its own; what comes of it is in the list at the end."""
    results: list[Any] = []

    def run() -> None:
        try:
            results.append(work())
        except Exception as error:  # noqa: BLE001 the test looks at it
            results.append(error)
        finally:
            connections.close_all()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield results
    finally:
        thread.join(60)
        assert not thread.is_alive()


def waiters(application: psycopg.Connection[Any], lock: str) -> int:
    row = application.execute(
        "SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = %s", [lock]
    ).fetchone()
    return int(row[0]) if row else 0


def wait_for(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.fixture
def crowd(transactional_db: None) -> tuple[Tenant, Tenant]:
    """A free and an enterprise organization, both with one record in an old week and one of now."""
    free, enterprise = make_tenant("Free"), make_tenant("Enterprise")
    for tenant in (free, enterprise):
        tenant.api.keep(record("old", timestamp=at(NOW - timedelta(days=60))), record("new"))
    change_plan(organization_id=free.id, plan="free")
    return free, enterprise


def test_sending_and_reading_go_on_while_retention_waits_for_the_rollups(
    crowd: tuple[Tenant, Tenant], app_connection: psycopg.Connection[Any]
) -> None:
    free, enterprise = crowd
    with in_background(lambda: drop_expired(NOW)) as results, app_connection.transaction():
        app_connection.execute("SELECT pg_advisory_xact_lock(hashtextextended('usage rollups', 0))")
        wait_for(lambda: waiters(app_connection, "advisory"))
        enterprise.api.keep(record("late", timestamp=at(NOW - timedelta(days=60))), record("newer"))
        assert len(enterprise.api.get("/records").items) == 4
        assert results == []
    assert results == [1]
    assert free.api.get("/records").ids == ["new"]
    assert sorted(enterprise.api.get("/records").ids) == ["late", "new", "newer", "old"]


def test_a_long_reader_delays_retention_and_nobody_else(
    crowd: tuple[Tenant, Tenant], app_connection: psycopg.Connection[Any]
) -> None:
    free, enterprise = crowd
    waited = 0.0
    with in_background(lambda: drop_expired(NOW)) as results, app_connection.transaction():
        app_connection.execute("SELECT count(*) FROM usage_record")
        wait_for(lambda: waiters(app_connection, "relation"))
        for number in range(20):
            began = time.monotonic()
            enterprise.api.keep(record(f"r{number}"))
            waited = max(waited, time.monotonic() - began)
        assert results == []
    assert results == [1]
    assert waited < 5
    assert len(enterprise.api.get("/records").items) == 22
    assert free.api.get("/records").ids == ["new"]


def test_a_week_that_can_not_be_had_stays_as_it_was(
    crowd: tuple[Tenant, Tenant], app_connection: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "SWAP_ATTEMPTS", 2)
    monkeypatch.setattr(retention, "PAUSE_SECONDS", 0)
    with app_connection.transaction():
        app_connection.execute("SELECT count(*) FROM usage_record")
        with pytest.raises(OperationalError, match="lock timeout"):
            drop_expired(NOW)
    with system_scope(), connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM usage_record")
        assert cursor.fetchone() == (4,)
    assert tables("^usage_record_[0-9]{8}_") == []
    for tenant in crowd:
        assert list(verify(tenant.organization)) == []
    assert drop_expired(NOW) == 1


def test_late_writers_of_the_week_wait_and_lose_nothing(
    crowd: tuple[Tenant, Tenant], app_connection: psycopg.Connection[Any]
) -> None:
    _, enterprise = crowd
    late = [record(f"late{number}", timestamp=at(NOW - timedelta(days=60))) for number in range(5)]
    with app_connection.transaction():
        app_connection.execute("SELECT count(*) FROM usage_record")
        with in_background(lambda: drop_expired(NOW)) as dropped:
            wait_for(lambda: waiters(app_connection, "relation"))
            with in_background(lambda: enterprise.api.send([*late, record("r")]).body["accepted"]) as sent:
                wait_for(lambda: waiters(app_connection, "advisory"))
                app_connection.execute("COMMIT")
                app_connection.execute("BEGIN")
    assert (dropped, sent) == ([1], [6])
    assert len(enterprise.api.get("/records").items) == 8
    assert list(verify(enterprise.organization)) == []


def test_who_upgrades_while_the_run_goes_on_keeps_everything(
    crowd: tuple[Tenant, Tenant], app_connection: psycopg.Connection[Any]
) -> None:
    free, _ = crowd
    with in_background(lambda: drop_expired(NOW)) as results, app_connection.transaction():
        app_connection.execute("SELECT pg_advisory_xact_lock(hashtextextended('usage rollups', 0))")
        wait_for(lambda: waiters(app_connection, "advisory"))
        change_plan(organization_id=free.id, plan="enterprise")
    assert results == [0]
    assert free.api.get("/records").ids == ["new", "old"]
