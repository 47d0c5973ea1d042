"""Checking that the cubes, with what is pending, say what the records say."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.db import connection
from django.db.backends.utils import CursorWrapper

from organizations.models import Organization
from organizations.tenancy import system_scope
from usage.rollups.adjusted import ADJUSTED_RECORDS
from usage.rollups.cubes import CUBES, Cube, layers
from usage.rollups.expand import ZoneTable, expanded
from usage.rollups.rebuild import Stretch, known_period, rebuild, stretches


@dataclass(frozen=True, slots=True)
class Difference:
    """How many rows of one cube differ from the records, over a stretch of days."""

    organization: str
    cube: str
    stretch: Stretch
    rows: int


def verify(organization: Organization) -> Iterator[Difference]:
    """Yield where the cubes of an organization differ from its records.

    Concurrency: one statement a cube and stretch, each on one snapshot, so ingest and folding may go on.
    """
    with system_scope(), connection.cursor() as cursor:
        covered = known_period(cursor, organization)
    if covered is None:
        return
    for stretch in stretches(organization, covered):
        for cube in CUBES:
            with system_scope(), connection.cursor() as cursor:
                rows = _count(cursor, stretch, cube)
            if rows:
                yield Difference(organization.slug, cube.table, stretch, rows)


def repair(differences: list[Difference]) -> int:
    """Make the stretches that differ anew from the records, and return how many there were."""
    wrong = {(d.organization, d.stretch.start): d.stretch for d in differences}
    for stretch in wrong.values():
        rebuild(stretch)
    return len(wrong)


def _count(cursor: CursorWrapper, stretch: Stretch, cube: Cube) -> int:
    zones = ZoneTable.of([stretch.days])
    records, record_params = stretch.source(ADJUSTED_RECORDS)
    pending, pending_params = stretch.source("usage_pending")
    condition, bounds = stretch.within(cube)
    key = ", ".join(cube.key)
    sums = ", ".join(f"sum({name}) AS {name}" for name in cube.sums)
    kept = (
        f"SELECT {', '.join(cube.columns)} FROM {cube.table} WHERE {condition} UNION ALL "
        f"{cube.rows_from('waiting')}"
    )
    sql = (
        f"WITH counted AS MATERIALIZED ({expanded(records, zones.sql)}), {layers('counted')}, "
        f"waiting AS MATERIALIZED ({expanded(pending, zones.sql)}), {layers('waiting')} "
        f"SELECT count(*) FROM ({cube.rows_from('counted')}) AS said "
        f"FULL JOIN (SELECT {key}, {sums} FROM ({kept}) AS parts GROUP BY {key}) AS kept USING ({key}) "
        f"WHERE ({', '.join(f'said.{name}' for name in cube.sums)}) IS DISTINCT FROM "
        f"({', '.join(f'kept.{name}' for name in cube.sums)})"
    )
    cursor.execute(sql, [*record_params, *zones.params, *pending_params, *zones.params, *bounds])
    row = cursor.fetchone()
    return 0 if row is None else int(row[0])
