"""The ground the other tests stand on: their database, its reset, and a real server."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from django.db import connection

from config.embedded import EmbeddedPostgres
from organizations.models import Plan
from organizations.services import create_organization
from tests import resets
from tests.conftest import connect_as_owner
from tests.plugin import OWNER_FILE, PREFIX, Services, sweep
from tests.serving import Server

ROOT = Path(__file__).resolve().parents[2]


def plans(connection: psycopg.Connection[Any]) -> list[tuple[Any, ...]]:
    with connection.transaction():
        connection.execute("SELECT set_config('headroom.system', 'on', true)")
        return connection.execute("SELECT * FROM organizations_plan ORDER BY id").fetchall()


def organizations(connection: psycopg.Connection[Any]) -> int:
    with connection.transaction():
        connection.execute("SELECT set_config('headroom.system', 'on', true)")
        row = connection.execute("SELECT count(*) FROM organizations_organization").fetchone()
    assert row is not None
    return int(row[0])


@pytest.mark.django_db
def test_the_application_is_tested_as_the_role_it_runs_as() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user, current_database()")
        assert cursor.fetchone() == ("headroom_app", "test_headroom")


def test_a_reset_empties_the_tables_and_puts_the_seeds_back(
    owner_connection: psycopg.Connection[Any],
) -> None:
    seeded = plans(owner_connection)
    assert len(seeded) == 5
    create_organization(name="Acme", plan="free", owner_email="owner@acme.example")
    with owner_connection.transaction():
        owner_connection.execute("SELECT set_config('headroom.system', 'on', true)")
        owner_connection.execute("UPDATE organizations_plan SET requests_per_minute = 1")
    assert organizations(owner_connection) == 1

    resets.reset(owner_connection)

    assert organizations(owner_connection) == 0
    assert plans(owner_connection) == seeded
    resets.reset(owner_connection)
    assert plans(owner_connection) == seeded
    # What is added next is numbered after the seeds.
    added = Plan.objects.create(slug="next", name="Next", position=6, requests_per_minute=1)
    assert added.pk > max(number for number, *_ in seeded)


@pytest.mark.django_db(transaction=True)
def test_a_committing_test_leaves_something_behind() -> None:
    create_organization(name="Acme", plan="free", owner_email="owner@acme.example")


@pytest.mark.django_db(transaction=True)
def test_and_the_next_one_does_not_see_it() -> None:
    with connect_as_owner() as owner:
        assert organizations(owner) == 0
    assert Plan.objects.count() == 5


def test_a_server_can_be_killed_and_started_again_at_its_address(server: Server) -> None:
    assert httpx.get(f"{server.url}/healthz").status_code == 200
    server.kill()
    with pytest.raises(httpx.TransportError):
        httpx.get(f"{server.url}/healthz")
    server.restart()
    assert httpx.get(f"{server.url}/healthz").status_code == 200


def test_a_servers_threads_keep_their_database_connections(make_server: Callable[..., Server]) -> None:
    server = make_server(workers=1, threads=2)
    with httpx.Client() as client:
        for _ in range(30):
            client.get(f"{server.url}/readyz")
    with connect_as_owner() as owner:
        row = owner.execute(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND usename = 'headroom_app'"
        ).fetchone()
    assert row is not None
    assert 1 <= row[0] <= 3


def test_servers_of_a_killed_run_are_ended_by_the_next_and_live_ones_are_not() -> None:
    abandoned = Services()
    abandoned.postgres.start()
    (abandoned.data / OWNER_FILE).write_text("999999999 0.0")
    live = Services()
    live.postgres.start()
    try:
        sweep()
        assert not abandoned.data.exists()
        assert EmbeddedPostgres(abandoned.data).process is None
        assert live.postgres.process is not None
        assert live.data.name.startswith(PREFIX)
    finally:
        live.stop()
        abandoned.stop()


def test_a_run_that_tests_nothing_fails(tmp_path: Path) -> None:
    test = tmp_path / "test_skipped.py"
    test.write_text("import pytest\n\n@pytest.mark.skip\ndef test_nothing():\n    pass\n")
    command = [sys.executable, "-m", "pytest", "-q", "-c", str(ROOT / "pyproject.toml"), str(test)]
    done = subprocess.run(command, cwd=ROOT, env=os.environ, capture_output=True, text=True, check=False)
    assert "1 skipped" in done.stdout
    assert done.returncode == pytest.ExitCode.NO_TESTS_COLLECTED


def test_threads_of_a_test_share_nothing_with_its_connection(transactional_db: None) -> None:
    backends: set[int] = set()

    def ask() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            backends.add(cursor.fetchone()[0])
        connection.close()

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
        thread.join()
    ask()
    assert len(backends) == 3
