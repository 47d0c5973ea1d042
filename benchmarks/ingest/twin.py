"""A second database on the same server, made from the first: the same tables, policies and indexes.

What was ingested over HTTP is written there again by plainer means. Both tables grow alike, each row is
written once to each, and the superuser's connection is one that `COPY FROM` isn't refused on.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from benchmarks.ground import Ground

NAME: Final = "twin"
ORM_PART: Final = 10
_CHUNK: Final = 1 << 20
_ROUND: Final = "FROM usage_record WHERE created_at >= %s ORDER BY created_at, occurred_at"


@dataclass
class Twin:
    """The twin database, and the one it is a twin of."""

    original: psycopg.Connection[Any]
    connection: psycopg.Connection[Any]

    @classmethod
    @contextmanager
    def of(cls, ground: Ground) -> Iterator[Twin]:
        """Make the twin, to which no one else is connected, and connect Django to it as `twin`."""
        with ground.admin("postgres") as admin:
            admin.execute(f"CREATE DATABASE {NAME} TEMPLATE headroom OWNER headroom_owner")
        with ground.admin() as original, ground.admin(NAME) as connection:
            _connect_django(ground)
            yield cls(original, connection)

    def take_over(self, since: datetime, *, by_orm: bool) -> Taken:
        """Write what was stored since a moment again: by `COPY`, and a part through the ORM if asked for."""
        self._make_partitions()
        skipped = self._count(since) // ORM_PART if by_orm else 0
        orm_seconds = self._bulk_create(since, skipped) if skipped else 0.0
        rows, size, seconds = self._copy(since, skipped)
        return Taken(rows, seconds, size / max(1, rows), skipped, orm_seconds)

    def _copy(self, since: datetime, skipped: int) -> tuple[int, int, float]:
        chunks = self._read(since, skipped)
        began = time.perf_counter()
        with self.connection.cursor() as cursor:
            with cursor.copy("COPY usage_record FROM STDIN") as copy:
                for chunk in chunks:
                    copy.write(chunk)
            rows = cursor.rowcount
        return rows, sum(map(len, chunks)), time.perf_counter() - began

    def _read(self, since: datetime, skipped: int) -> list[bytes]:
        query = f"COPY (SELECT * {_ROUND} OFFSET {skipped}) TO STDOUT"
        with self.original.cursor() as cursor, cursor.copy(query, [since]) as copy:
            whole = b"".join(bytes(part) for part in copy)
        return [whole[place : place + _CHUNK] for place in range(0, len(whole), _CHUNK)]

    def _bulk_create(self, since: datetime, number: int) -> float:
        from usage.models import Record

        names = {str(field.column): field.attname for field in Record._meta.concrete_fields}
        with self.original.cursor(row_factory=dict_row) as cursor:
            columns = sql.SQL(", ").join(map(sql.Identifier, names))
            cursor.execute(
                sql.SQL("SELECT {} ").format(columns) + sql.SQL(_ROUND + " LIMIT %s"), [since, number]
            )
            rows = [{names[column]: value for column, value in row.items()} for row in cursor]
        began = time.perf_counter()
        for batch in _batches(rows, 1000):
            Record.objects.using(NAME).bulk_create([Record(**row) for row in batch])
        return time.perf_counter() - began

    def _count(self, since: datetime) -> int:
        row = self.original.execute(
            "SELECT count(*) FROM usage_record WHERE created_at >= %s", [since]
        ).fetchone()
        return 0 if row is None else int(row[0])

    def _make_partitions(self) -> None:
        for (week,) in self.original.execute("SELECT usage_partition_weeks()").fetchall():
            self.connection.execute("SELECT usage_make_partition(%s)", [week])


@dataclass(frozen=True)
class Taken:
    """How long the twin took for its rows.

    Units: seconds; `row_bytes` of text, as `COPY` reads it.
    """

    rows: int
    seconds: float
    row_bytes: float
    orm_rows: int
    orm_seconds: float

    @property
    def each(self) -> float:
        """The time of one row by `COPY`."""
        return self.seconds / self.rows

    @property
    def orm_each(self) -> float:
        """The time of one row by `bulk_create`."""
        return self.orm_seconds / self.orm_rows


def _connect_django(ground: Ground) -> None:
    from django.db import connections

    from config.databases import connection_settings, parse_address

    address = parse_address(ground.postgres.url(database=NAME), variable=NAME)
    connections.databases[NAME] = {
        **connections.databases["owner"],
        **connection_settings(address, role="postgres"),
    }


def _batches(rows: Sequence[dict[str, Any]], size: int) -> Iterator[Sequence[dict[str, Any]]]:
    for place in range(0, len(rows), size):
        yield rows[place : place + size]
