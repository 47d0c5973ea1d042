"""Use per API key over a timeframe, as S3 has it: totals, series, endpoints, errors, last use."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import connection

from core.periods import Granularity, Period, next_bucket
from usage.queries.buckets import Buckets
from usage.queries.facets import Facet
from usage.queries.rollups import Group, RollupQuery, add_up, greatest
from usage.queries.totals import UTC_ZONE, Subject

TIMEFRAMES: Final = {
    "1h": timedelta(hours=1),
    "24h": timedelta(hours=24),
    "7d": timedelta(days=7),
    "30d": timedelta(days=30),
    "90d": timedelta(days=90),
    "1y": timedelta(days=365),
}
ALL_TIME: Final = "all"
UNKNOWN: Final = "unknown"
"""What errors are counted under whose record does not say what they were."""
_COUNTS: Final = ("requests", "errors", "total_tokens", "cost_nanos", "latency_records", "latency_us")
_LATENCY: Final = (*_COUNTS, "latency_histogram")


@dataclass(frozen=True, slots=True)
class Errors:
    """Errors of a window by what they were."""

    total: int = 0
    by_status_code: dict[str, int] = field(default_factory=dict)
    by_type: dict[str, int] = field(default_factory=dict)


def timeframe_period(
    timeframe: str, granularity: Granularity, zone: Any, now: datetime, since: datetime
) -> Period:
    """Return the window of a timeframe; it ends with the bucket that holds now, so nothing is missing."""
    end = next_bucket(now, granularity, zone)
    length = TIMEFRAMES.get(timeframe)
    start = since if length is None else max(now - length, since)
    return Period(min(start, end), end)


def by_key(subject: Subject, period: Period, *, latency: bool) -> dict[int, Group]:
    """Return what adds up for each credential that was used in a window.

    Tenancy: call in the tenant's scope.
    """
    groups = add_up(_query(subject, period, group_by=(Facet.CLIENT,), sums=_LATENCY if latency else _COUNTS))
    return {group.values[0]: group for group in groups}


def peaks(subject: Subject, period: Period) -> dict[int, int]:
    """Return the most requests of each credential in any minute of a window, of those that have any.

    Tenancy: call in the tenant's scope.
    """
    minutes = Buckets.over(period, Granularity.MINUTE, UTC_ZONE)
    groups = greatest(_query(subject, period, buckets=minutes, group_by=(Facet.CLIENT,), sums=("requests",)))
    return {group.values[0]: group.sums["requests"] for group in groups}


def series(subject: Subject, period: Period, buckets: Buckets) -> dict[int, Group]:
    """Return what adds up in each bucket that has any use, by its place.

    Tenancy: call in the tenant's scope.
    """
    return {group.bucket: group for group in add_up(_query(subject, period, buckets=buckets, sums=_COUNTS))}


def by_endpoint(subject: Subject, period: Period, *, latency: bool) -> list[Group]:
    """Return what adds up for each endpoint.

    Tenancy: call in the tenant's scope.
    """
    return add_up(_query(subject, period, group_by=(Facet.ENDPOINT,), sums=_LATENCY if latency else _COUNTS))


def unpriced(
    subject: Subject, period: Period, *group_by: Facet, buckets: Buckets | None = None
) -> list[Group]:
    """Return how many records have no cost, for each value of some facets, of those that have any such.

    Tenancy: call in the tenant's scope.
    """
    query = _query(subject, period, group_by=group_by, buckets=buckets, sums=("unpriced",))
    return [group for group in add_up(query) if group.sums["unpriced"]]


def errors(subject: Subject, period: Period) -> Errors:
    """Return the errors by status code and by type; "unknown" where a record does not say.

    Tenancy: call in the tenant's scope.
    """
    groups = add_up(
        _query(
            subject,
            period,
            group_by=(Facet.STATUS_CODE, Facet.ERROR_TYPE),
            sums=("errors",),
            filters={Facet.STATUS: "error"},
        )
    )
    codes: Counter[str] = Counter()
    types: Counter[str] = Counter()
    for group in groups:
        code, kind = group.values
        codes[code or UNKNOWN] += group.sums["errors"]
        types[kind or UNKNOWN] += group.sums["errors"]
    return Errors(sum(codes.values()), _largest_first(codes), _largest_first(types))


def first_use(organization_id: int) -> datetime | None:
    """Return the start of the first minute in which anything was used, or None.

    Tenancy: call in the tenant's scope.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT least((SELECT min(bucket) FROM usage_rollup_minute WHERE organization_id = %(id)s), "
            "(SELECT date_bin('1 minute', min(occurred_at), timestamptz '2000-01-01 00:00Z') "
            "FROM usage_pending WHERE organization_id = %(id)s))",
            {"id": organization_id},
        )
        row = cursor.fetchone()
    return None if row is None else row[0]


def last_used(organization_id: int, since: datetime) -> dict[int, datetime]:
    """Return when each credential was last used, from the cubes down to the record.

    Tenancy: call in the tenant's scope.
    """
    with connection.cursor() as cursor:
        cursor.execute(_LAST_USED, {"id": organization_id, "since": since})
        return dict(cursor.fetchall())


# The last day of each credential leads to its last minute, and that to the record: three short index scans.
_LAST_USED: Final = """
SELECT credential_id, max(moment) FROM (
    SELECT day.credential_id, record.moment
    FROM (
        SELECT credential_id, max(bucket) AS last FROM usage_rollup_day
        WHERE organization_id = %(id)s AND dimension = 0 AND bucket >= (%(since)s)::date - 1
        GROUP BY credential_id
    ) AS day
    CROSS JOIN LATERAL (
        SELECT max(bucket) AS last FROM usage_rollup_minute minute
        WHERE minute.organization_id = %(id)s AND minute.credential_id = day.credential_id
          AND minute.bucket >= day.last::timestamp AT TIME ZONE 'UTC' - interval '15 hours'
    ) AS minute
    CROSS JOIN LATERAL (
        SELECT max(occurred_at) AS moment FROM usage_record r
        WHERE r.organization_id = %(id)s AND r.credential_id = day.credential_id
          AND r.occurred_at >= minute.last AND r.occurred_at < minute.last + interval '1 minute'
    ) AS record
    UNION ALL
    SELECT credential_id, max(occurred_at) FROM usage_pending
    WHERE organization_id = %(id)s AND occurred_at >= %(since)s GROUP BY credential_id
) AS found WHERE moment >= %(since)s GROUP BY credential_id
"""


def _query(subject: Subject, period: Period, **options: Any) -> RollupQuery:
    filters = dict(options.pop("filters", {}))
    if subject.credential_id is not None:
        filters[Facet.CLIENT] = subject.credential_id
    return RollupQuery(subject.organization_id, subject.rollup_timezone, period, filters=filters, **options)


def _largest_first(counter: Counter[str]) -> dict[str, int]:
    return dict(sorted(counter.items(), key=lambda item: (-item[1], item[0])))
