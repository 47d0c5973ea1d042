"""Finding the records that have no cost yet."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec
from django.db import connection

from core.periods import Granularity, Period, zone
from usage.queries.buckets import Buckets
from usage.queries.rollups import RollupQuery, add_up

_FIELDS: Final = (
    "key", "occurred_at", "model", "provider", "service_tier", "prompt_tokens", "completion_tokens",
    "cached_prompt_tokens", "cache_write_tokens", "reasoning_tokens", "succeeded", "quantities",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class UnpricedRecord:
    """What it takes to find a record's price, and to know the record again."""

    key: UUID
    occurred_at: datetime
    model: str | None
    provider: str | None
    service_tier: str | None
    prompt_tokens: int | None
    completion_tokens: int | None
    cached_prompt_tokens: int | None
    cache_write_tokens: int | None
    reasoning_tokens: int | None
    succeeded: bool
    quantities: dict[str, int | str] | None

    @property
    def position(self) -> tuple[datetime, UUID]:
        """Where the record stands in the order of reading."""
        return self.occurred_at, self.key


def unpriced_days(organization_id: int, rollup_timezone: str, period: Period) -> list[Period]:
    """Return the days, within a period, that have records without a cost, oldest first.

    Tenancy: call in the tenant's scope.
    """
    series = Buckets.over(period, Granularity.DAY, zone(rollup_timezone))
    query = RollupQuery(organization_id, rollup_timezone, period, series, sums=("unpriced",))
    return [_day(series, group.bucket, period) for group in add_up(query) if group.sums["unpriced"]]


def unpriced_count(organization_id: int, rollup_timezone: str, period: Period) -> int:
    """Return how many of a period's records have no cost.

    Tenancy: call in the tenant's scope.
    """
    query = RollupQuery(organization_id, rollup_timezone, period, sums=("unpriced",))
    return sum(group.sums["unpriced"] for group in add_up(query))


def unpriced_records(
    organization_id: int, period: Period, *, take: int, after: tuple[datetime, UUID] | None = None
) -> list[UnpricedRecord]:
    """Return some of a period's records without a cost, in order, after a position.

    Tenancy: call in the tenant's scope.
    """
    start, key = after or (period.start, UUID(int=0))
    with connection.cursor() as cursor:
        cursor.execute(_SELECT, [organization_id, start, period.end, start, key, take])
        return list(_records(cursor.fetchall()))


_SELECT: Final = (
    f"SELECT {', '.join(f'record.{name}' for name in _FIELDS)} FROM usage_record AS record "
    "WHERE record.organization_id = %s AND record.occurred_at >= %s AND record.occurred_at < %s "
    "AND (record.occurred_at, record.key) > (%s, %s) AND record.cost_nanos IS NULL "
    "AND NOT EXISTS (SELECT FROM usage_adjustment AS adjustment "
    "WHERE adjustment.organization_id = record.organization_id "
    "AND adjustment.occurred_at = record.occurred_at AND adjustment.key = record.key) "
    "ORDER BY record.occurred_at, record.key LIMIT %s"
)


def _records(rows: list[tuple[Any, ...]]) -> Iterator[UnpricedRecord]:
    for row in rows:
        columns = dict(zip(_FIELDS, row, strict=True))
        if columns["quantities"] is not None:
            # Django leaves JSON as text.
            columns["quantities"] = msgspec.json.decode(columns["quantities"])
        yield UnpricedRecord(**columns)


def _day(series: Buckets, place: int, period: Period) -> Period:
    end = series.start(place + 1) if place + 1 < series.count else period.end
    return Period(max(series.start(place), period.start), min(end, period.end))
