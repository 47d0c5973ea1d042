"""Where ingest is measured: organizations, the web server, the folder, and a twin of the database."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import psycopg

from benchmarks import bare, client
from benchmarks.ground import Ground, temporary_ground
from benchmarks.ingest.twin import Twin
from benchmarks.processes import Process
from benchmarks.scale import Scale
from benchmarks.workload import Tenant, Workload, beginning

WARM_UP: Final = 40
REQUESTS_PER_MINUTE: Final = 10**6
LIMIT_NANOS: Final = 10**18
"""What an organization may spend in seven days: more than a run can cost."""
SETTLE_SECONDS: Final = 300


@dataclass
class Field:
    """What a measurement of ingest works with."""

    ground: Ground
    scale: Scale
    admin: psycopg.Connection[Any]
    twin: Twin
    tenants: list[Tenant]
    workload: Workload
    web: Process

    def now(self) -> datetime:
        """Return the database's moment, from which on what follows is stored."""
        moment: datetime = self._value("SELECT clock_timestamp()")
        return moment

    def settle(self) -> float:
        """Wait until nothing is pending, and return how long that took.

        Units: seconds.
        """
        began = time.perf_counter()
        while self._value("SELECT EXISTS (SELECT FROM usage_pending)"):
            if time.perf_counter() - began > SETTLE_SECONDS:
                raise RuntimeError("What is pending is not being folded.")
            time.sleep(0.05)
        return time.perf_counter() - began

    def _value(self, query: str) -> Any:
        row = self.admin.execute(query).fetchone()
        return None if row is None else row[0]


@contextmanager
def open_field(scale: Scale) -> Iterator[Field]:
    """Start everything that ingest needs, and send enough for every process to have seen some."""
    with temporary_ground() as ground, ExitStack() as stack:
        ground.manage("import_prices")
        tenants = _organizations(ground, scale.organizations)
        twin = stack.enter_context(Twin.of(ground))
        admin = stack.enter_context(ground.admin())
        admin.execute(bare.DEFINITION)
        admin.execute(f"GRANT INSERT ON {bare.TABLE} TO headroom_app")
        workload = Workload(tenants, began=beginning())
        web = stack.enter_context(ground.web())
        stack.enter_context(ground.folder())
        field = Field(ground, scale, admin, twin, tenants, workload, web)
        client.drive(web.port, workload.requests(scale.of(WARM_UP) + 8, 1000), senders=8)
        field.settle()
        admin.execute("CHECKPOINT")
        yield field


def _organizations(ground: Ground, number: int) -> list[Tenant]:
    import django

    os.environ.update(ground.environment)
    django.setup()
    from django.db import connections

    made = [_tenant(place) for place in range(number)]
    # The twin is made from this database, which nobody may be connected to meanwhile.
    connections.close_all()
    return made


def _tenant(place: int) -> Tenant:
    """Make an organization with a spend limit, so that its use is charged, and a rate beyond any load."""
    from billing.services import limits
    from organizations.door import caller_from_key
    from organizations.models import Organization
    from organizations.services import create_organization
    from organizations.tenancy import tenant_scope

    made = create_organization(name=f"Bench {place}", plan="pay-as-you-go", owner_email="owner@bench.example")
    with tenant_scope(made.organization.pk):
        Organization.objects.filter(pk=made.organization.pk).update(requests_per_minute=REQUESTS_PER_MINUTE)
        caller = caller_from_key(f"Bearer {made.issued.key}")
        limits.set_limit(caller=caller, credential_id=None, terms=limits.Terms(LIMIT_NANOS))
    return Tenant(made.organization.pk, made.issued.key)
