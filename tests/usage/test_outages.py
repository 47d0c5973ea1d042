"""What ingest does while something that it stands on is away."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from django.conf import settings

from config.bootstrap import Roles, bootstrap
from config.databases import parse_address
from config.embedded import EmbeddedPostgres, EmbeddedRedis, paths
from organizations.models import Organization
from tests.plugin import APP, LOOKUP, OWNER
from tests.serving import ROOT, Server
from tests.usage.factories import Api, Tenant, make_tenant, record
from tests.usage.senders import Batch, Sender, running

RESTARTS = 4
SENDERS = 3


class Site:
    """A PostgreSQL of the test's own that survives a crash, with an organization in it and a server on it."""

    def __init__(self, data: Path) -> None:
        self.postgres = EmbeddedPostgres(data)
        self.environment = {"HEADROOM_DATA": str(data), "REDIS_URL": settings.REDIS_URL}
        self.server = Server(self.environment, workers=1, threads=4)

    def start(self) -> None:
        """Make the database and start the server."""
        self.postgres.start()
        admin = parse_address(self.postgres.url(database=paths.SUPERUSER), variable="the test's PostgreSQL")
        roles = Roles(owner=OWNER, app=APP, lookup=LOOKUP, owner_login=OWNER, app_login=APP)
        bootstrap(admin, database=paths.DATABASE, roles=roles, embedded=True)
        self.manage("migrate", "--verbosity", "0")
        terms = ("--plan", "enterprise", "--owner", "owner@acme.example", "--json")
        made = json.loads(self.manage("create_organization", "Acme", *terms))
        self.tenant = Tenant(Organization(slug="acme"), made["clientId"], 0, Api(made["apiKey"]))
        self.server.start()

    def manage(self, *arguments: str) -> str:
        """Run a management command on this database."""
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env={**os.environ, **self.environment},
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout

    def crash(self) -> None:
        """Stop PostgreSQL at once, as a crash would, and let it recover."""
        self.postgres.stop(immediate=True)
        self.postgres.start()

    def stored(self) -> tuple[int, int]:
        """Return how many records and how many of their keys are stored."""
        with psycopg.connect(self.postgres.url()) as connection:
            row = connection.execute(
                "SELECT (SELECT count(*) FROM usage_record), (SELECT count(*) FROM usage_record_key)"
            ).fetchone()
        assert row is not None
        return row[0], row[1]

    def close(self) -> None:
        """End what was started, and leave nothing behind."""
        self.server.close()
        self.postgres.stop(immediate=True)
        shutil.rmtree(self.postgres.sockets, ignore_errors=True)


@pytest.fixture
def site() -> Iterator[Site]:
    data = Path(tempfile.mkdtemp(prefix="headroom-outage-"))
    made = Site(data)
    try:
        made.start()
        yield made
    finally:
        made.close()
        shutil.rmtree(data, ignore_errors=True)


def batch_of(sender: int, number: int) -> Batch:
    return [
        record(f"{sender}-{number}-{place}", tokens={"prompt": 5, "completion": 1}) for place in range(20)
    ]


def ask(server: Server, tenant: Tenant, path: str) -> tuple[int, Any]:
    headers = {"Authorization": f"Bearer {tenant.api.key}"}
    response = httpx.get(f"{server.url}{path}", headers=headers, timeout=30)
    return response.status_code, response.json()


@pytest.mark.timeout(300)
def test_postgresql_crashing_under_load_loses_nothing_that_was_acknowledged_and_doubles_nothing(
    site: Site,
) -> None:
    senders = [Sender(site.server, site.tenant) for _ in range(SENDERS)]
    acknowledged = [0] * SENDERS

    def sending(place: int) -> Callable[[], None]:
        def send() -> None:
            answer = senders[place].send(batch_of(place, acknowledged[place]))
            # What was committed without an answer comes back as duplicates, whole.
            assert (answer["accepted"], answer["duplicates"]) in ((20, 0), (0, 20))
            acknowledged[place] += 1

        return send

    with running(*map(sending, range(SENDERS))):
        for _ in range(RESTARTS):
            before = sum(acknowledged)
            time.sleep(0.5)
            site.crash()
            deadline = time.monotonic() + 60
            while sum(acknowledged) < before + 20:
                assert time.monotonic() < deadline, site.server.log[-4000:]
                time.sleep(0.05)
    total = 20 * sum(acknowledged)
    assert site.stored() == (total, total)
    _, usage = ask(site.server, site.tenant, "/api/v1/usage")
    assert (usage["requests"]["total"], usage["tokens"]["total"]) == (total, 6 * total)
    refusals = {failure.split(" ", 1)[0] for sender in senders for failure in sender.failures}
    assert refusals <= {"503"}
    site.manage("verify_rollups")


@pytest.mark.django_db(transaction=True)
def test_without_redis_ingest_goes_on_and_readiness_says_what_is_missing(
    make_server: Callable[..., Server], tmp_path: Path
) -> None:
    tenant = make_tenant("Acme")
    redis = EmbeddedRedis(tmp_path, durable=False)
    redis.start()
    try:
        server = make_server(env={"REDIS_URL": redis.url})
        sender = Sender(server, tenant)
        checks = ask(server, tenant, "/readyz")[1]["checks"]
        assert (checks["redis"]["ok"], checks["database"]["ok"]) == (True, True)
        sender.send(batch_of(0, 0))
        redis.stop()
        for number in range(1, 11):
            sender.send(batch_of(0, number))
        status, body = ask(server, tenant, "/readyz")
        assert (status, body["status"]) == (503, "unavailable")
        assert body["checks"]["redis"] == {"ok": False, "detail": "Redis does not answer"}
        assert body["checks"]["database"] == {"ok": True, "detail": "ok"}
        assert ask(server, tenant, "/healthz") == (200, {"status": "alive"})
        assert ask(server, tenant, "/api/v1/usage")[1]["requests"]["total"] == 220
        redis.start()
        assert ask(server, tenant, "/readyz")[1]["checks"]["redis"]["ok"]
        sender.send(batch_of(0, 11))
    finally:
        redis.stop()
    assert sender.failures == []
    assert sum(answer["accepted"] for answer in sender.answers) == 240
