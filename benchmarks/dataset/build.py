"""Filling the tables: organizations as usual, records by the server itself, rollups by the application."""

from __future__ import annotations

import itertools
import random
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import psycopg
from django.conf import settings
from psycopg.types.json import Jsonb

from benchmarks.dataset import COLUMNAR, DAYS, OWNER, Manifest, columnar, write
from benchmarks.ground import Ground
from benchmarks.values import ELSEWHERE, MODELS, TYPES
from core.periods import Period
from organizations.models import Organization
from organizations.roles import ALL_SCOPES
from organizations.services import CreatedOrganization, create_credential, create_organization
from organizations.tenancy import system_scope
from usage.links import LINKS
from usage.rollups.rebuild import rebuild, stretches

SLOTS: Final = 1000
RARE: Final = 8
AT_ONCE: Final = 250_000
_GENERATE: Final = (Path(__file__).parent / "generate.sql").read_text()
_PARENT_INDEXES: Final = (
    "SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index "
    "WHERE indrelid = 'usage_record'::regclass"
)

Connection = psycopg.Connection[Any]


def build(rows: int, organizations: int) -> None:
    """Make so many records of so many organizations, with all that belongs to them."""
    ground = Ground(settings.DATA_DIR)
    until = datetime.now(UTC)
    period = Period(until - timedelta(days=DAYS), until)
    made = [_organization(number) for number in range(organizations)]
    empty = _organization(organizations)
    rare = create_credential(organization_id=made[0].organization.pk, name="Rare", scopes=ALL_SCOPES)
    with ground.admin() as admin:
        admin.execute("SET maintenance_work_mem = '1GB'")
        admin.execute("SELECT setseed(0.5)")
        _slots(admin, made)
        _partitions(admin, period)
        _records(admin, rows, period, made[0], rare.credential.pk)
        _keys(admin)
        _rollups(period)
        _say("the same for DuckDB")
        columnar.copy(admin, ground.data / COLUMNAR)
        _say("vacuum")
        admin.execute("VACUUM (ANALYZE)")
        admin.execute("CHECKPOINT")
    manifest = Manifest(
        rows=rows,
        until=until.isoformat(),
        big_id=made[0].organization.pk,
        big_slug=made[0].organization.slug,
        empty_slug=empty.organization.slug,
        big_key=made[0].issued.key,
        main_client=made[0].issued.credential.client_id,
        rare_client=rare.credential.client_id,
    )
    write(manifest, ground.data)


def _organization(number: int) -> CreatedOrganization:
    return create_organization(name=f"Bench {number}", plan="enterprise", owner_email=OWNER)


def _slots(admin: Connection, made: list[CreatedOrganization]) -> None:
    # The first slot is the large organization's; the others have theirs by Zipf's law.
    weights = list(itertools.accumulate(1 / rank for rank in range(1, len(made))))
    chosen = [made[0], *random.Random(7).choices(made[1:], cum_weights=weights, k=SLOTS - 1)]
    columns = "slot int PRIMARY KEY, organization_id bigint, credential_id bigint"
    admin.execute(f"CREATE TEMPORARY TABLE bench_slot ({columns})")
    with admin.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO bench_slot VALUES (%s, %s, %s)",
            [(slot, m.organization.pk, m.issued.credential.pk) for slot, m in enumerate(chosen, 1)],
        )
    admin.execute("ANALYZE bench_slot")


def _partitions(admin: Connection, period: Period) -> None:
    monday = (period.start - timedelta(days=period.start.weekday())).date()
    while monday <= period.end.date():
        admin.execute("SELECT usage_make_partition(%s)", [monday])
        monday += timedelta(days=7)


def _records(admin: Connection, rows: int, period: Period, big: CreatedOrganization, rare_id: int) -> None:
    indexes = admin.execute(_PARENT_INDEXES).fetchall()
    for name, _ in indexes:
        admin.execute(f"DROP INDEX {name}")
    values = _values(rows, period, big, rare_id)
    for first in range(1, rows + 1, AT_ONCE):
        last = min(rows, first + AT_ONCE - 1)
        _say(f"{first - 1:,} of {rows:,} records")
        admin.execute(_GENERATE, {**values, "first": first, "last": last})
    for name, definition in indexes:
        _say(name)
        admin.execute(definition.replace(" ON ONLY ", " ON "))


def _values(rows: int, period: Period, big: CreatedOrganization, rare_id: int) -> dict[str, Any]:
    kinds = [kind for kind in TYPES for _ in range(kind[3])]
    models = [model for model in MODELS for _ in range(model[2])]
    return {
        "began": period.start,
        "step": (period.end - period.start) / rows,
        "size": SLOTS,
        "marks": max(20, rows // RARE),
        "big": big.organization.pk,
        "main_credential": big.issued.credential.pk,
        "rare_credential": rare_id,
        "types": [kind[0] for kind in kinds],
        "endpoints": [kind[1] for kind in kinds],
        "capabilities": [kind[2] for kind in kinds],
        "models": [model[0] for model in models],
        "providers": [model[1] for model in models],
        "elsewhere": ELSEWHERE,
        "rare_links": Jsonb({name: f"rare_{name}" for name in LINKS}),
        "hot_links": Jsonb({name: f"hot_{name}" for name in LINKS}),
    }


def _keys(admin: Connection) -> None:
    _say("keys")
    admin.execute(
        "INSERT INTO usage_record_key SELECT organization_id, key, occurred_at FROM usage_record "
        "ORDER BY organization_id, key"
    )


def _rollups(period: Period) -> None:
    with system_scope():
        organizations = list(Organization.objects.all())
    for number, organization in enumerate(organizations):
        _say(f"rollups of {number} of {len(organizations)} organizations")
        for stretch in stretches(organization, period):
            rebuild(stretch)


def _say(text: str) -> None:
    sys.stderr.write(f"{time.strftime('%H:%M:%S')} {text}\n")
