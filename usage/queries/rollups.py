"""Adding up: one statement over the coarsest cubes that can answer, what is pending, and records at edges.

Pending rows count exactly where a cube answers. Everything is read on one snapshot, so that a sum is
always that of whole batches, and sums and meters agree.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from django.db import connection

from core.periods import Period, local_date, zone
from usage.queries.parts import Part, Source, cut
from usage.rollups.cubes import DAY, METER_DAY, METER_QUARTER, QUARTER, Cube, Dimension
from usage.rollups.measures import BY_NAME, HISTOGRAM, LATENCY_UNIT_JOIN, MEASURES

_OF_RECORDS: Final = {
    Dimension.TOTAL: ("''", "''", ""),
    Dimension.MODEL: ("coalesce(model, '')", "coalesce(provider, '')", ""),
    Dimension.ENDPOINT: ("coalesce(endpoint, '')", "''", ""),
    Dimension.CAPABILITY: ("coalesce(capability, '')", "''", ""),
    Dimension.TYPE: ("type", "''", ""),
    Dimension.SUCCESS: ("coalesce(status_code::text, '')", "coalesce(error_type, '')", " AND succeeded"),
    Dimension.ERROR: ("coalesce(status_code::text, '')", "coalesce(error_type, '')", " AND NOT succeeded"),
}
"""How a record spells the value and the qualifier of a dimension, and which records have a part in it."""

_IN_QUARTERS: Final = frozenset({Dimension.TOTAL, Dimension.MODEL, Dimension.ENDPOINT, Dimension.CAPABILITY})


@dataclass(frozen=True, slots=True)
class RollupQuery:
    """What to add up for one organization.

    ``starts`` are where the buckets begin, the first at the period's start; a single one makes a total.
    ``sums`` are names of measures; ``meters`` asks for the client's quantities too.
    Units: as the measures' names say.
    """

    organization_id: int
    rollup_timezone: str
    period: Period
    starts: tuple[datetime, ...] = ()
    sums: tuple[str, ...] = tuple(measure.name for measure in MEASURES)
    meters: bool = False
    dimension: Dimension = Dimension.TOTAL
    by_credential: bool = False
    credential_id: int | None = None
    value: str | None = None

    @property
    def bucket_starts(self) -> list[datetime]:
        """Where the buckets begin; at least one."""
        return list(self.starts) or [self.period.start]


@dataclass(slots=True)
class Group:
    """One row of the answer: the place of its bucket among the starts, whose it is, and what adds up."""

    bucket: int
    credential_id: int | None
    value: str
    qualifier: str
    sums: dict[str, int] = field(default_factory=dict)
    meters: dict[str, Decimal] = field(default_factory=dict)


@dataclass(slots=True)
class _Sql:
    text: str
    params: list[Any]


def add_up(query: RollupQuery) -> list[Group]:
    """Return the groups that have any record, in order of bucket, credential, value and qualifier.

    Tenancy: call in the tenant's scope.
    Concurrency: one statement, one snapshot; asked again should the organization's days move meanwhile.
    """
    timezone = query.rollup_timezone
    while True:
        statement = _statement(query, timezone)
        with connection.cursor() as cursor:
            cursor.execute(statement.text, statement.params)
            rows = cursor.fetchall()
        if not rows or rows[0][0] == timezone:
            return _groups(query, rows)
        timezone = rows[0][0]


def _groups(query: RollupQuery, rows: Sequence[Sequence[Any]]) -> list[Group]:
    groups: dict[tuple[Any, ...], Group] = {}
    for _, bucket, credential_id, value, qualifier, meter, quantity, *sums in rows:
        if bucket is None:
            continue
        place = (bucket, credential_id, value, qualifier)
        group = groups.setdefault(place, Group(bucket - 1, credential_id, value, qualifier))
        if meter is not None:
            group.meters[meter] = quantity
        else:
            group.sums = {name: int(number) for name, number in zip(query.sums, sums, strict=True)}
    return [groups[place] for place in sorted(groups, key=lambda p: (p[0], p[1] or 0, p[2], p[3]))]


def _statement(query: RollupQuery, timezone: str) -> _Sql:
    tz = zone(timezone)
    parts = cut(query.period, query.bucket_starts[1:], tz, quarters=query.dimension in _IN_QUARTERS)
    totals = ", ".join(f"sum({name}) AS {name}" for name in query.sums)
    nulls = ", ".join(f"NULL::numeric AS {name}" for name in query.sums)
    sources = list(_sum_sources(query, parts, timezone))
    params = [value for source in sources for value in source.params]
    union = " UNION ALL ".join(source.text for source in sources)
    credential = "credential_id" if query.by_credential else "NULL::bigint AS credential_id"
    place = f"bucket, {credential}, value, qualifier"
    group = "bucket, value, qualifier" + (", credential_id" if query.by_credential else "")
    answer = (
        f"SELECT {place}, NULL::text AS meter, NULL::numeric AS quantity, {totals} "
        f"FROM ({union}) AS parts GROUP BY {group}"
    )
    if query.meters:
        sources = list(_meter_sources(query, parts, timezone))
        params += [value for source in sources for value in source.params]
        union = " UNION ALL ".join(source.text for source in sources)
        answer += (
            f" UNION ALL SELECT {place}, meter, sum(quantity) AS quantity, {nulls} "
            f"FROM ({union}) AS parts GROUP BY {group}, meter"
        )
    return _Sql(
        "SELECT organization.rollup_timezone, answer.* FROM organizations_organization organization "
        f"LEFT JOIN ({answer}) AS answer ON true WHERE organization.id = %s",
        [*params, query.organization_id],
    )


def _sum_sources(query: RollupQuery, parts: list[Part], timezone: str) -> Iterator[_Sql]:
    for part in parts:
        if part.source is Source.RECORDS:
            yield _record_sums(query, "usage_record", part)
        else:
            columns = ", ".join(query.sums)
            yield _of_cube(query, DAY if part.source is Source.DAYS else QUARTER, part, timezone, columns)
    if covered := _covered(parts):
        yield _record_sums(query, "usage_pending", covered)


def _meter_sources(query: RollupQuery, parts: list[Part], timezone: str) -> Iterator[_Sql]:
    for part in parts:
        if part.source is Source.RECORDS:
            yield _record_meters(query, "usage_record", part)
        else:
            cube = METER_DAY if part.source is Source.DAYS else METER_QUARTER
            yield _of_cube(query, cube, part, timezone, "meter, quantity")
    if covered := _covered(parts):
        yield _record_meters(query, "usage_pending", covered)


def _covered(parts: list[Part]) -> Part | None:
    """Return the stretch that cubes answer; there is one at most, in the middle."""
    cubes = [part for part in parts if part.source is not Source.RECORDS]
    return Part(Source.RECORDS, cubes[0].start, cubes[-1].end) if cubes else None


def _of_cube(query: RollupQuery, cube: Cube, part: Part, timezone: str, columns: str) -> _Sql:
    starts: list[Any] = query.bucket_starts
    bounds: list[Any] = [part.start, part.end]
    kind = "timestamptz"
    if part.source is Source.DAYS:
        tz = zone(timezone)
        starts, bounds, kind = (
            [local_date(start, tz) for start in starts],
            [local_date(b, tz) for b in bounds],
            "date",
        )
    where, params = _conditions(query, "value")
    return _Sql(
        f"SELECT width_bucket(bucket, %s::{kind}[]) AS bucket, credential_id, value, qualifier, {columns} "
        f"FROM {cube.table} "
        f"WHERE organization_id = %s AND dimension = %s AND bucket >= %s AND bucket < %s{where}",
        [starts, query.organization_id, query.dimension.value, *bounds, *params],
    )


def _record_sums(query: RollupQuery, table: str, part: Part) -> _Sql:
    sums = ", ".join(f"{BY_NAME[name].of_records} AS {name}" for name in query.sums)
    wants_histogram = HISTOGRAM.name in query.sums
    select = "source.*, latency.unit AS latency_unit" if wants_histogram else "source.*"
    join = LATENCY_UNIT_JOIN if wants_histogram else ""
    rows = _rows(query, table, part)
    source = f"(SELECT {select} FROM ({rows.text}) AS source {join}) AS counted"
    return _Sql(
        f"SELECT bucket, credential_id, value, qualifier, {sums} FROM {source} GROUP BY 1, 2, 3, 4",
        rows.params,
    )


def _record_meters(query: RollupQuery, table: str, part: Part) -> _Sql:
    rows = _rows(query, table, part)
    return _Sql(
        "SELECT bucket, credential_id, value, qualifier, meter, sum(amount::numeric) AS quantity "
        f"FROM ({rows.text}) AS source "
        "CROSS JOIN LATERAL jsonb_each_text(quantities) AS entry (meter, amount) "
        "GROUP BY 1, 2, 3, 4, 5",
        rows.params,
    )


def _rows(query: RollupQuery, table: str, part: Part) -> _Sql:
    value, qualifier, having = _OF_RECORDS[query.dimension]
    where, params = _conditions(query, value)
    return _Sql(
        "SELECT *, width_bucket(occurred_at, %s::timestamptz[]) AS bucket, "
        f"{value} AS value, {qualifier} AS qualifier "
        f"FROM {table} WHERE organization_id = %s AND occurred_at >= %s AND occurred_at < %s{having}{where}",
        [query.bucket_starts, query.organization_id, part.start, part.end, *params],
    )


def _conditions(query: RollupQuery, value: str) -> tuple[str, list[Any]]:
    text = ""
    params: list[Any] = []
    if query.credential_id is not None:
        text += " AND credential_id = %s"
        params.append(query.credential_id)
    if query.value is not None:
        text += f" AND {value} = %s"
        params.append(query.value)
    return text, params
