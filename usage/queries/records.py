"""Reading single records: pages of them, and one by its id."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from django.db import connection

from usage.complete import record_key
from usage.models import Record

_RECORD_COLUMNS = tuple(str(field.column) for field in Record._meta.concrete_fields)
_ADJUSTMENT_COLUMNS = ("cost_nanos", "price_id", "created_at")
_COLUMNS = (*_RECORD_COLUMNS, *(f"adjusted_{column}" for column in _ADJUSTMENT_COLUMNS))
_JSON_COLUMNS = ("links", "quantities", "meta")
_SELECT = ", ".join(
    [*(f'record."{column}"' for column in _RECORD_COLUMNS), *(f"adjustment.{c}" for c in _ADJUSTMENT_COLUMNS)]
)
_ADJUSTMENT = (
    "LEFT JOIN usage_adjustment AS adjustment ON record.cost_nanos IS NULL "
    "AND adjustment.organization_id = record.organization_id "
    "AND adjustment.occurred_at = record.occurred_at AND adjustment.key = record.key"
)
# The rows are numbered, since a join need not keep the order in which they are found.
_FIND = (
    f"SELECT {_SELECT} FROM "
    "usage_find(%s, %s, %s::text[], %s::jsonb, %s::jsonb[], %s::timestamptz, %s::uuid, %s, %s) "
    f"WITH ORDINALITY AS record {_ADJUSTMENT} ORDER BY record.ordinality"
)


@dataclass(frozen=True, slots=True)
class RecordQuery:
    """A page of an organization's records: the window, what they must have, and where to go on.

    ``terms`` are dimensions as ``name:value``, ``links`` resource ids by name; each value of
    ``meta`` is compared as text and as the number or boolean that it reads as. ``after`` is the position
    (moment, key) of the last record seen.
    """

    start: datetime
    end: datetime
    take: int
    descending: bool = True
    terms: tuple[str, ...] = ()
    links: dict[str, str] = field(default_factory=dict)
    meta: dict[str, str] = field(default_factory=dict)
    after: tuple[datetime, UUID] | None = None


@dataclass(frozen=True, slots=True)
class StoredRecord:
    """A record as it is kept: a value for each column, by name.

    ``adjusted_cost_nanos``, ``adjusted_price_id`` and ``adjusted_created_at`` are those of the cost that was
    given to it later, None without one.
    """

    columns: dict[str, Any]

    def __getattr__(self, name: str) -> Any:
        try:
            return self.columns[name]
        except KeyError:
            raise AttributeError(name) from None

    @property
    def position(self) -> tuple[datetime, UUID]:
        """Where the record stands in the order of pages."""
        return self.columns["occurred_at"], self.columns["key"]


def find_records(query: RecordQuery) -> list[StoredRecord]:
    """Return one page of records, in order of their moments.

    Tenancy: call in the tenant's scope; without one the database refuses.
    """
    after_at, after_key = query.after or (None, None)
    params: list[Any] = [
        query.start,
        query.end,
        list(query.terms),
        _json(query.links) if query.links else None,
        _readings(query.meta),
        after_at,
        after_key,
        query.descending,
        query.take,
    ]
    with connection.cursor() as cursor:
        cursor.execute(_FIND, params)
        return _records(cursor.fetchall())


def find_record(organization_id: int, record_id: str) -> StoredRecord | None:
    """Return the record with a client's id, or None.

    Tenancy: call in the tenant's scope.
    """
    key = UUID(hex=record_key(organization_id, record_id))
    moment = occurrence(organization_id, key)
    if moment is None:
        return None
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {_SELECT} FROM usage_record AS record {_ADJUSTMENT} "
            "WHERE record.organization_id = %s AND record.occurred_at = %s AND record.key = %s",
            [organization_id, moment, key],
        )
        records = _records(cursor.fetchall())
    return records[0] if records else None


def occurrence(organization_id: int, key: UUID) -> datetime | None:
    """Return when the record with a key happened, which says in which partition it is; None without one."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT occurred_at FROM usage_record_key WHERE organization_id = %s AND key = %s",
            [organization_id, key],
        )
        row = cursor.fetchone()
    return None if row is None else row[0]


def _records(rows: Sequence[Sequence[Any]]) -> list[StoredRecord]:
    return [StoredRecord(_decoded(dict(zip(_COLUMNS, row, strict=True)))) for row in rows]


def _decoded(columns: dict[str, Any]) -> dict[str, Any]:
    # Django leaves JSON as text, for its own fields to read.
    for name in _JSON_COLUMNS:
        if columns[name] is not None:
            columns[name] = msgspec.json.decode(columns[name])
    return columns


def _readings(meta: dict[str, str]) -> list[str]:
    """Return two containments of each entry: its value as text, and as the scalar that JSON would read."""
    readings = []
    for key, value in meta.items():
        readings += [_json({key: value}), _json({key: _scalar(value)})]
    return readings


def _scalar(text: str) -> str | float | bool | None:
    try:
        value = msgspec.json.decode(text)
    except msgspec.DecodeError:
        return text
    return value if isinstance(value, int | float | bool) or value is None else text


def _json(value: dict[str, Any]) -> str:
    return msgspec.json.encode(value).decode()
