"""The limit under fire: many clients, a limit that affords a fraction, and everybody killed midway."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from itertools import count
from typing import Any

import httpx
import psycopg
import pytest
import time_machine
from django.db import connection

from billing.models import Reservation
from billing.services.limits import correct
from billing.services.upkeep import upkeep
from core import clock
from organizations.models import Organization
from organizations.tenancy import system_scope, tenant_scope
from tests.billing.spending import UNIT, figures, limit_of, limit_to
from tests.serving import Server
from tests.usage.factories import Tenant, make_tenant
from tests.usage.senders import fold_often, running

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(600), pytest.mark.long]

CLIENTS = 64
CYCLES = 10_000
AFFORDED = 2_500
KILLS = 8
HELD_SECONDS = 20
"""Longer than a killed server takes to come back, so that no hold ends before its record can be reported."""


@pytest.fixture
def acme(transactional_db: None) -> Tenant:
    """An organization whose plan has spend limits, and whose calls no rate limit counts."""
    tenant = make_tenant("Acme", plan="pay-as-you-go")
    with system_scope():
        Organization.objects.filter(pk=tenant.id).update(requests_per_minute=10_000_000)
    return tenant


@dataclass
class Sampled:
    """What another connection saw of a limit: how far it ever was beyond, and how often it looked."""

    most: Decimal = Decimal("-infinity")
    times: int = 0


@contextmanager
def sampling(db: psycopg.Connection[Any], tenant: Tenant) -> Iterator[Sampled]:
    """Look at the limit, over and over, for as long as the block lasts."""
    db.execute("SELECT set_config('headroom.organization_id', %s, false)", [str(tenant.id)])
    seen = Sampled()

    def look() -> None:
        row = db.execute(
            "SELECT spent_nanos + reserved_nanos - limit_nanos FROM billing_spend_limit"
        ).fetchone()
        assert row is not None
        seen.most = max(seen.most, row[0])
        seen.times += 1
        time.sleep(0.002)

    with running(look):
        yield seen


@dataclass
class Client:
    """A client that asks, calls and reports, over one connection."""

    server: Server
    tenant: Tenant
    numbers: Iterator[int]
    admitted: int = 0
    refused: int = 0
    lost: int = 0
    codes: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        headers = {"Authorization": f"Bearer {self.tenant.api.key}"}
        self.http = httpx.Client(base_url=self.server.url, headers=headers, timeout=60)

    def cycle(self, *, dies: bool = False) -> None:
        """Ask for one unit and, if let in, report the call; or die with the hold in hand."""
        seconds = 2 if dies else HELD_SECONDS
        permission = self._post("/authorize", {"estimatedCost": "1", "ttlSeconds": seconds})
        if permission is None:
            return
        if permission.status_code == httpx.codes.PAYMENT_REQUIRED:
            self.refused += 1
            self.codes.add(permission.json()["code"])
            return
        assert permission.status_code == httpx.codes.OK, permission.text
        if dies:
            return
        call = {
            "id": f"call-{next(self.numbers)}",
            "type": "conversation.completion",
            "cost": "1",
            "reservationId": permission.json()["reservationId"],
        }
        while (kept := self._post("/records", call)) is None:
            continue
        assert kept.json()["accepted"] + kept.json()["duplicates"] == 1, kept.text
        self.admitted += 1

    def _post(self, path: str, body: dict[str, Any]) -> httpx.Response | None:
        """Return the answer, or None when the server went away before it came."""
        try:
            response = self.http.post(f"/api/v1{path}", json=body)
        except httpx.TransportError:
            self.lost += 1
            time.sleep(0.02)
            return None
        if response.status_code == httpx.codes.SERVICE_UNAVAILABLE:
            self.lost += 1
            return None
        return response


def test_64_clients_and_10_000_cycles_are_let_in_as_often_as_the_limit_affords(
    acme: Tenant, make_server: Callable[..., Server], app_connection: psycopg.Connection[Any]
) -> None:
    limit_to(acme, AFFORDED, warn_at=(50, 80, 95))
    server = make_server(workers=2, threads=8)
    numbers, cycles, turn = count(), count(), threading.Lock()
    clients = [Client(server, acme, numbers) for _ in range(CLIENTS)]

    def work(client: Client) -> None:
        while True:
            with turn:
                if next(cycles) >= CYCLES:
                    return
            client.cycle()

    with sampling(app_connection, acme) as seen, running(fold_often), ThreadPoolExecutor(CLIENTS) as pool:
        list(pool.map(work, clients))
    assert seen.most <= 0
    assert seen.times > 100
    assert [client.lost for client in clients] == [0] * CLIENTS
    assert sum(client.admitted for client in clients) == AFFORDED
    assert sum(client.refused for client in clients) == CYCLES - AFFORDED
    assert set.union(*(client.codes for client in clients)) <= {"spend_limit_reached", "spend_limit_full"}
    assert figures(acme) == (AFFORDED, 0, "paused")
    assert correct(acme.organization) == 0
    assert "deadlock" not in server.log


def test_clients_and_servers_that_are_killed_leave_nothing_held_beyond_its_time(
    acme: Tenant, make_server: Callable[..., Server], app_connection: psycopg.Connection[Any]
) -> None:
    limit_to(acme, 400)
    server = make_server(workers=1, threads=8)
    numbers = count()
    chances = [random.Random(seed) for seed in range(8)]
    clients = [Client(server, acme, numbers) for _ in chances]

    def cycle(place: int) -> Callable[[], None]:
        return lambda: clients[place].cycle(dies=chances[place].random() < 0.3)

    moments = random.Random(11)
    with sampling(app_connection, acme) as seen, running(*(cycle(place) for place in range(len(clients)))):
        for _ in range(KILLS):
            time.sleep(moments.uniform(0.3, 1.0))
            server.kill()
            server.restart()
        deadline = time.monotonic() + 120
        while limit_of(acme).state != "paused" and time.monotonic() < deadline:
            time.sleep(0.1)
    connection.close()
    assert seen.most <= 0
    assert sum(client.lost for client in clients) > 0
    # Whoever was let in and lived to report it is in the books, once.
    admitted = sum(client.admitted for client in clients)
    assert figures(acme)[0] == admitted == 400
    with time_machine.travel(clock.now() + timedelta(seconds=HELD_SECONDS)):
        upkeep(acme.organization)
    assert figures(acme) == (400, 0, "paused")
    with tenant_scope(acme.id):
        found = dict.fromkeys(("held", "settled", "expired", "released"), 0)
        for state, settled in Reservation.objects.values_list("state", "settled_nanos"):
            found[state] += 1
            assert (settled > 0) == (state == "settled" or settled == UNIT)
    assert found["held"] == found["released"] == 0
    assert found["expired"] > 0
    assert correct(acme.organization) == 0
