"""Adding up for many organizations at once: one statement, however many ask and whatever their windows.

Each need is looked up by itself, along the key of a cube, so that what is read grows with the needs alone.
What is pending counts as everywhere; windows are cut at the edges of minutes, or of quarter-hours.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.db import connection

from core.periods import Period, local_date, zone
from usage.queries.parts import Source, cut
from usage.queries.rollups import Group
from usage.rollups.cubes import Dimension
from usage.rollups.measures import BY_NAME, HISTOGRAM, LATENCY_UNIT_JOIN

_EPOCH: Final = "timestamptz '2000-01-01 00:00Z'"
_VALUES: Final = {
    Dimension.MODEL: "model",
    Dimension.ENDPOINT: "endpoint",
    Dimension.CAPABILITY: "capability",
}
DIMENSIONS: Final = (Dimension.TOTAL, *_VALUES)
"""What can be asked for: these the cubes of quarter-hours know."""


@dataclass(frozen=True, slots=True)
class Need:
    """What is to be added up for one organization over one window.

    ``each`` asks for every credential, or every value of the dimension, by itself; ``credential_id`` and
    ``value`` for one of them. ``fine`` windows end at minutes, which know totals only and no percentiles;
    others at quarter-hours. ``meter`` asks for a quantity instead of the measures. ``percentiles`` asks for
    the histogram too, which is by far the largest of them. ``hourly`` cuts the window into hours.
    """

    organization_id: int
    rollup_timezone: str
    period: Period
    dimension: Dimension = Dimension.TOTAL
    each: bool = False
    credential_id: int | None = None
    value: str | None = None
    fine: bool = False
    meter: str | None = None
    percentiles: bool = False
    hourly: bool = False


Key = int | str | None
Found = dict[Key, list[Group]]
"""By the credential's id or the value where each was asked for, else by None: groups, in order of hours."""


def add_up_many(needs: Sequence[Need], sums: Sequence[str]) -> list[Found]:
    """Return what was found for each need, in their order; a part without any record is absent.

    ``sums`` are the names of the measures.
    Tenancy: call in the system's scope, or in that of the only tenant.
    Concurrency: two statements at most, one for measures and one for quantities.
    """
    found: list[Found] = [{} for _ in needs]
    plain = {place: need for place, need in enumerate(needs) if need.meter is None}
    metered = {place: need for place, need in enumerate(needs) if need.meter is not None}
    for place, key, hour, *values in _asked(plain, _sums_sql(sums)):
        group = _group(found[place], needs[place], key, hour)
        group.sums = {name: int(value or 0) for name, value in zip(sums, values, strict=True)}
    for place, key, hour, quantity in _asked(metered, _METERS_SQL):
        meter = needs[place].meter or ""
        _group(found[place], needs[place], key, hour).meters[meter] = quantity
    return found


def _group(found: Found, need: Need, key: str | None, hour: int) -> Group:
    by_credential = need.each and need.dimension is Dimension.TOTAL
    known: Key = int(key) if by_credential and key is not None else key
    group = Group(hour, (known,))
    found.setdefault(known, []).append(group)
    return group


def _asked(needs: Mapping[int, Need], statement: str) -> Iterator[tuple[Any, ...]]:
    if not needs:
        return
    windows: dict[tuple[Any, ...], int] = {}
    columns = [
        (
            place,
            need.organization_id,
            need.dimension.value,
            need.each,
            need.credential_id,
            need.value,
            need.meter,
            need.percentiles,
            need.hourly,
            windows.setdefault((need.period, need.rollup_timezone, _sources(need)), len(windows)),
        )
        for place, need in needs.items()
    ]
    params = [list(column) for column in zip(*columns, strict=True)]
    with connection.cursor() as cursor:
        cursor.execute(statement, [*params, *_segments(windows)])
        yield from cursor.fetchall()


def _segments(windows: Mapping[tuple[Any, ...], int]) -> list[list[Any]]:
    """Return the parts of all windows as columns: window, source, from and to as moments and as days."""
    rows: list[tuple[Any, ...]] = []
    for (period, timezone, sources), number in windows.items():
        tz = zone(timezone)
        rows.append((number, "pending", period.start, period.end, None, None))
        for part in cut(period, [], tz, sources):
            days: tuple[Any, ...] = (None, None)
            if part.source is Source.DAYS:
                days = (local_date(part.start, tz), local_date(part.end, tz))
            rows.append((number, part.source.value, part.start, part.end, *days))
    return [list(column) for column in zip(*rows, strict=True)]


def _sources(need: Need) -> frozenset[Source]:
    if need.hourly:
        return frozenset({Source.QUARTERS})
    return frozenset({Source.DAYS, Source.QUARTERS, *([Source.MINUTES] if need.fine else [])})


_WITH: Final = """
WITH need AS MATERIALIZED (
    SELECT * FROM unnest(
        %s::int[], %s::bigint[], %s::smallint[], %s::boolean[], %s::bigint[], %s::text[], %s::text[],
        %s::boolean[], %s::boolean[], %s::int[]
    ) AS need (place, organization_id, dimension, each, credential_id, value, meter, percentiles, hourly, win)
), segment AS MATERIALIZED (
    SELECT * FROM unnest(%s::int[], %s::text[], %s::timestamptz[], %s::timestamptz[], %s::date[], %s::date[])
        AS segment (win, source, first, past, first_day, past_day)
), asked AS MATERIALIZED (
    SELECT need.*, segment.source, segment.first, segment.past, segment.first_day, segment.past_day,
           whole.first AS start
    FROM need JOIN segment USING (win)
    JOIN segment AS whole ON whole.win = need.win AND whole.source = 'pending'
)
"""
_VALUE: Final = (
    "CASE asked.dimension "
    + " ".join(
        f"WHEN {dimension.value} THEN coalesce(c.{column}, '')" for dimension, column in _VALUES.items()
    )
    + " ELSE '' END"
)


_BETWEEN: Final = "c.{moment} >= asked.first AND c.{moment} < asked.past"
_OF_DIMENSION: Final = "c.dimension = asked.dimension"
_WITHIN: Final = {
    Source.DAYS: f"{_OF_DIMENSION} AND c.bucket >= asked.first_day AND c.bucket < asked.past_day",
    Source.QUARTERS: f"{_OF_DIMENSION} AND {_BETWEEN.format(moment='bucket')}",
    Source.MINUTES: _BETWEEN.format(moment="bucket"),
    Source.RECORDS: _BETWEEN.format(moment="occurred_at"),
}
_MOMENT: Final = {Source.DAYS: "asked.first", Source.RECORDS: "c.occurred_at"}


def _found(source: Source, table: str, columns: str, condition: str = "") -> str:
    """Return the part of a statement that looks up every need in one source.

    Aggregated for each need by itself, a lookup can only go along the key.
    """
    value = {Source.MINUTES: "''", Source.RECORDS: _VALUE}.get(source, "c.value")
    moment = _MOMENT.get(source, "c.bucket")
    part = f"CASE asked.dimension WHEN 0 THEN c.credential_id::text ELSE {value} END"
    key = f"CASE WHEN asked.each THEN {part} END"
    passed = f"floor(extract(epoch FROM {moment} - asked.start) / 3600)::int"
    hour = f"CASE WHEN asked.hourly THEN {passed} ELSE 0 END"
    return (
        f"SELECT asked.place, found.* FROM asked CROSS JOIN LATERAL (SELECT {key} AS key, {hour} AS hour, "
        f"{columns} FROM {table} WHERE c.organization_id = asked.organization_id AND {_WITHIN[source]} "
        "AND (asked.credential_id IS NULL OR c.credential_id = asked.credential_id) "
        f"AND (asked.value IS NULL OR {value} = asked.value){condition} GROUP BY 1, 2) AS found "
        f"WHERE asked.source = '{_NAMES.get(source, source.value)}'"
    )


_NAMES: Final = {Source.RECORDS: "pending"}


def _sums_sql(sums: Sequence[str]) -> str:
    histogram = f"sum(c.{HISTOGRAM.name})"
    plain = ", ".join(f"sum(c.{name}) AS {name}" for name in sums)
    of_cubes = plain.replace(histogram, f"{histogram} FILTER (WHERE asked.percentiles)")
    of_minutes = plain.replace(histogram, "NULL::numeric")
    of_records = ", ".join(f"{BY_NAME[name].of_records} AS {name}" for name in sums)
    wants_histogram = HISTOGRAM.name in sums
    pending = f"source.*, latency.unit AS latency_unit FROM usage_pending AS source {LATENCY_UNIT_JOIN}"
    parts = [
        _found(Source.DAYS, "usage_rollup_day AS c", of_cubes),
        _found(Source.QUARTERS, "usage_rollup_quarter AS c", of_cubes),
        _found(Source.MINUTES, "usage_rollup_minute AS c", of_minutes),
        _found(
            Source.RECORDS,
            f"(SELECT {pending}) AS c" if wants_histogram else "usage_pending AS c",
            of_records,
        ),
    ]
    return _whole(parts, sums)


def _meters_sql() -> str:
    of_cubes, named = "sum(c.quantity) AS quantity", " AND c.meter = asked.meter"
    of_records = "sum((c.quantities ->> asked.meter)::numeric) AS quantity"
    parts = [
        _found(Source.DAYS, "usage_meter_day AS c", of_cubes, named),
        _found(Source.QUARTERS, "usage_meter_quarter AS c", of_cubes, named),
        _found(
            Source.RECORDS,
            "usage_pending AS c",
            of_records,
            " AND jsonb_exists(c.quantities, asked.meter)",
        ),
    ]
    return _whole(parts, ("quantity",))


def _whole(parts: Sequence[str], columns: Sequence[str]) -> str:
    totals = ", ".join(f"sum({name})" for name in columns)
    return (
        f"{_WITH} SELECT place, key, hour, {totals} FROM ({' UNION ALL '.join(parts)}) AS parts "
        "GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"
    )


_METERS_SQL: Final = _meters_sql()
