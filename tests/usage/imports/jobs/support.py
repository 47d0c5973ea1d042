"""Uploading files, choosing their columns, having them imported, and looking at what came of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from django.core.files.uploadedfile import SimpleUploadedFile

from organizations.models import Credential
from organizations.tenancy import system_scope, tenant_scope
from tests.usage.factories import Tenant
from usage.imports.jobs import services
from usage.imports.jobs.choice import Choice
from usage.imports.jobs.job import run_import
from usage.models import Import

Told = list[tuple[UUID, int]]

COLUMNS: Final = {"TIMESTAMP": "timestamp", "In": "tokens.prompt", "Out": "tokens.completion"}
CONSTANTS: Final = {"type": "chat"}
LINES: Final = 60


def table(lines: int = LINES, *, wrong: tuple[int, ...] = ()) -> str:
    """Return a CSV file of so many records, a minute apart; the ``wrong`` ones have no number of tokens."""
    rows = [
        f"2026-06-01 10:{number:02d}:00,{'many' if number in wrong else number},1" for number in range(lines)
    ]
    return "\n".join(["TIMESTAMP,In,Out", *rows, ""])


def objects(*members: Mapping[str, Any]) -> str:
    """Return an NDJSON file."""
    return "".join(f"{json.dumps(one)}\n" for one in members)


def upload(tenant: Tenant, content: str | bytes, name: str = "calls.csv") -> Import:
    """Upload a file."""
    body = content.encode() if isinstance(content, str) else content
    with tenant_scope(tenant.id):
        return services.receive(
            caller=tenant.caller(), name=name, file=SimpleUploadedFile(name, body, "text/csv")
        )


def begin(
    tenant: Tenant,
    content: str | bytes,
    columns: Mapping[str, str] = COLUMNS,
    constants: Mapping[str, str] = CONSTANTS,
    *,
    client_id: str | None = None,
    timezone: str = "UTC",
) -> Import:
    """Upload a file, choose its columns, and start its import."""
    draft = upload(tenant, content)
    with tenant_scope(tenant.id):
        credential = Credential.objects.get(client_id=client_id or tenant.client_id)
    assert services.choose(draft, choice=Choice(columns, constants), credential=credential, timezone=timezone)
    assert services.start(draft)
    return draft


def work(one: Import) -> Import:
    """Have a worker take an import in, and return it as it is then."""
    run_import(one.pk, one.organization_id)
    return stored(one)


def stored(one: Import) -> Import:
    """Return an import as it is kept."""
    with system_scope():
        return Import.objects.get(pk=one.pk)


def counts(one: Import) -> tuple[str, int, int, int]:
    """Return the state of an import, and what became of its lines."""
    return one.state, one.accepted, one.duplicates, one.rejected


def left(place: Path) -> list[str]:
    """Return what lies where imports are kept and worked on."""
    return sorted(str(path.relative_to(place)) for path in place.rglob("*") if path.is_file())
