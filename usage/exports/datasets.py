"""The datasets of usage: every record, and its sums by day."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import msgspec
from django.db import connection

from core.periods import Granularity, Period, buckets, floor, local_date, next_bucket, zone
from organizations.models import Credential
from organizations.roles import Scope
from usage.exports.catalogue import Source
from usage.exports.columns import Batch, Column, Kind
from usage.exports.stream import stream
from usage.links import LINKS
from usage.quantities import number
from usage.queries.facets import Facet
from usage.queries.rollups import Group, RollupQuery, add_up
from usage.rollups.adjusted import ADJUSTED_RECORDS

_WINDOW: Final = "organization_id = %s AND occurred_at >= %s AND occurred_at < %s"
_CLIENT_ID: Final = "clientId"
_CURRENCY: Final = "currency"

_RECORD_COLUMNS: Final = (
    (Column("id", Kind.TEXT), "id"),
    (Column("type", Kind.TEXT), "type"),
    (Column("timestamp", Kind.MOMENT), "occurred_at"),
    (Column(_CLIENT_ID, Kind.TEXT), "credential_id"),
    (Column("endpoint", Kind.TEXT), "endpoint"),
    (Column("capability", Kind.TEXT), "capability"),
    (Column("model", Kind.TEXT), "model"),
    (Column("provider", Kind.TEXT), "provider"),
    (Column("serviceTier", Kind.TEXT), "coalesce(service_tier, 'standard')"),
    (Column("status", Kind.TEXT), "CASE WHEN succeeded THEN 'success' ELSE 'error' END"),
    (Column("statusCode", Kind.INTEGER), "status_code"),
    (Column("errorType", Kind.TEXT), "error_type"),
    (Column("latencyMs", Kind.NUMBER), "latency_us / 1000.0::float8"),
    (Column("count", Kind.INTEGER), "count"),
    (Column("promptTokens", Kind.INTEGER, summed=True), "prompt_tokens"),
    (Column("completionTokens", Kind.INTEGER, summed=True), "completion_tokens"),
    (Column("totalTokens", Kind.INTEGER, summed=True), "total_tokens"),
    (Column("cachedPromptTokens", Kind.INTEGER), "cached_prompt_tokens"),
    (Column("cacheWriteTokens", Kind.INTEGER), "cache_write_tokens"),
    (Column("reasoningTokens", Kind.INTEGER), "reasoning_tokens"),
    (Column("cost", Kind.MONEY, summed=True), "cost_nanos"),
    (Column(_CURRENCY, Kind.TEXT), "NULL"),
    (Column("priceId", Kind.INTEGER), "price_id"),
    *((Column(name, Kind.TEXT), f"links ->> '{name}'") for name in LINKS),
    (Column("reservationId", Kind.TEXT), "reservation_id"),
    (Column("quantities", Kind.JSON), "quantities::text"),
    (Column("meta", Kind.JSON), "meta::text"),
    (Column("createdAt", Kind.MOMENT), "created_at"),
    (Column("adjustedAt", Kind.MOMENT), "adjusted_at"),
)


class Records:
    """Every record of a window, oldest first."""

    name = "records"
    scope: str = Scope.USAGE_READ
    row_name = "requests"
    columns = tuple(column for column, _ in _RECORD_COLUMNS)

    def size(self, source: Source) -> int:
        """Return how many records there are."""
        found = add_up(
            RollupQuery(source.organization_id, source.rollup_timezone, source.period, sums=("requests",))
        )
        return found[0].sums["requests"] if found else 0

    def batches(self, source: Source) -> Iterator[Batch]:
        """Yield the records."""
        names = [column.name for column in self.columns]
        client, currency = names.index(_CLIENT_ID), names.index(_CURRENCY)
        # Looked up here: a join would cost the server more than all the rest of the row.
        client_ids = _client_ids()
        for batch in stream(_SELECT_RECORDS, _window(source)):
            values = list(batch)
            values[client] = [client_ids.get(credential_id) for credential_id in values[client]]
            values[currency] = [source.currency] * len(values[currency])
            yield values


_SELECT_RECORDS: Final = (
    f"SELECT {', '.join(sql for _, sql in _RECORD_COLUMNS)} "
    f"FROM {ADJUSTED_RECORDS} AS record WHERE {_WINDOW} "
    # The order of an index, so that nothing is sorted before the first row.
    "ORDER BY organization_id, occurred_at, key"
)


@dataclass(frozen=True, slots=True)
class _Sum:
    """A column that adds up: its name, the measure, its kind."""

    column: Column
    measure: str


_COUNTS: Final = (_Sum(Column("requests", Kind.INTEGER, summed=True), "requests"),)
_MONEY: Final = (
    _Sum(Column("cost", Kind.MONEY, summed=True), "cost_nanos"),
    _Sum(Column("unpricedRecords", Kind.INTEGER), "unpriced"),
)
_USE: Final = (
    _Sum(Column("errors", Kind.INTEGER), "errors"),
    _Sum(Column("executions", Kind.INTEGER), "executions"),
    _Sum(Column("failedExecutions", Kind.INTEGER), "failed_executions"),
    _Sum(Column("count", Kind.INTEGER), "count"),
    _Sum(Column("promptTokens", Kind.INTEGER, summed=True), "prompt_tokens"),
    _Sum(Column("completionTokens", Kind.INTEGER, summed=True), "completion_tokens"),
    _Sum(Column("totalTokens", Kind.INTEGER, summed=True), "total_tokens"),
    _Sum(Column("cachedPromptTokens", Kind.INTEGER), "cached_prompt_tokens"),
    _Sum(Column("cacheWriteTokens", Kind.INTEGER), "cache_write_tokens"),
    _Sum(Column("reasoningTokens", Kind.INTEGER), "reasoning_tokens"),
)
_LATENCY: Final = ("latency_us", "latency_records")


@dataclass(frozen=True, slots=True)
class Days:
    """Sums by day, credential, model and provider; days are those of the organization's zone."""

    name: str
    scope: str
    sums: tuple[_Sum, ...]
    with_use: bool = False
    row_name: str = ""

    @property
    def columns(self) -> tuple[Column, ...]:
        """The place of a row, its sums, and the currency."""
        use = (Column("averageLatencyMs", Kind.NUMBER), Column("quantities", Kind.JSON))
        return (
            Column("date", Kind.DATE),
            Column(_CLIENT_ID, Kind.TEXT),
            Column("model", Kind.TEXT),
            Column("provider", Kind.TEXT),
            *(each.column for each in self.sums),
            *(use if self.with_use else ()),
            Column(_CURRENCY, Kind.TEXT),
        )

    def size(self, source: Source) -> None:
        """Return None: the rows are what adding up leaves."""

    def batches(self, source: Source) -> Iterator[Batch]:
        """Yield the days with any use, oldest first."""
        period = _extent(source)
        tz = zone(source.timezone)
        client_ids = _client_ids()
        for day in buckets(period, Granularity.DAY, tz):
            part = Period(max(day.start, period.start), min(day.end, period.end))
            groups = add_up(self._query(source, part))
            if groups:
                day_of = local_date(day.start, tz)
                rows = (self._row(day_of, group, client_ids, source.currency) for group in groups)
                yield list(zip(*rows, strict=True))

    def _query(self, source: Source, period: Period) -> RollupQuery:
        return RollupQuery(
            source.organization_id,
            source.rollup_timezone,
            period,
            sums=(*(each.measure for each in self.sums), *(_LATENCY if self.with_use else ())),
            meters=self.with_use,
            group_by=(Facet.CLIENT, Facet.MODEL, Facet.PROVIDER),
        )

    def _row(self, day: date, group: Group, client_ids: Mapping[int, str], currency: str) -> tuple[Any, ...]:
        credential_id, model, provider = group.values
        return (
            day,
            client_ids.get(credential_id),
            model or None,
            provider or None,
            *(group.sums[each.measure] for each in self.sums),
            *((_average_latency(group), _quantities(group)) if self.with_use else ()),
            currency,
        )


RECORDS: Final = Records()
DAILY: Final = Days("daily", Scope.USAGE_READ, (*_COUNTS, *_USE, *_MONEY), with_use=True)
COSTS: Final = Days("costs", Scope.BILLING_READ, (*_COUNTS, *_MONEY))


def _window(source: Source) -> list[Any]:
    return [source.organization_id, source.period.start, source.period.end]


def _client_ids() -> dict[int, str]:
    return dict(Credential.objects.values_list("id", "client_id"))


def _extent(source: Source) -> Period:
    """Return the part of the window whose days have records, so that nobody asks for years of empty days."""
    start, end, tz = source.period.start, source.period.end, zone(source.timezone)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT min(occurred_at), max(occurred_at) FROM usage_record WHERE {_WINDOW}", _window(source)
        )
        first, last = cursor.fetchone() or (None, None)
    if first is None or last is None:
        return Period(start, start)
    return Period(
        max(start, floor(first, Granularity.DAY, tz)), min(end, next_bucket(last, Granularity.DAY, tz))
    )


def _average_latency(group: Group) -> float | None:
    records = group.sums["latency_records"]
    return round(group.sums["latency_us"] / records / 1000, 3) if records else None


def _quantities(group: Group) -> str | None:
    if not group.meters:
        return None
    return msgspec.json.encode({name: number(value) for name, value in sorted(group.meters.items())}).decode()
