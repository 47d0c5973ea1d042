"""Costs given later to records that came without one."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import msgspec
from django.db import connection
from django.db.backends.utils import CursorWrapper

from core.periods import Period
from organizations.tenancy import tenant_scope
from usage.rollups.cubes import COST_CUBES, compact_layer, sums_of_adjustments
from usage.rollups.expand import ZoneDays, ZoneTable, expanded
from usage.rollups.fold import lock_rollups

_MICROSECOND: Final = timedelta(microseconds=1)


class Adjustment(msgspec.Struct, frozen=True):
    """What a record that has no cost is to cost, and by which price.

    Units: ``cost_nanos`` nanos of the organization's currency.
    """

    key: UUID
    occurred_at: datetime
    cost_nanos: int
    price_id: int | None = None


@dataclass(frozen=True, slots=True)
class Adjusted:
    """An adjustment that was made now, with what else there is to know of its record."""

    key: UUID
    occurred_at: datetime
    cost_nanos: int
    credential_id: int
    reservation_id: str | None


def adjust(organization_id: int, adjustments: Iterable[Adjustment]) -> list[Adjusted]:
    """Give records their cost, once, and return those that had none before; the others stay as they are.

    Totals and series count the costs when this has committed.
    Tenancy: opens the tenant's scope, within an enclosing transaction if there is one.
    Concurrency: adjusting, folding, rebuilding and retention wait for each other; ingest and readers don't.
    """
    wanted = list(adjustments)
    if not wanted:
        return []
    first = min(each.occurred_at for each in wanted)
    last = max(each.occurred_at for each in wanted)
    with tenant_scope(organization_id), connection.cursor() as cursor:
        lock_rollups(cursor)
        # Read under the lock: the days stay those of this zone until the transaction ends.
        zones = ZoneTable.of(
            [ZoneDays.over(_zone(cursor, organization_id), Period(first, last + _MICROSECOND))]
        )
        rows = msgspec.json.encode(wanted).decode()
        cursor.execute(_adjust_sql(zones), [rows, organization_id, organization_id, *zones.params])
        return [Adjusted(*row) for row in cursor.fetchall()]


def _zone(cursor: CursorWrapper, organization_id: int) -> str:
    cursor.execute("SELECT rollup_timezone FROM organizations_organization WHERE id = %s", [organization_id])
    row: Any = cursor.fetchone()
    return str(row[0])


def _adjust_sql(zones: ZoneTable) -> str:
    place = "{0}.organization_id = {1} AND {0}.occurred_at = {2}.occurred_at AND {0}.key = {2}.key"
    fitting = place.format("record", "%s", "wanted")
    same = place.format("record", "added.organization_id", "added")
    inserts = ", ".join(
        f"{cube.table}_rows AS ({cube.upsert(cube.rows_from('adjusting', sums_of_adjustments))})"
        for cube in COST_CUBES
    )
    return (
        "WITH wanted AS MATERIALIZED (SELECT * FROM json_to_recordset(%s::json) AS wanted "
        "(key uuid, occurred_at timestamptz, cost_nanos bigint, price_id bigint)), "
        "added AS MATERIALIZED (INSERT INTO usage_adjustment "
        "(organization_id, occurred_at, key, cost_nanos, price_id) "
        "SELECT %s, wanted.occurred_at, wanted.key, wanted.cost_nanos, wanted.price_id "
        f"FROM wanted JOIN usage_record record ON {fitting} WHERE record.cost_nanos IS NULL "
        "ON CONFLICT DO NOTHING RETURNING *), "
        "adjusted AS MATERIALIZED (SELECT record.organization_id, record.credential_id, record.occurred_at, "
        "record.key, record.type, record.endpoint, record.capability, record.model, record.provider, "
        "record.succeeded, record.status_code, record.error_type, record.latency_us, record.reservation_id, "
        f"added.cost_nanos FROM added JOIN usage_record record ON {same}), "
        f"adjusting AS MATERIALIZED ({expanded('adjusted', zones.sql)}), "
        f"{compact_layer('adjusting', sums_of_adjustments)}, {inserts} "
        "SELECT key, occurred_at, cost_nanos, credential_id, reservation_id FROM adjusted "
        "ORDER BY occurred_at, key"
    )
