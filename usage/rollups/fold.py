"""Folding: what is pending becomes part of the cubes, in one statement.

No reader ever sees a record in neither or in both.

One folder works at a time (an advisory lock); ingest never waits for it, since it only adds pending rows.
"""

from datetime import timedelta
from typing import Any, Final

from django.db import connection
from django.db.backends.utils import CursorWrapper

from core.periods import Period
from organizations.tenancy import system_scope
from usage.rollups.cubes import CUBES, layers
from usage.rollups.expand import ZoneDays, ZoneTable, expanded

CHUNK: Final = 20_000
_LOCK: Final = "hashtextextended('usage rollups', 0)"
_MICROSECOND: Final = timedelta(microseconds=1)


def fold_pending(*, chunk: int = CHUNK, most: int = 50) -> int:
    """Fold what is pending, at most ``most`` chunks of it, and return how many records were folded.

    Concurrency: returns 0 at once while another folder is at work. Each chunk is a transaction of its own.
    """
    folded = 0
    for _ in range(most):
        count = _fold_chunk(chunk)
        folded += count
        if count < chunk:
            break
    return folded


def lock_rollups(cursor: CursorWrapper) -> None:
    """Wait until no folder is at work and keep others away until the transaction ends."""
    cursor.execute(f"SELECT pg_advisory_xact_lock({_LOCK})")


def _fold_chunk(chunk: int) -> int:
    with system_scope(), connection.cursor() as cursor:
        cursor.execute(f"SELECT pg_try_advisory_xact_lock({_LOCK})")
        if not _scalar(cursor):
            return 0
        zones = _pending_zones(cursor)
        if not zones:
            return 0
        cursor.execute("SET LOCAL work_mem = '64MB'")
        sql, params = _fold_sql(ZoneTable.of(zones), chunk)
        cursor.execute(sql, params)
        return int(_scalar(cursor))


def _pending_zones(cursor: CursorWrapper) -> list[ZoneDays]:
    cursor.execute(
        "SELECT organization.rollup_timezone, min(pending.occurred_at), max(pending.occurred_at) "
        "FROM usage_pending pending JOIN organizations_organization organization "
        "ON organization.id = pending.organization_id GROUP BY 1"
    )
    return [
        ZoneDays.over(name, Period(first, last + _MICROSECOND)) for name, first, last in cursor.fetchall()
    ]


def _fold_sql(zones: ZoneTable, chunk: int) -> tuple[str, list[Any]]:
    # Only rows that the zones cover are taken: one that arrived since stays for the next time.
    claimed = (
        "SELECT pending.ctid FROM usage_pending pending "
        "JOIN organizations_organization organization ON organization.id = pending.organization_id "
        f"JOIN {zones.sql} ON zone.name = organization.rollup_timezone "
        "WHERE pending.occurred_at >= zone.starts[1] "
        "AND pending.occurred_at < zone.starts[cardinality(zone.starts)] "
        "LIMIT %s"
    )
    inserts = ", ".join(f"{cube.table}_rows AS ({cube.upsert(cube.rows_from('folding'))})" for cube in CUBES)
    sql = (
        "WITH gone AS MATERIALIZED "
        f"(DELETE FROM usage_pending WHERE ctid = ANY(ARRAY({claimed})) RETURNING *), "
        f"folding AS MATERIALIZED ({expanded('gone', zones.sql)}), {layers('folding')}, {inserts} "
        "SELECT count(*) FROM gone"
    )
    return sql, [*zones.params, chunk, *zones.params]


def _scalar(cursor: CursorWrapper) -> Any:
    row = cursor.fetchone()
    return None if row is None else row[0]
