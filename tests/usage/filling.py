"""An organization with records of every kind, and what its cubes say of them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import connection

from organizations.tenancy import system_scope, tenant_scope
from tests.usage.factories import NOW, Tenant, at, record
from usage.rollups.cubes import CUBES


def fill(tenant: Tenant, number: int = 40, prefix: str = "r") -> None:
    """Keep records of every kind over twenty days."""
    tenant.api.keep(
        *(
            record(
                f"{prefix}{index}",
                timestamp=at(NOW - timedelta(hours=12 * index, microseconds=index)),
                tokens={"prompt": index, "completion": 1},
                model=f"m{index % 3}",
                provider="p",
                endpoint=f"e{index % 2}",
                status="error" if index % 5 == 0 else "success",
                statusCode=429 if index % 5 == 0 else 200,
                latencyMs=index + 0.5,
                quantities={"pages": index, "credits": "0.1"},
                cost="0.5",
            )
            for index in range(number)
        )
    )


def usage(tenant: Tenant, **query: str) -> Any:
    return tenant.api.get(
        "/usage", from_=at(NOW - timedelta(days=60)), to=at(NOW + timedelta(hours=1)), **query
    ).body


def rows(table: str) -> int:
    with system_scope(), connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {table}")
        return int(cursor.fetchone()[0])


def contents(tenant: Tenant, *, owner: bool = True) -> dict[str, list[Any]]:
    """Return the tenant's rows of every cube, without saying whose they are if need be."""
    found = {}
    with tenant_scope(tenant.id), connection.cursor() as cursor:
        for cube in CUBES:
            columns = [
                name for name in cube.columns if owner or name not in ("organization_id", "credential_id")
            ]
            cursor.execute(f"SELECT {', '.join(columns)} FROM {cube.table} ORDER BY {', '.join(cube.key)}")
            found[cube.table] = cursor.fetchall()
    return found
