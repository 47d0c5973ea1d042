"""Making the cubes anew from the records, a stretch of local days at a time.

Rebuilding a stretch is one statement: it takes the pending rows of the stretch, adds up its records and puts
the result in the place of what the cubes said. A reader sees the cubes before or after, nothing between.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db import connection
from django.db.backends.utils import CursorWrapper

from core.periods import Granularity, Period, buckets, zone
from organizations.models import Organization
from organizations.tenancy import system_scope
from usage.rollups.adjusted import ADJUSTED_RECORDS
from usage.rollups.cubes import CUBES, DAY, Cube, layers
from usage.rollups.expand import ZoneDays, ZoneTable, expanded
from usage.rollups.fold import lock_rollups

DAYS_AT_ONCE: Final = 7


@dataclass(frozen=True, slots=True)
class Stretch:
    """The whole local days of one organization over which cubes are compared or made anew.

    ``without`` is a period whose records are about to go: they are not counted any more.
    """

    organization_id: int
    days: ZoneDays
    without: Period | None = None

    @property
    def start(self) -> datetime:
        """Where the stretch begins."""
        return self.days.starts[0]

    @property
    def end(self) -> datetime:
        """Where the stretch ends (exclusive)."""
        return self.days.starts[-1]

    def source(self, table: str) -> tuple[str, list[Any]]:
        """Return what a table, or table expression, has in the stretch as a subquery with parameters."""
        where = "organization_id = %s AND occurred_at >= %s AND occurred_at < %s"
        params: list[Any] = [self.organization_id, self.start, self.end]
        if self.without is not None:
            where += " AND NOT (occurred_at >= %s AND occurred_at < %s)"
            params += [self.without.start, self.without.end]
        return f"(SELECT * FROM {table} AS stored WHERE {where})", params

    def within(self, cube: Cube) -> tuple[str, list[Any]]:
        """Return the condition that a row of the cube lies in the stretch, with its parameters."""
        if cube.bucket == DAY.bucket:
            bounds: list[Any] = [self.days.days[0], self.days.days[-1]]
            return "organization_id = %s AND bucket >= %s AND bucket <= %s", [self.organization_id, *bounds]
        return "organization_id = %s AND bucket >= %s AND bucket < %s", [
            self.organization_id,
            self.start,
            self.end,
        ]


def stretches(
    organization: Organization, period: Period, *, without: Period | None = None
) -> Iterator[Stretch]:
    """Yield the local days of the organization that touch the period, some at a time."""
    tz = zone(organization.rollup_timezone)
    days = buckets(period, Granularity.DAY, tz)
    for first in range(0, len(days), DAYS_AT_ONCE):
        some = days[first : first + DAYS_AT_ONCE]
        whole = Period(some[0].start, some[-1].end)
        yield Stretch(organization.pk, ZoneDays.over(organization.rollup_timezone, whole), without)


def rebuild(stretch: Stretch) -> None:
    """Make the cubes of a stretch anew from its records.

    Concurrency: waits for the folder; ingest goes on and what it adds meanwhile stays pending.
    """
    with system_scope(), connection.cursor() as cursor:
        lock_rollups(cursor)
        _rebuild(cursor, stretch)


def move_days(organization: Organization, timezone: str) -> None:
    """Keep the day cubes of an organization by the days of another zone from now on.

    Concurrency: one transaction; readers go on with the old cubes and the old zone until it ends.
    """
    with system_scope(), connection.cursor() as cursor:
        lock_rollups(cursor)
        covered = known_period(cursor, organization)
        for cube in CUBES:
            if cube.bucket == DAY.bucket:
                cursor.execute(f"DELETE FROM {cube.table} WHERE organization_id = %s", [organization.pk])
        organization.rollup_timezone = timezone
        organization.save(update_fields=["rollup_timezone"])
        if covered is not None:
            for stretch in stretches(organization, covered):
                _rebuild(cursor, stretch)


def _rebuild(cursor: CursorWrapper, stretch: Stretch) -> None:
    sql, params = _rebuild_sql(stretch)
    # The planner knows little of a stretch, and its nested loops over one take the square of its rows.
    cursor.execute("SET LOCAL enable_nestloop = off")
    cursor.execute(sql, params)
    cursor.execute("SET LOCAL enable_nestloop = on")


def known_period(cursor: CursorWrapper, organization: Organization) -> Period | None:
    """Return the period that holds all records and all rollups of an organization, or None without any."""
    cursor.execute(
        "SELECT min(first), max(last) FROM ("
        "SELECT min(occurred_at) AS first, max(occurred_at) + interval '1 microsecond' AS last "
        "FROM usage_record WHERE organization_id = %(id)s "
        "UNION ALL SELECT min(bucket), max(bucket) + interval '15 minutes' "
        "FROM usage_rollup_quarter WHERE organization_id = %(id)s AND dimension = 0 "
        "UNION ALL SELECT min(bucket)::timestamp AT TIME ZONE 'UTC' - interval '14 hours', "
        "(max(bucket) + 1)::timestamp AT TIME ZONE 'UTC' + interval '14 hours' "
        "FROM usage_rollup_day WHERE organization_id = %(id)s AND dimension = 0) AS known",
        {"id": organization.pk},
    )
    first, last = cursor.fetchone() or (None, None)
    return None if first is None or last is None else Period(first, last)


def _rebuild_sql(stretch: Stretch) -> tuple[str, list[Any]]:
    zones = ZoneTable.of([stretch.days])
    records, record_params = stretch.source(ADJUSTED_RECORDS)
    parts = [
        (
            "taken AS (DELETE FROM usage_pending "
            "WHERE organization_id = %s AND occurred_at >= %s AND occurred_at < %s)"
        ),
        f"counting AS MATERIALIZED ({expanded(records, zones.sql)})",
        layers("counting"),
    ]
    params: list[Any] = [stretch.organization_id, stretch.start, stretch.end, *record_params, *zones.params]
    for cube in CUBES:
        condition, bounds = stretch.within(cube)
        key = " AND ".join(f"fresh.{column} = old.{column}" for column in cube.key)
        parts += [
            f"{cube.table}_fresh AS MATERIALIZED ({cube.rows_from('counting')})",
            f"{cube.table}_put AS ({cube.replace(f'SELECT * FROM {cube.table}_fresh')})",
            (
                f"{cube.table}_gone AS (DELETE FROM {cube.table} AS old WHERE {condition} "
                f"AND NOT EXISTS (SELECT FROM {cube.table}_fresh AS fresh WHERE {key}))"
            ),
        ]
        params += bounds
    return f"WITH {', '.join(parts)} SELECT 1", params
