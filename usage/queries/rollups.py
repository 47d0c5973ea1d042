"""Adding up: one statement over the coarsest cubes that can answer, what is pending, and records at edges.

Pending rows count exactly where a cube answers. Everything is read on one snapshot, so that a sum is
always that of whole batches, and sums and meters agree.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from django.db import connection

from core.periods import Period, local_date, zone
from usage.queries.buckets import Buckets
from usage.queries.facets import RECORD_COLUMNS, CubeChoice, Facet, cube_for
from usage.queries.parts import Part, Source, cut
from usage.rollups.adjusted import ADJUSTED_RECORDS
from usage.rollups.cubes import DAY, METER_DAY, METER_QUARTER, MINUTE, QUARTER, Cube, Dimension
from usage.rollups.measures import BY_NAME, HISTOGRAM, LATENCY_UNIT_JOIN, MEASURES

_IN_QUARTERS: Final = {Dimension.TOTAL, Dimension.MODEL, Dimension.ENDPOINT, Dimension.CAPABILITY}
_SUM_CUBES: Final = {Source.DAYS: DAY, Source.QUARTERS: QUARTER, Source.MINUTES: MINUTE}
_METER_CUBES: Final = {Source.DAYS: METER_DAY, Source.QUARTERS: METER_QUARTER}
ALL_SUMS: Final = tuple(measure.name for measure in MEASURES)


@dataclass(frozen=True, slots=True)
class RollupQuery:
    """What to add up for one organization.

    Without ``buckets`` the period is one.
    ``sums`` are names of measures; ``meters`` asks for the quantities too, all or those named.
    ``filters`` are values of facets, for `Facet.CLIENT` the credential's id.
    Units: as the measures' names say.
    """

    organization_id: int
    rollup_timezone: str
    period: Period
    buckets: Buckets | None = None
    sums: tuple[str, ...] = ALL_SUMS
    meters: bool | tuple[str, ...] = False
    group_by: tuple[Facet, ...] = ()
    filters: Mapping[Facet, str | int] = field(default_factory=dict)

    @property
    def series(self) -> Buckets:
        """The buckets; at least one."""
        return self.buckets or Buckets.whole(self.period)


@dataclass(slots=True)
class Group:
    """One row of the answer: the place of its bucket, the values of its facets, and what adds up."""

    bucket: int
    values: tuple[Any, ...] = ()
    sums: dict[str, int] = field(default_factory=dict)
    meters: dict[str, Decimal] = field(default_factory=dict)


@dataclass(slots=True)
class _Sql:
    text: str
    params: list[Any]


def add_up(query: RollupQuery) -> list[Group]:
    """Return the groups that have any record, in order of bucket and values.

    Tenancy: call in the tenant's scope.
    Concurrency: one statement, one snapshot; asked again should the organization's days move meanwhile.
    """
    return _asked(query, "")


def greatest(query: RollupQuery) -> list[Group]:
    """Return those groups alone in which one of the sums is at its greatest, the earliest of equals.

    Grouped by facets, it is so for each of their values.
    Tenancy, Concurrency: as `add_up`.
    """
    values = _places(query).removeprefix(", ")
    each, first = (f"DISTINCT ON ({values}) ", f"{values}, ") if values else ("", "")
    last = "" if values else " LIMIT 1"
    picks = (
        f"(SELECT {each}* FROM found ORDER BY {first}{name} DESC NULLS LAST, bucket{last})"
        for name in query.sums
    )
    return _asked(query, " UNION ".join(picks))


def _asked(query: RollupQuery, pick: str) -> list[Group]:
    if query.period.start == query.period.end:
        return []
    timezone = query.rollup_timezone
    while True:
        statement = _statement(query, timezone)
        text = f"WITH found AS ({statement.text}) {pick}" if pick else statement.text
        with connection.cursor() as cursor:
            cursor.execute(text, statement.params)
            rows = cursor.fetchall()
        if not rows or rows[0][0] == timezone:
            return _groups(query, rows)
        timezone = rows[0][0]


def _groups(query: RollupQuery, rows: Sequence[Sequence[Any]]) -> list[Group]:
    groups: dict[tuple[Any, ...], Group] = {}
    width = len(query.group_by)
    for _, bucket, meter, quantity, *rest in rows:
        if bucket is None:
            continue
        values, sums = tuple(rest[:width]), rest[width:]
        group = groups.setdefault((bucket, *values), Group(bucket - 1, values))
        if meter is not None:
            group.meters[meter] = quantity
        else:
            group.sums = {name: int(number) for name, number in zip(query.sums, sums, strict=True)}
    return [groups[place] for place in sorted(groups)]


def _statement(query: RollupQuery, timezone: str) -> _Sql:
    choice = cube_for([*query.group_by, *query.filters])
    answers = [_sums(query, choice, timezone)]
    if query.meters:
        answers.append(_meters(query, choice, timezone))
    return _Sql(
        "SELECT organization.rollup_timezone, answer.* FROM organizations_organization organization "
        f"LEFT JOIN ({' UNION ALL '.join(answer.text for answer in answers)}) AS answer ON true "
        "WHERE organization.id = %s",
        [*(value for answer in answers for value in answer.params), query.organization_id],
    )


def _sums(query: RollupQuery, choice: CubeChoice | None, timezone: str) -> _Sql:
    exact = choice is not None and choice.is_total and HISTOGRAM.name not in query.sums
    parts = _parts(query, choice, timezone, minutes=exact)
    columns = ", ".join(query.sums)
    sources = [
        _of_cube(query, choice, _SUM_CUBES[part.source], part, timezone, columns)
        if choice is not None and part.source is not Source.RECORDS
        else _record_sums(query, ADJUSTED_RECORDS, part)
        for part in parts
    ]
    if covered := _covered(parts):
        sources.append(_record_sums(query, "usage_pending", covered))
    totals = ", ".join(f"sum({name}) AS {name}" for name in query.sums)
    places = _places(query)
    return _Sql(
        f"SELECT bucket, NULL::text AS meter, NULL::numeric AS quantity{places}, {totals} "
        f"FROM ({' UNION ALL '.join(source.text for source in sources)}) AS parts GROUP BY bucket{places}",
        [value for source in sources for value in source.params],
    )


def _meters(query: RollupQuery, choice: CubeChoice | None, timezone: str) -> _Sql:
    parts = _parts(query, choice, timezone, minutes=False)
    sources = [
        _meter_cube(query, choice, part, timezone)
        if choice is not None and part.source is not Source.RECORDS
        else _record_meters(query, "usage_record", part)
        for part in parts
    ]
    if covered := _covered(parts):
        sources.append(_record_meters(query, "usage_pending", covered))
    nulls = ", ".join(f"NULL::numeric AS {name}" for name in query.sums)
    places = _places(query)
    return _Sql(
        f"SELECT bucket, meter, sum(quantity) AS quantity{places}, {nulls} "
        f"FROM ({' UNION ALL '.join(source.text for source in sources)}) AS parts "
        f"GROUP BY bucket, meter{places}",
        [value for source in sources for value in source.params],
    )


def _parts(query: RollupQuery, choice: CubeChoice | None, timezone: str, *, minutes: bool) -> list[Part]:
    sources: set[Source] = set()
    if choice is not None:
        sources.add(Source.DAYS)
        if _IN_QUARTERS.issuperset(choice.dimensions):
            sources.add(Source.QUARTERS)
        if minutes:
            sources.add(Source.MINUTES)
    if query.series.by_minute:
        sources &= {Source.MINUTES}
    return cut(query.period, query.series.inner(query.period), zone(timezone), sources)


def _covered(parts: list[Part]) -> Part | None:
    """Return the stretch that cubes answer; there is one at most, in the middle."""
    cubes = [part for part in parts if part.source is not Source.RECORDS]
    return Part(Source.RECORDS, cubes[0].start, cubes[-1].end) if cubes else None


def _places(query: RollupQuery) -> str:
    return "".join(f", place{index}" for index in range(len(query.group_by)))


def _of_cube(
    query: RollupQuery, choice: CubeChoice, cube: Cube, part: Part, timezone: str, columns: str
) -> _Sql:
    bounds: list[Any] = [part.start, part.end]
    bucket, starts = query.series.sql("bucket")
    if part.source is Source.DAYS:
        tz = zone(timezone)
        bounds = [local_date(bound, tz) for bound in bounds]
        bucket = "width_bucket(bucket, %s::date[])"
        starts = [[local_date(start, tz) for start in query.series.starts]]
    where, params = _conditions(query, choice.columns)
    dimension = ""
    if cube.dimensional:
        dimension = " AND dimension = ANY(%s)"
        bounds = [[value.value for value in choice.dimensions], *bounds]
    return _Sql(
        f"SELECT {bucket} AS bucket{_selected(query, choice.columns)}, {columns} "
        f"FROM {cube.table} "
        f"WHERE organization_id = %s{dimension} AND bucket >= %s AND bucket < %s{where}",
        [*starts, query.organization_id, *bounds, *params],
    )


def _meter_cube(query: RollupQuery, choice: CubeChoice, part: Part, timezone: str) -> _Sql:
    rows = _of_cube(query, choice, _METER_CUBES[part.source], part, timezone, "meter, quantity")
    condition, params = _named("AND", query)
    return _Sql(f"{rows.text}{condition}", [*rows.params, *params])


def _named(word: str, query: RollupQuery) -> tuple[str, list[Any]]:
    """Return the condition that keeps the meters asked for."""
    return ("", []) if query.meters is True else (f" {word} meter = ANY(%s)", [list(query.meters or ())])


def _record_sums(query: RollupQuery, table: str, part: Part) -> _Sql:
    sums = ", ".join(f"{BY_NAME[name].of_records} AS {name}" for name in query.sums)
    wants_histogram = HISTOGRAM.name in query.sums
    select = "source.*, latency.unit AS latency_unit" if wants_histogram else "source.*"
    join = LATENCY_UNIT_JOIN if wants_histogram else ""
    rows = _rows(query, table, part)
    places = _places(query)
    return _Sql(
        f"SELECT bucket{places}, {sums} "
        f"FROM (SELECT {select} FROM ({rows.text}) AS source {join}) AS counted GROUP BY bucket{places}",
        rows.params,
    )


def _record_meters(query: RollupQuery, table: str, part: Part) -> _Sql:
    rows = _rows(query, table, part)
    places = _places(query)
    return _Sql(
        f"SELECT bucket{places}, meter, sum(amount::numeric) AS quantity FROM ({rows.text}) AS source "
        "CROSS JOIN LATERAL jsonb_each_text(quantities) AS entry (meter, amount) "
        f"{_named('WHERE', query)[0]} GROUP BY bucket{places}, meter",
        [*rows.params, *_named("WHERE", query)[1]],
    )


def _rows(query: RollupQuery, table: str, part: Part) -> _Sql:
    where, params = _conditions(query, RECORD_COLUMNS)
    bucket, starts = query.series.sql("occurred_at")
    return _Sql(
        f"SELECT *, {bucket} AS bucket{_selected(query, RECORD_COLUMNS)} "
        f"FROM {table} AS stored "
        f"WHERE organization_id = %s AND occurred_at >= %s AND occurred_at < %s{where}",
        [*starts, query.organization_id, part.start, part.end, *params],
    )


def _selected(query: RollupQuery, columns: Mapping[Facet, str]) -> str:
    return "".join(f", {columns[facet]} AS place{index}" for index, facet in enumerate(query.group_by))


def _conditions(query: RollupQuery, columns: Mapping[Facet, str]) -> tuple[str, list[Any]]:
    text = "".join(f" AND {columns[facet]} = %s" for facet in query.filters)
    return text, list(query.filters.values())
